package io.tidemark.provider.memory;

import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What survives the providers over it, as a disk does: volumes, snapshots and holds. The simulator keeps it while it
 * crashes and restarts the host. Guarded by its own monitor.
 */
public final class MemoryStorage {
    static final Comparator<SnapshotId> BY_ID =
            Comparator.comparing(SnapshotId::volume).thenComparing(SnapshotId::recoveryPoint);

    /** A volume's bytes as writers see them, and as they were at the last flush. */
    static final class VolumeBytes {
        BlockMap current;
        BlockMap durable;
        final Optional<SnapshotId> origin;
        /** Who may write now; one at a time. */
        @Nullable
        Object writer;

        VolumeBytes(BlockMap content, Optional<SnapshotId> origin) {
            this.current = content;
            this.durable = content.copy();
            this.origin = origin;
        }

        void replace(BlockMap content) {
            current = content.copy();
            durable = content.copy();
        }
    }

    /** A snapshot's bytes never change again. */
    record StoredSnapshot(Snapshot snapshot, BlockMap content, Set<HoldOwner> holds) {
        static StoredSnapshot of(Snapshot snapshot, BlockMap content) {
            return new StoredSnapshot(snapshot, content, new TreeSet<>(Comparator.comparing(HoldOwner::value)));
        }
    }

    final Map<VolumeId, VolumeBytes> volumes = new TreeMap<>();
    final TreeMap<SnapshotId, StoredSnapshot> snapshots = new TreeMap<>(BY_ID);

    /** Who holds the snapshot; nobody when there is none. For checks: a host asks its provider. */
    public synchronized Set<HoldOwner> holds(SnapshotId snapshot) {
        var stored = snapshots.get(snapshot);
        return stored == null ? Set.of() : Set.copyOf(stored.holds());
    }

    /** What the volume has now. For checks, like {@link #holds}. */
    public synchronized MemoryContent content(VolumeId volume) {
        return new MemoryContent(existing(volume).current);
    }

    /** Empty when there is no such snapshot. */
    public synchronized Optional<MemoryContent> content(SnapshotId snapshot) {
        return Optional.ofNullable(snapshots.get(snapshot)).map(stored -> new MemoryContent(stored.content()));
    }

    /** Somebody who asks no provider writes to the device, and syncs what was written. */
    public synchronized void overwrite(VolumeId volume, long offsetBytes, ByteBuffer source) {
        var bytes = existing(volume);
        bytes.durable.write(offsetBytes, source.duplicate());
        bytes.current.write(offsetBytes, source.duplicate());
    }

    /** Somebody who asks no provider enlarges the device, as an operator does; it reads as zeros behind its old end. */
    public synchronized void grow(VolumeId volume, long sizeBytes) {
        var bytes = existing(volume);
        bytes.replace(bytes.current.grown(sizeBytes));
    }

    private VolumeBytes existing(VolumeId volume) {
        var bytes = volumes.get(volume);
        if (bytes == null) {
            throw new IllegalArgumentException("no volume " + volume);
        }
        return bytes;
    }

    /**
     * The host's power fails: of the blocks written since a volume's last flush each is kept or lost by the toss of a
     * coin, and no writer is open any more. Whoever still uses a provider over this storage must close it.
     */
    public synchronized void crash(RandomGenerator random) {
        for (var bytes : volumes.values()) {
            var torn = bytes.durable.copy();
            var kept = new ArrayList<Long>();
            bytes.durable.forEachDifference(bytes.current, block -> {
                if (random.nextBoolean()) {
                    kept.add(block);
                }
            });
            kept.forEach(block -> torn.takeBlock(bytes.current, block));
            bytes.replace(torn);
            bytes.writer = null;
        }
    }
}
