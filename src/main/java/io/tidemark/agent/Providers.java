package io.tidemark.agent;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotStreams;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The configured providers of this host, by name; at a controller those of its agents too. */
public final class Providers implements AutoCloseable {
    private final Map<String, StorageProvider> byName;
    private final Optional<ProvidersElsewhere> elsewhere;

    public Providers(Collection<StorageProvider> providers) {
        this(providers, Optional.empty());
    }

    private Providers(Collection<StorageProvider> providers, Optional<ProvidersElsewhere> elsewhere) {
        this.elsewhere = elsewhere;
        byName = new TreeMap<>();
        for (var provider : providers) {
            if (byName.put(provider.name(), provider) != null) {
                throw new IllegalArgumentException("provider %s is configured twice".formatted(provider.name()));
            }
        }
    }

    /** These, and those of agents' hosts. Closing it closes these alone. */
    public Providers and(ProvidersElsewhere others) {
        return new Providers(byName.values(), Optional.of(others));
    }

    /** In order of name; of other hosts those that can be asked now. */
    public Collection<StorageProvider> all() {
        var all = new TreeMap<>(byName);
        elsewhere.ifPresent(others -> others.reachable().forEach(provider -> all.put(provider.name(), provider)));
        return all.values();
    }

    /** Hosts whose providers {@link #all} leaves out, in order of name. */
    public List<Unlisted> unreachable() {
        return elsewhere.map(ProvidersElsewhere::unreachable).orElse(List.of());
    }

    /** @throws ProviderException VolumeNotFound when no such provider is configured; Unreachable */
    public StorageProvider of(VolumeId volume) throws ProviderException {
        if (volume.agent().isPresent() && elsewhere.isPresent()) {
            return elsewhere.get().of(volume);
        }
        var provider = byName.get(volume.provider());
        if (provider == null) {
            throw new ProviderException(new ProviderError.VolumeNotFound(volume));
        }
        return provider;
    }

    /**
     * What carries the snapshots of a volume that is files.
     *
     * @throws ProviderException Conflict where its storage has no streams
     */
    public SnapshotStreams streamsOf(VolumeId volume) throws ProviderException {
        if (of(volume) instanceof SnapshotStreams streams) {
            return streams;
        }
        throw new ProviderException(new ProviderError.Conflict(
                volume.value(),
                "its storage has neither blocks nor streams that a link could carry; name a volume of another one"));
    }

    /** Every snapshot of one volume, in order of id. */
    public List<Snapshot> snapshotsOf(VolumeId volume) throws ProviderException {
        var provider = of(volume);
        var all = new ArrayList<Snapshot>();
        var query = SnapshotQuery.ofVolume(volume);
        for (var page = provider.snapshots(query); ; page = provider.snapshots(query)) {
            all.addAll(page.snapshots());
            if (page.nextCursor().isEmpty()) {
                return all;
            }
            query = query.after(page.nextCursor().orElseThrow());
        }
    }

    @Override
    public void close() {
        byName.values().forEach(StorageProvider::close);
    }
}
