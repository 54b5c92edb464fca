package io.tidemark.provider.devices;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An open device, as long as its volume says and no longer: storages round sizes up. */
public final class BlockDevice implements AutoCloseable {
    private final Path path;
    private final long sizeBytes;
    private final FileChannel channel;
    /** The kernel tells of bytes that did not reach the storage once, and takes them for written ever after. */
    private volatile @Nullable ProviderException lost;

    private BlockDevice(Path path, long sizeBytes, FileChannel channel) {
        this.path = path;
        this.sizeBytes = sizeBytes;
        this.channel = channel;
    }

    public static BlockDevice open(Path path, long sizeBytes, OpenOption... options) throws ProviderException {
        try {
            return new BlockDevice(path, sizeBytes, FileChannel.open(path, options));
        } catch (IOException e) {
            throw DeviceErrors.of("opening", path, e);
        }
    }

    public Path path() {
        return path;
    }

    public long sizeBytes() {
        return sizeBytes;
    }

    /** @throws IllegalArgumentException where the range leaves the volume */
    public void check(long offsetBytes, long lengthBytes) {
        try {
            Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
        } catch (IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("the range leaves the volume: " + e.getMessage(), e);
        }
    }

    /** Fills the buffer, or fails. */
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        check(offsetBytes, target.remaining());
        try {
            checkOpen();
            long offset = offsetBytes;
            while (target.hasRemaining()) {
                int length = channel.read(target, offset);
                if (length < 0) {
                    throw new ProviderException(
                            new ProviderError.Corrupt(path.toString(), "it ends at byte " + offset));
                }
                offset += length;
            }
        } catch (IOException e) {
            throw DeviceErrors.of("reading", path, e);
        }
    }

    /** Writes all of the buffer, or fails; durable after {@link #sync}. */
    public void write(long offsetBytes, ByteBuffer source) throws ProviderException {
        check(offsetBytes, source.remaining());
        try {
            checkOpen();
            long offset = offsetBytes;
            while (source.hasRemaining()) {
                offset += channel.write(source, offset);
            }
        } catch (IOException e) {
            throw DeviceErrors.of("writing to", path, e);
        }
    }

    /** @throws ProviderException for good once it has failed: what was written before may be lost */
    public void sync() throws ProviderException {
        var earlier = lost;
        if (earlier != null) {
            throw new ProviderException(earlier.error(), earlier);
        }
        try {
            checkOpen();
            channel.force(true);
        } catch (ClosedChannelException e) {
            throw DeviceErrors.of("syncing", path, e);
        } catch (IOException e) {
            var failure = DeviceErrors.of("syncing", path, e);
            lost = failure;
            throw failure;
        }
    }

    public boolean isOpen() {
        return channel.isOpen();
    }

    private void checkOpen() throws ClosedChannelException {
        if (!channel.isOpen()) {
            throw new ClosedChannelException();
        }
    }

    @Override
    public void close() throws ProviderException {
        try {
            channel.close();
        } catch (IOException e) {
            throw DeviceErrors.of("closing", path, e);
        }
    }
}
