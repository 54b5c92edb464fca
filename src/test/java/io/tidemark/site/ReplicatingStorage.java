package io.tidemark.site;

import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.VolumeId;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** A provider in memory whose storage replicates by itself, as far as its states go; each change takes a second look. */
public final class ReplicatingStorage implements StorageReplication {
    private final MemoryProvider inner;
    private final Map<VolumeId, Status> pairs = new ConcurrentHashMap<>();
    /** What was asked of the storage, in order. */
    public final List<String> asked = new ArrayList<>();
    /** While true, what was begun does not come to its end. */
    public volatile boolean isSlow;

    public ReplicatingStorage(MemoryProvider inner) {
        this.inner = inner;
    }

    public StorageProvider provider() {
        return (StorageProvider) Proxy.newProxyInstance(
                ReplicatingStorage.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class},
                (proxy, method, given) -> {
                    try {
                        return switch (method.getName()) {
                            case "resume" -> resumed((Handle) given[0]);
                            case "ability" ->
                                given[0] == StorageReplication.class ? Optional.of(this) : method.invoke(inner, given);
                            default -> method.invoke(inner, given);
                        };
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Override
    public Status replication(VolumeId volume) throws ProviderException {
        var known = inner.volume(volume).id();
        return pairs.getOrDefault(known, status(volume, State.NONE, List.of()));
    }

    private static Status status(VolumeId volume, State state, List<VolumeId> partners) {
        return new Status(volume, state, partners, List.of(), "a new secondary is needed");
    }

    @Override
    public Step<Status> startReplication(VolumeId primary, VolumeId secondary) {
        asked.add("start %s %s".formatted(primary, secondary));
        pairs.put(primary, status(primary, State.ACTIVE, List.of(secondary)));
        return running(primary);
    }

    @Override
    public Step<Status> stopReplication(VolumeId volume, boolean wholeGroup, boolean newSecondaryAccepted) {
        asked.add("stop %s %s %s".formatted(volume, wholeGroup, newSecondaryAccepted));
        pairs.put(volume, status(volume, State.STOPPED, List.of()));
        return running(volume);
    }

    private Step<Status> running(VolumeId volume) {
        return new Step.Running<>(new Handle(inner.name(), volume.toString()), 0, Duration.ZERO);
    }

    private Step<Status> resumed(Handle handle) throws ProviderException {
        if (isSlow) {
            return running(new VolumeId(handle.token()));
        }
        return new Step.Done<>(replication(new VolumeId(handle.token())));
    }
}
