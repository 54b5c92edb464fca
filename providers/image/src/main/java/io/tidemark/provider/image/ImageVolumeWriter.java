package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Writes to an image that nothing else writes. Its monitor is held for each write, so that a sparse copy, which takes
 * time, can keep writes out until it is done.
 */
final class ImageVolumeWriter implements VolumeWriter {
    private static final System.Logger LOG = System.getLogger(ImageVolumeWriter.class.getName());

    private static final int ZERO_CHUNK_BYTES = 1 << 20;

    /**
     * From so many on, Btrfs is asked to write all it has: its fsync looks through all pieces of a file for each of them
     * ({@code log_one_extent}), 0.3 s for 10,000. More than the blocks of 4 KiB between two checkpoints of a first copy,
     * which has to sync often, and is not to write out what others have each time.
     */
    private static final int SCATTERED_WRITES = 4_096;

    private final ImageVolume volume;
    private final long sizeBytes;
    private final FileChannel channel;
    private final Optional<HostCalls> host;
    private final Uses uses;
    private final PastPageCache pastPageCache;
    /** Held while one flush is under way; never by a write. */
    private final Object flushing = new Object();

    /** Guarded by {@code flushing}. */
    private boolean folderSynced;
    /** Since the last flush. */
    private final AtomicLong writes = new AtomicLong();
    /** The kernel tells of bytes that did not reach the storage once, and takes them for written ever after. */
    private volatile @Nullable ProviderException lost;

    private ImageVolumeWriter(
            ImageVolume volume, long sizeBytes, FileChannel channel, Optional<HostCalls> host, Uses uses) {
        this.volume = volume;
        this.sizeBytes = sizeBytes;
        this.channel = channel;
        this.host = host;
        this.uses = uses;
        this.pastPageCache = new PastPageCache(volume.image());
    }

    static ImageVolumeWriter open(ImageVolume volume, Optional<HostCalls> host, Uses uses) throws ProviderException {
        try {
            var channel = FileChannel.open(volume.image(), StandardOpenOption.READ, StandardOpenOption.WRITE);
            var writer = new ImageVolumeWriter(volume, channel.size(), channel, host, uses);
            try {
                uses.add(volume.id(), writer);
                return writer;
            } catch (ProviderException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw Failures.of("opening " + volume.id(), volume.image(), e);
        }
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public synchronized void write(long offsetBytes, ByteBuffer source) throws ProviderException {
        ImageSnapshotReader.checkRange(offsetBytes, source.remaining(), sizeBytes);
        refuseAfterLoss();
        try {
            checkOpen();
            writes.incrementAndGet();
            int direct = pastPageCache.write(offsetBytes, source);
            SparseCopy.writeFully(channel, offsetBytes + direct, source);
        } catch (IOException e) {
            throw failed("writing to ", e);
        }
    }

    @Override
    public synchronized void writeZeroes(BlockRange range) throws ProviderException {
        ImageSnapshotReader.checkRange(range.offsetBytes(), range.lengthBytes(), sizeBytes);
        refuseAfterLoss();
        try {
            checkOpen();
            if (!punched(range)) {
                writeZeroBytes(range);
            }
        } catch (IOException e) {
            throw failed("zeroing in ", e);
        }
    }

    /** False where the host or the file system cannot: then zeros must be written. */
    private boolean punched(BlockRange range) throws IOException {
        if (host.isEmpty()) {
            return false;
        }
        try {
            host.get().punchHole(volume.image(), range.offsetBytes(), range.lengthBytes());
            return true;
        } catch (HostCallException e) {
            if (e.errno() == HostCallException.EOPNOTSUPP) {
                return false;
            }
            throw e;
        }
    }

    private void writeZeroBytes(BlockRange range) throws IOException {
        var zeros = ByteBuffer.allocateDirect((int) Math.min(ZERO_CHUNK_BYTES, range.lengthBytes()));
        long offset = range.offsetBytes();
        while (offset < range.endBytes()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), range.endBytes() - offset));
            int length = zeros.remaining();
            SparseCopy.writeFully(channel, offset, zeros);
            offset += length;
        }
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        ImageSnapshotReader.checkRange(offsetBytes, target.remaining(), sizeBytes);
        ImageSnapshotReader.readFully(channel, offsetBytes, target, volume.image());
    }

    /** @throws ProviderException for good once it has failed, as later writes do: what was written before may be lost */
    @Override
    public void flush() throws ProviderException {
        synchronized (flushing) {
            refuseAfterLoss();
            try {
                checkOpen();
                if (writes.getAndSet(0) >= SCATTERED_WRITES) {
                    writeOutBeforehand();
                }
                // Of the file, whichever channel wrote it.
                channel.force(true);
                if (!folderSynced) {
                    DurableFiles.sync(DurableFiles.folderOf(volume.image()));
                    folderSynced = true;
                }
            } catch (IOException e) {
                var failure = failed("flushing ", e);
                lost = failure;
                throw failure;
            }
        }
    }

    @Override
    public boolean flushesBesideWrites() {
        return true;
    }

    private void refuseAfterLoss() throws ProviderException {
        var earlier = lost;
        if (earlier != null) {
            throw new ProviderException(earlier.error(), earlier);
        }
    }

    /** So that the sync of the file, which alone counts, finds nothing left to write. */
    private void writeOutBeforehand() {
        if (volume.method() == CutMethod.SUBVOLUME && host.isPresent()) {
            try {
                host.get().syncFileSystem(volume.image());
            } catch (IOException e) {
                LOG.log(System.Logger.Level.DEBUG, "image.sync-beforehand-failed volume=" + volume.id(), e);
            }
        }
    }

    /** Not where a cut copies the image: it must keep writes out for as long. */
    @Override
    public Optional<Path> path() {
        return volume.method() == CutMethod.COPY ? Optional.empty() : Optional.of(volume.image());
    }

    @Override
    public synchronized void close() throws ProviderException {
        uses.remove(volume.id(), this);
        try (var direct = pastPageCache) {
            channel.close();
        } catch (IOException e) {
            throw failed("closing ", e);
        }
    }

    private void checkOpen() throws ClosedChannelException {
        if (!channel.isOpen()) {
            throw new ClosedChannelException();
        }
    }

    private ProviderException failed(String doing, IOException failure) {
        return Failures.of(doing + volume.id(), volume.image(), failure);
    }
}
