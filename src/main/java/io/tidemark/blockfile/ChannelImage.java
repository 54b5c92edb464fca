package io.tidemark.blockfile;

import io.tidemark.block.ImageWriter;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** Bytes of an open file or device, read and written whole at any place. What else an image can do is the subclass's. */
public abstract class ChannelImage implements ImageWriter, AutoCloseable {
    private final Path path;
    private final FileChannel channel;

    /** @param channel closed with this */
    protected ChannelImage(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /** For calls that open the file themselves, by the name it had. */
    public final Path path() {
        return path;
    }

    protected final FileChannel channel() {
        return channel;
    }

    @Override
    public final String name() {
        return path.toString();
    }

    @Override
    public final long sizeBytes() {
        try {
            return channel.size();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public final void read(long offsetBytes, ByteBuffer target) throws IOException {
        long at = offsetBytes;
        while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count < 0) {
                throw new EOFException("%s ends at byte %d".formatted(path, at));
            }
            at += count;
        }
    }

    @Override
    public final void write(long offsetBytes, ByteBuffer source) throws IOException {
        long at = offsetBytes;
        try {
            while (source.hasRemaining()) {
                at += channel.write(source, at);
            }
        } catch (ClosedChannelException e) {
            throw e;
        } catch (IOException e) {
            throw named(e);
        }
    }

    /** The system's reason alone does not say which file's storage is full. */
    private FileSystemException named(IOException cause) {
        var named = new FileSystemException(path.toString(), null, cause.getMessage());
        named.initCause(cause);
        return named;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
