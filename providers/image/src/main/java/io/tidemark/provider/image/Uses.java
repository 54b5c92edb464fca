package io.tidemark.provider.image;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Who uses what at the moment: open writers and readers, and snapshots that a comparison needs. Guarded by itself. */
final class Uses {
    /** A writer or a comparison of our own seldom takes longer than one incremental copy. */
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final Map<VolumeId, ImageVolumeWriter> writers = new HashMap<>();
    private final Set<ImageSnapshotReader> readers = new HashSet<>();
    private final Map<SnapshotId, Integer> pins = new HashMap<>();

    synchronized void add(VolumeId volume, ImageVolumeWriter writer) throws ProviderException {
        refuseWhileWritten(volume);
        writers.put(volume, writer);
    }

    synchronized void remove(VolumeId volume, ImageVolumeWriter writer) {
        writers.remove(volume, writer);
    }

    synchronized Optional<ImageVolumeWriter> writer(VolumeId volume) {
        return Optional.ofNullable(writers.get(volume));
    }

    synchronized void refuseWhileWritten(VolumeId volume) throws ProviderException {
        if (writers.containsKey(volume)) {
            throw new ProviderException(new ProviderError.Busy(volume.toString(), "a writer of this process", RETRY));
        }
    }

    synchronized void add(ImageSnapshotReader reader) {
        readers.add(reader);
    }

    synchronized void remove(ImageSnapshotReader reader) {
        readers.remove(reader);
    }

    synchronized void pin(SnapshotId snapshot) {
        pins.merge(snapshot, 1, Integer::sum);
    }

    synchronized void unpin(SnapshotId snapshot) {
        pins.computeIfPresent(snapshot, (id, count) -> count == 1 ? null : count - 1);
    }

    synchronized void refuseWhilePinned(SnapshotId snapshot) throws ProviderException {
        if (pins.containsKey(snapshot)) {
            throw new ProviderException(
                    new ProviderError.Busy("snapshot " + snapshot, "work of this process that reads it", RETRY));
        }
    }

    /** Everything that is still open, for closing. */
    synchronized List<AutoCloseable> open() {
        var open = new ArrayList<AutoCloseable>(writers.values());
        open.addAll(readers);
        return open;
    }
}
