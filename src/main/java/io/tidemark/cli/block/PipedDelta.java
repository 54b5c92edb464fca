package io.tidemark.cli.block;

import io.tidemark.block.DeltaStart;
import io.tidemark.block.ImageGeometry;
import io.tidemark.cli.Terminal;
import io.tidemark.nativeblock.HashAlgorithm;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.Serial;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;

/**
 * A delta written to standard output as it is made. A pipe cannot be gone back in: the header, known last, follows the
 * records, and whoever reads a pipe that ended before it knows that the delta is not whole.
 */
final class PipedDelta implements Output {
    /** Before the next attempt, where whoever made the pipe made it non-blocking and it is full. */
    private static final long FULL_PIPE_PAUSE_MILLIS = 1;

    private final WritableByteChannel pipe;
    private long writtenBytes;
    private @Nullable ByteBuffer header;

    private PipedDelta(WritableByteChannel pipe) {
        this.pipe = pipe;
    }

    /** Standard output takes no more. */
    static final class Broken extends IOException {
        @Serial
        private static final long serialVersionUID = 1L;

        Broken(long writtenBytes, IOException cause) {
            super(
                    "standard output took %d bytes of the delta, and no more: %s"
                            .formatted(writtenBytes, cause.getMessage()),
                    cause);
        }
    }

    static void refuseTerminal() throws CommandFailure {
        if (Terminal.STANDARD_OUTPUT.present()) {
            throw new CommandFailure(
                    BlockExit.USAGE,
                    "standard output is a terminal, and a delta is no text",
                    "add | and the command that takes it, or name a file instead of -");
        }
    }

    /** Not by {@link System#out}, which keeps to itself that a write failed. */
    static PipedDelta toStandardOutput(HashAlgorithm algorithm, ImageGeometry base, ImageGeometry result)
            throws IOException {
        return begin(
                new FileOutputStream(FileDescriptor.out).getChannel(), DeltaStart.streamed(algorithm, base, result));
    }

    /** @param start what goes before the records */
    static PipedDelta begin(WritableByteChannel pipe, ByteBuffer start) throws IOException {
        var delta = new PipedDelta(pipe);
        delta.append(start);
        return delta;
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        if (offsetBytes == 0) {
            header = ByteBuffer.allocate(source.remaining()).put(source).flip();
        } else if (offsetBytes == writtenBytes) {
            append(source);
        } else {
            throw new AssertionError("byte %d was written after %d".formatted(offsetBytes, writtenBytes));
        }
    }

    @Override
    public void publish() throws IOException {
        if (header == null) {
            throw new AssertionError("published without its header");
        }
        append(header);
    }

    /** Standard output ends with the process. */
    @Override
    public void close() {}

    private void append(ByteBuffer bytes) throws IOException {
        try {
            while (bytes.hasRemaining()) {
                int count = pipe.write(bytes);
                writtenBytes += count;
                if (count == 0) {
                    Thread.sleep(FULL_PIPE_PAUSE_MILLIS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Broken(writtenBytes, new InterruptedIOException("interrupted"));
        } catch (IOException e) {
            throw new Broken(writtenBytes, e);
        }
    }
}
