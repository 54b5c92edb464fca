package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writers and readers that are open. Guarded by itself. */
final class OpenDevices {
    private static final System.Logger LOG = System.getLogger(OpenDevices.class.getName());

    private final ZfsCommands commands;
    private final Map<VolumeId, ZvolWriter> writers = new HashMap<>();
    private final List<Reader> readers = new ArrayList<>();

    OpenDevices(ZfsCommands commands) {
        this.commands = commands;
    }

    private final class Reader implements SnapshotReader {
        private final SnapshotId snapshot;
        private final BlockDevice device;

        Reader(SnapshotId snapshot, BlockDevice device) {
            this.snapshot = snapshot;
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
            closed(this);
            device.close();
        }
    }

    synchronized SnapshotReader read(SnapshotId snapshot, BlockDevice device) {
        var reader = new Reader(snapshot, device);
        readers.add(reader);
        return reader;
    }

    private synchronized void closed(Reader reader) {
        readers.remove(reader);
    }

    synchronized VolumeWriter write(VolumeId volume, BlockDevice device, int blockBytes) {
        var writer = new ZvolWriter(device, blockBytes, commands, () -> forget(volume, device));
        writers.put(volume, writer);
        return writer;
    }

    private synchronized void forget(VolumeId volume, BlockDevice device) {
        var writer = writers.get(volume);
        if (writer != null && writer.on(device)) {
            writers.remove(volume);
        }
    }

    /** What writers of this process have written lies on the volume when it returns, not only in the kernel's cache. */
    void flush(VolumeId volume) throws ProviderException {
        ZvolWriter writer;
        synchronized (this) {
            writer = writers.get(volume);
        }
        if (writer != null) {
            writer.flush();
        }
    }

    synchronized void refuseWhileWritten(VolumeId volume) throws ProviderException {
        if (writers.containsKey(volume)) {
            throw ZfsErrors.busy(volume, "a writer of this process");
        }
    }

    synchronized void refuseWhileRead(SnapshotId snapshot) throws ProviderException {
        if (readers.stream().anyMatch(each -> each.snapshot.equals(snapshot))) {
            throw ZfsErrors.busy("snapshot " + snapshot, "a reader of this process");
        }
    }

    void close() {
        var all = new ArrayList<AutoCloseable>();
        synchronized (this) {
            all.addAll(writers.values());
            all.addAll(readers);
        }
        for (var each : all) {
            try {
                each.close();
            } catch (Exception e) {
                LOG.log(System.Logger.Level.WARNING, "zfs.close_failed reason={0}", e.getMessage());
            }
        }
    }
}
