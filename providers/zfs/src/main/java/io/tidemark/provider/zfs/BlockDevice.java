package io.tidemark.provider.zfs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.Objects;

/** An open device, as long as its volume says and no longer: ZFS rounds sizes up to whole blocks. */
final class BlockDevice implements AutoCloseable {
    private final Path path;
    private final long sizeBytes;
    private final FileChannel channel;

    private BlockDevice(Path path, long sizeBytes, FileChannel channel) {
        this.path = path;
        this.sizeBytes = sizeBytes;
        this.channel = channel;
    }

    static BlockDevice open(Path path, long sizeBytes, OpenOption... options) throws ProviderException {
        try {
            return new BlockDevice(path, sizeBytes, FileChannel.open(path, options));
        } catch (IOException e) {
            throw failed("opening", path, e);
        }
    }

    Path path() {
        return path;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    void check(long offsetBytes, long lengthBytes) {
        try {
            Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
        } catch (IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("the range leaves the volume: " + e.getMessage(), e);
        }
    }

    void read(long offsetBytes, ByteBuffer target) throws ProviderException {
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
            throw failed("reading", path, e);
        }
    }

    void write(long offsetBytes, ByteBuffer source) throws ProviderException {
        check(offsetBytes, source.remaining());
        try {
            checkOpen();
            long offset = offsetBytes;
            while (source.hasRemaining()) {
                offset += channel.write(source, offset);
            }
        } catch (IOException e) {
            throw failed("writing to", path, e);
        }
    }

    void sync() throws ProviderException {
        try {
            checkOpen();
            channel.force(true);
        } catch (IOException e) {
            throw failed("syncing", path, e);
        }
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
            throw failed("closing", path, e);
        }
    }

    private static ProviderException failed(String doing, Path path, IOException e) {
        var reason = e instanceof ClosedChannelException ? "it is closed" : e.toString();
        return new ProviderException(new ProviderError.Unexpected(doing + " " + path, reason), e);
    }
}
