package io.tidemark.provider.memory;

import io.tidemark.provider.memory.MemoryStorage.StoredSnapshot;
import io.tidemark.provider.memory.MemoryStorage.VolumeBytes;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Volumes in memory: everything the SPI can ask for, at once and without a thread, a file or a clock of its own. The
 * storage outlives the provider; {@link MemoryStorage#crash} makes it forget what was not flushed.
 */
public final class MemoryProvider implements StorageProvider {
    private static final Set<Capability> CAPABILITIES = Capability.ofBlocks();
    private static final Duration BUSY_RETRY = Duration.ofMillis(100);
    private static final int SECTOR_BYTES = 512;

    private final String name;
    private final MemoryStorage storage;
    private final InstantSource clock;
    private final LongSupplier nanos;
    private final List<AutoCloseable> open = new ArrayList<>();

    /** A provider called {@code memory} over storage of its own, on the machine's clocks. */
    public MemoryProvider() {
        this("memory", new MemoryStorage(), InstantSource.system(), System::nanoTime);
    }

    /**
     * @param name the provider's name, which its volumes' ids start with
     * @param nanos monotonic nanoseconds, for the times of cuts
     */
    public MemoryProvider(String name, MemoryStorage storage, InstantSource clock, LongSupplier nanos) {
        this.name = name;
        this.storage = storage;
        this.clock = clock;
        this.nanos = nanos;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<Volume> volumes() {
        synchronized (storage) {
            return storage.volumes.entrySet().stream()
                    .filter(entry -> entry.getKey().provider().equals(name))
                    .map(entry -> describe(entry.getKey(), entry.getValue()))
                    .toList();
        }
    }

    @Override
    public Volume volume(VolumeId volume) throws ProviderException {
        synchronized (storage) {
            return describe(volume, bytesOf(volume));
        }
    }

    @Override
    public Volume create(VolumeId volume, long sizeBytes) throws ProviderException {
        if (sizeBytes < SECTOR_BYTES || sizeBytes % SECTOR_BYTES != 0) {
            throw new IllegalArgumentException("sizeBytes is not a positive multiple of 512: " + sizeBytes);
        }
        synchronized (storage) {
            var existing = storage.volumes.get(volume);
            if (existing == null) {
                existing = new VolumeBytes(new BlockMap(sizeBytes), Optional.empty());
                storage.volumes.put(volume, existing);
            } else if (existing.current.sizeBytes() != sizeBytes
                    || existing.origin.isPresent()
                    || hasSnapshots(volume)) {
                throw new ProviderException(new ProviderError.VolumeExists(volume));
            }
            return describe(volume, existing);
        }
    }

    @Override
    public void remove(VolumeId volume) throws ProviderException {
        synchronized (storage) {
            var bytes = storage.volumes.get(volume);
            if (bytes == null) {
                return;
            }
            refuseWhileWritten(volume, bytes);
            if (hasSnapshots(volume)) {
                throw new ProviderException(new ProviderError.Conflict(volume.toString(), "it has snapshots"));
            }
            storage.volumes.remove(volume);
        }
    }

    @Override
    public CutForecast forecast(List<VolumeId> volumes) throws ProviderException {
        synchronized (storage) {
            var notes = new ArrayList<String>();
            for (var volume : volumes) {
                bytesOf(volume);
                notes.add(volume + ": in memory, at once");
            }
            return new CutForecast(Duration.ZERO, true, notes);
        }
    }

    @Override
    public void prepare(CutRequest request) throws ProviderException {
        forecast(request.volumes());
    }

    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        synchronized (storage) {
            for (var volume : request.volumes()) {
                bytesOf(volume);
            }
            long started = nanos.getAsLong();
            var now = clock.instant();
            var members = new ArrayList<Cut.Member>();
            boolean atomic = true;
            for (var volume : request.volumes()) {
                var id = new SnapshotId(volume, request.recoveryPoint());
                var existing = storage.snapshots.get(id);
                if (existing != null) {
                    // Cut by an earlier call: 0 lies before any freeze, so nobody takes it for this one's instant.
                    members.add(new Cut.Member(existing.snapshot(), 0, 0));
                    atomic = request.volumes().size() == 1;
                    continue;
                }
                var content = bytesOf(volume).current.copy();
                var snapshot = new Snapshot(id, content.sizeBytes(), now);
                storage.snapshots.put(id, StoredSnapshot.of(snapshot, content));
                members.add(new Cut.Member(snapshot, started, nanos.getAsLong()));
            }
            return new Cut(atomic, members);
        }
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        synchronized (storage) {
            stored(snapshot);
            return new Readiness.Ready();
        }
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) {
        synchronized (storage) {
            var page = new ArrayList<Snapshot>();
            var rest = query.cursor()
                    .map(cursor -> storage.snapshots.tailMap(SnapshotId.parse(cursor), false))
                    .orElse(storage.snapshots);
            for (var stored : rest.values()) {
                var id = stored.snapshot().id();
                boolean wanted = id.volume().provider().equals(name)
                        && query.volume().map(id.volume()::equals).orElse(true)
                        && query.recoveryPoint().map(id.recoveryPoint()::equals).orElse(true);
                if (!wanted) {
                    continue;
                }
                if (page.size() == query.limit()) {
                    return new SnapshotPage(
                            page, Optional.of(page.getLast().id().toString()));
                }
                page.add(stored.snapshot());
            }
            return new SnapshotPage(page, Optional.empty());
        }
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        synchronized (storage) {
            var reader = new MemoryReader(snapshot, stored(snapshot).content());
            open.add(reader);
            return reader;
        }
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException {
        synchronized (storage) {
            return MemoryRanges.between(stored(older).content(), stored(newer).content());
        }
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        synchronized (storage) {
            var content = stored(snapshot).content();
            return MemoryRanges.between(new BlockMap(content.sizeBytes()), content);
        }
    }

    @Override
    public Step<Volume> clone(CloneRequest request) throws ProviderException {
        synchronized (storage) {
            var source = stored(request.snapshot());
            var existing = storage.volumes.get(request.name());
            if (existing == null) {
                existing = new VolumeBytes(source.content().copy(), Optional.of(request.snapshot()));
                storage.volumes.put(request.name(), existing);
            } else if (!existing.origin.equals(Optional.of(request.snapshot()))) {
                throw new ProviderException(new ProviderError.VolumeExists(request.name()));
            }
            return new Step.Done<>(describe(request.name(), existing));
        }
    }

    @Override
    public Step<Volume> rollback(SnapshotId snapshot) throws ProviderException {
        synchronized (storage) {
            var stored = stored(snapshot);
            var bytes = bytesOf(snapshot.volume());
            refuseWhileWritten(snapshot.volume(), bytes);
            bytes.replace(stored.content());
            return new Step.Done<>(describe(snapshot.volume(), bytes));
        }
    }

    @Override
    public void refuseWhileOpen(VolumeId volume) throws ProviderException {
        synchronized (storage) {
            refuseWhileWritten(volume, bytesOf(volume));
        }
    }

    @Override
    public VolumeWriter write(VolumeId volume) throws ProviderException {
        synchronized (storage) {
            var bytes = bytesOf(volume);
            refuseWhileWritten(volume, bytes);
            var writer = new MemoryWriter(volume, storage, bytes);
            bytes.writer = writer;
            open.add(writer);
            return writer;
        }
    }

    @Override
    public void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        synchronized (storage) {
            stored(snapshot).holds().add(owner);
        }
    }

    @Override
    public void release(SnapshotId snapshot, HoldOwner owner) {
        synchronized (storage) {
            var stored = storage.snapshots.get(snapshot);
            if (stored != null) {
                stored.holds().remove(owner);
            }
        }
    }

    @Override
    public Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        synchronized (storage) {
            var stored = storage.snapshots.get(snapshot);
            if (stored != null && !stored.holds().isEmpty()) {
                throw new ProviderException(new ProviderError.Held(snapshot, stored.holds()));
            }
            storage.snapshots.remove(snapshot);
            return new Step.Done<>(true);
        }
    }

    @Override
    public Step<?> resume(Handle handle) {
        throw new IllegalArgumentException("provider %s gives no handles: %s".formatted(name, handle));
    }

    @Override
    public void close() {
        synchronized (storage) {
            for (var closeable : open) {
                switch (closeable) {
                    case MemoryReader reader -> reader.close();
                    case MemoryWriter writer -> writer.close();
                    default -> throw new AssertionError("not opened here: " + closeable);
                }
            }
            open.clear();
        }
    }

    private VolumeBytes bytesOf(VolumeId volume) throws ProviderException {
        var bytes = storage.volumes.get(volume);
        if (bytes == null || !volume.provider().equals(name)) {
            throw new ProviderException(new ProviderError.VolumeNotFound(volume));
        }
        return bytes;
    }

    private StoredSnapshot stored(SnapshotId snapshot) throws ProviderException {
        var stored = storage.snapshots.get(snapshot);
        if (stored == null) {
            throw new ProviderException(new ProviderError.SnapshotNotFound(snapshot));
        }
        return stored;
    }

    private boolean hasSnapshots(VolumeId volume) {
        return storage.snapshots.keySet().stream()
                .anyMatch(snapshot -> snapshot.volume().equals(volume));
    }

    private static void refuseWhileWritten(VolumeId volume, VolumeBytes bytes) throws ProviderException {
        if (bytes.writer != null) {
            throw new ProviderException(new ProviderError.Busy(volume.toString(), "a writer that is open", BUSY_RETRY));
        }
    }

    private static Volume describe(VolumeId volume, VolumeBytes bytes) {
        return new Volume(
                volume,
                bytes.current.sizeBytes(),
                CAPABILITIES,
                Optional.empty(),
                List.of(),
                Map.of("method", "memory"));
    }
}
