package io.tidemark.provider.devices;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writers and readers that are open, of one provider. Guarded by itself. */
public final class OpenDevices {
    private static final System.Logger LOG = System.getLogger(OpenDevices.class.getName());

    /** A copy of our own seldom takes longer. */
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final Map<VolumeId, DeviceWriter> writers = new HashMap<>();
    private final Map<SnapshotId, List<Reader>> readers = new HashMap<>();

    /** Makes a snapshot's device for its readers. Called with the lock held, one call at a time. */
    public interface Activation {
        /** For a storage whose snapshots have their devices anyway. */
        Activation NONE = new Activation() {
            @Override
            public void begin() {}

            @Override
            public void end() {}
        };

        /** Before the first reader's device is opened. */
        void begin() throws ProviderException;

        /** After the last one's is closed. */
        void end() throws ProviderException;
    }

    /** Opens a device. */
    public interface Opening {
        BlockDevice open() throws ProviderException;
    }

    private final class Reader implements SnapshotReader {
        private final SnapshotId snapshot;
        private final BlockDevice device;
        private final Activation activation;

        Reader(SnapshotId snapshot, BlockDevice device, Activation activation) {
            this.snapshot = snapshot;
            this.device = device;
            this.activation = activation;
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
            try {
                device.close();
            } finally {
                closed(this);
            }
        }
    }

    public synchronized SnapshotReader read(SnapshotId snapshot, Activation activation, Opening opening)
            throws ProviderException {
        var others = readers.computeIfAbsent(snapshot, _ -> new ArrayList<>());
        try {
            if (others.isEmpty()) {
                activation.begin();
            }
            var reader = new Reader(snapshot, opening.open(), activation);
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
            reader.activation.end();
        }
    }

    public synchronized VolumeWriter write(VolumeId volume, BlockDevice device, Storage storage) {
        var writer = new DeviceWriter(device, storage, () -> forget(volume, device));
        writers.put(volume, writer);
        return writer;
    }

    private synchronized void forget(VolumeId volume, BlockDevice device) {
        var writer = writers.get(volume);
        if (writer != null && writer.on(device)) {
            writers.remove(volume);
        }
    }

    /** What writers of this process have written lies on the volumes when it returns, not only in the kernel's cache. */
    public void flush(Collection<VolumeId> volumes) throws ProviderException {
        var open = new ArrayList<DeviceWriter>();
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
                // Closed meanwhile: the kernel writes out what a device still has when nobody has it open any more.
                if (writer.isOpen()) {
                    throw e;
                }
            }
        }
    }

    public synchronized void refuseWhileWritten(VolumeId volume) throws ProviderException {
        if (writers.containsKey(volume)) {
            throw new ProviderException(new ProviderError.Busy(volume.toString(), "a writer of this process", RETRY));
        }
    }

    public synchronized void refuseWhileRead(SnapshotId snapshot) throws ProviderException {
        if (readers.containsKey(snapshot)) {
            throw new ProviderException(
                    new ProviderError.Busy("snapshot " + snapshot, "a reader of this process", RETRY));
        }
    }

    /** Ends every reader and writer; what fails is logged. */
    public void close() {
        var all = new ArrayList<AutoCloseable>();
        synchronized (this) {
            all.addAll(writers.values());
            readers.values().forEach(all::addAll);
        }
        for (var each : all) {
            try {
                each.close();
            } catch (Exception e) {
                LOG.log(System.Logger.Level.WARNING, "devices.close_failed reason={0}", e.getMessage());
            }
        }
    }
}
