package io.tidemark.provider.lvm;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writers and readers that are open. A snapshot's device is there while somebody reads it. Guarded by itself. */
final class OpenDevices {
    private static final System.Logger LOG = System.getLogger(OpenDevices.class.getName());

    /** A copy of our own seldom takes longer. */
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final LvmCommands commands;
    private final Map<VolumeId, ThinVolumeWriter> writers = new HashMap<>();
    private final Map<SnapshotId, List<Reader>> readers = new HashMap<>();

    OpenDevices(LvmCommands commands) {
        this.commands = commands;
    }

    private final class Reader implements SnapshotReader {
        private final SnapshotId snapshot;
        private final String name;
        private final BlockDevice device;

        Reader(SnapshotId snapshot, String name, BlockDevice device) {
            this.snapshot = snapshot;
            this.name = name;
            this.device = device;
        }

        @Override
        public long sizeBytes() {
            return device.sizeBytes();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
            device.read(offsetBytes, target);
        }

        /** None: the device may be longer than the snapshot, and who reads a path reads all of it. */
        @Override
        public Optional<Path> path() {
            return Optional.empty();
        }

        @Override
        public void close() throws ProviderException {
            device.close();
            closed(this);
        }
    }

    synchronized SnapshotReader read(SnapshotId snapshot, String name, Path device, long sizeBytes)
            throws ProviderException {
        var others = readers.computeIfAbsent(snapshot, _ -> new ArrayList<>());
        try {
            if (others.isEmpty()) {
                commands.activate(name);
            }
            var reader = new Reader(snapshot, name, BlockDevice.open(device, sizeBytes, StandardOpenOption.READ));
            others.add(reader);
            return reader;
        } finally {
            if (others.isEmpty()) {
                readers.remove(snapshot);
            }
        }
    }

    private synchronized void closed(Reader reader) throws ProviderException {
        var others = readers.get(reader.snapshot);
        if (others != null && others.remove(reader) && others.isEmpty()) {
            readers.remove(reader.snapshot);
            commands.deactivate(reader.name);
        }
    }

    synchronized VolumeWriter write(VolumeId volume, BlockDevice device, LogicalVolume pool) {
        var writer = new ThinVolumeWriter(device, pool, commands, () -> forget(volume, device));
        writers.put(volume, writer);
        return writer;
    }

    private synchronized void forget(VolumeId volume, BlockDevice device) {
        var writer = writers.get(volume);
        if (writer != null && writer.on(device)) {
            writers.remove(volume);
        }
    }

    /** What writers of this process have written is on the volumes; for those that have none, nothing is done. */
    void flush(List<VolumeId> volumes) throws ProviderException {
        var open = new ArrayList<ThinVolumeWriter>();
        synchronized (this) {
            for (var volume : volumes) {
                var writer = writers.get(volume);
                if (writer != null) {
                    open.add(writer);
                }
            }
        }
        for (var writer : open) {
            try {
                writer.flush();
            } catch (ProviderException e) {
                // Closed meanwhile, by which it was flushed.
                if (writer.open()) {
                    throw e;
                }
            }
        }
    }

    synchronized void refuseWhileWritten(VolumeId volume) throws ProviderException {
        if (writers.containsKey(volume)) {
            throw new ProviderException(new ProviderError.Busy(volume.toString(), "a writer of this process", RETRY));
        }
    }

    synchronized void refuseWhileRead(SnapshotId snapshot) throws ProviderException {
        if (readers.containsKey(snapshot)) {
            throw new ProviderException(
                    new ProviderError.Busy("snapshot " + snapshot, "a reader of this process", RETRY));
        }
    }

    void close() {
        var all = new ArrayList<AutoCloseable>();
        synchronized (this) {
            all.addAll(writers.values());
            readers.values().forEach(all::addAll);
        }
        for (var each : all) {
            try {
                each.close();
            } catch (Exception e) {
                LOG.log(System.Logger.Level.WARNING, "lvm.close_failed reason={0}", e.getMessage());
            }
        }
    }
}
