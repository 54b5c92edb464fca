package io.tidemark.cli.block;

import io.tidemark.block.BlockError;
import io.tidemark.block.BlockException;
import io.tidemark.block.ByteReader;
import io.tidemark.block.DeltaStart;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A delta that came through standard input, in a file that only its owner may read: it is read twice, and wholly
 * checked before the image is changed. From the first change of the image to the last the file is what an application
 * that does not end is finished with, so then it is durable, and stays; at any other time it goes with the command.
 */
final class SpooledDelta implements ByteReader, AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 20;

    private final Path path;
    private final FileChannel channel;
    private final Thread removal;
    private boolean kept;
    private boolean ending;

    private SpooledDelta(HiddenFile file) throws IOException {
        this.path = file.path();
        this.channel = file.channel();
        this.removal = new Thread(this::end, "remove-spooled-delta");
        file.removeAtExit(removal);
    }

    /**
     * Reads the pipe to its end, but no further than a delta that begins so can be long.
     *
     * @param image after which the file is named
     */
    static SpooledDelta receive(InputStream pipe, Path folder, Path image, ProgressLine progress)
            throws IOException, BlockException, CommandFailure {
        var spooled = new SpooledDelta(create(folder, image));
        try {
            spooled.fill(Channels.newChannel(pipe), progress);
            return spooled;
        } catch (IOException | BlockException | CommandFailure e) {
            spooled.close();
            throw e;
        }
    }

    private static HiddenFile create(Path folder, Path image) throws CommandFailure {
        try {
            return HiddenFile.create(folder, image, "delta");
        } catch (IOException e) {
            throw new CommandFailure(
                    BlockExit.INPUT_OUTPUT,
                    "no file for the delta from %s can be made in %s: %s"
                            .formatted(
                                    StandardInput.NAME, folder, Failures.of(e).text()),
                    "name a folder that this user may write to with --spool-folder");
        }
    }

    private void fill(ReadableByteChannel pipe, ProgressLine progress)
            throws IOException, BlockException, CommandFailure {
        var buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
        append(pipe, buffer.limit(DeltaStart.LENGTH_BYTES));
        if (sizeBytes() == 0) {
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    StandardInput.NAME + " ended before the first byte of a delta",
                    "see what the command before the pipe said");
        }
        long maximumBytes = DeltaStart.read(this).maximumBytes();
        while (append(pipe, buffer.clear())) {
            if (sizeBytes() > maximumBytes) {
                throw new BlockException(new BlockError.Damaged(
                        StandardInput.NAME, maximumBytes, "goes on past the most that this delta can have"));
            }
            progress.at(sizeBytes());
        }
    }

    /** Whether the buffer was filled: not at the pipe's end. */
    private boolean append(ReadableByteChannel pipe, ByteBuffer buffer) throws IOException, CommandFailure {
        boolean more = true;
        while (more && buffer.hasRemaining()) {
            more = pipe.read(buffer) >= 0;
        }
        buffer.flip();
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        } catch (IOException e) {
            throw new CommandFailure(
                    BlockExit.INPUT_OUTPUT,
                    "%s took %d bytes of the delta from %s, and no more: %s"
                            .formatted(path, channel.size(), StandardInput.NAME, e.getMessage()),
                    "make room there, or name another folder with --spool-folder; the image is as it was");
        }
        return more;
    }

    /** Before the image is changed: whatever happens now, the delta stays. */
    synchronized Path keep() throws IOException {
        channel.force(true);
        NewFile.syncFolderOf(path);
        if (ending) {
            throw new InterruptedIOException("ended by a signal before the first write");
        }
        kept = true;
        return path;
    }

    /** The image is the result. */
    synchronized void release() {
        kept = false;
    }

    @Override
    public String name() {
        return StandardInput.NAME;
    }

    @Override
    public long sizeBytes() {
        try {
            return channel.size();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
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
    public void close() throws IOException {
        channel.close();
        if (!isKept()) {
            Files.deleteIfExists(path);
        }
        try {
            Runtime.getRuntime().removeShutdownHook(removal);
        } catch (IllegalStateException e) {
            // The process is ending: the hook runs, and finds nothing left to do.
            return;
        }
    }

    private synchronized boolean isKept() {
        return kept;
    }

    /** A signal ends the process; its other threads go on meanwhile. */
    synchronized void end() {
        ending = true;
        try {
            if (kept) {
                System.err.println("tidemark block: the image is between two states; the delta is kept in " + path);
            } else {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            System.err.println("tidemark block: %s could not be removed: %s".formatted(path, e.getMessage()));
        }
    }
}
