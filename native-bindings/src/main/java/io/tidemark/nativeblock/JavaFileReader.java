package io.tidemark.nativeblock;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Reads ranges of files piece by piece with several threads, as {@code work.c} does; always through a buffer. */
final class JavaFileReader {
    /** Stays in a core's second-level cache between reading and computing. */
    private static final int PIECE_BYTES = 256 << 10;

    /** {@code S_IFMT} and two of its values, {@code inode(7)}. */
    private static final int FILE_TYPE_MASK = 0xF000;

    private static final int REGULAR_FILE = 0x8000;
    private static final int BLOCK_DEVICE = 0x6000;

    /** Computes over one piece, on several threads at once. */
    @FunctionalInterface
    interface Take {
        /** @param data of each file; valid during the call */
        void piece(long offsetBytes, List<ByteBuffer> data);
    }

    private final List<Path> files;
    private final FileReading reading;
    private final ScanControl control;
    private final Take take;
    private final int pieceBytes;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    /** Guarded by this. */
    private int nextRange;

    /** Guarded by this. */
    private long withinBytes;

    JavaFileReader(List<Path> files, FileReading reading, ScanControl control, Take take) {
        this.files = files;
        this.reading = reading;
        this.control = control;
        this.take = take;
        this.pieceBytes = Math.max(PIECE_BYTES, reading.blockBytes());
    }

    /** Reads all ranges, or throws what the first thread that failed threw. */
    void run() throws IOException {
        control.readBy(ReadBy.BUFFERED);
        var channels = new ArrayList<FileChannel>();
        try {
            for (var file : files) {
                refuseWhatIsNoFileOrDevice(file);
                channels.add(FileChannel.open(file, StandardOpenOption.READ));
            }
            runThreads(channels);
        } finally {
            for (var channel : channels) {
                channel.close();
            }
        }
        switch (failure.get()) {
            case null -> {}
            case IOException failed -> throw failed;
            case RuntimeException mistake -> throw mistake;
            case Error error -> throw error;
            case Throwable other -> throw new AssertionError(other);
        }
    }

    private void runThreads(List<FileChannel> channels) throws IOException {
        var threads = new ArrayList<Thread>();
        for (int i = 1; i < reading.threads(); i++) {
            threads.add(Thread.ofPlatform().daemon().name("read-blocks").start(() -> readAll(channels)));
        }
        readAll(channels);
        try {
            for (var thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failure.compareAndSet(null, new InterruptedIOException("interrupted while reading " + files));
        }
    }

    private void readAll(List<FileChannel> channels) {
        try {
            var buffers = channels.stream()
                    .map(channel -> ByteBuffer.allocateDirect(pieceBytes))
                    .toList();
            for (var piece = next(); piece != null && failure.get() == null; piece = next()) {
                read(piece, channels, buffers);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failure.compareAndSet(null, new InterruptedIOException("interrupted while reading " + files));
        } catch (Throwable e) {
            // Errors too: a thread that ended without a word would leave its piece out of the answer.
            failure.compareAndSet(null, e);
        }
    }

    private void read(FileRange piece, List<FileChannel> channels, List<ByteBuffer> buffers)
            throws IOException, InterruptedException {
        control.keepPace(piece.lengthBytes() * channels.size());
        if (control.cancelled()) {
            throw new HostCallException("reading", files.getFirst(), HostCallException.ECANCELED);
        }
        for (int i = 0; i < channels.size(); i++) {
            var buffer = buffers.get(i).clear().limit((int) piece.lengthBytes());
            readFully(channels.get(i), files.get(i), buffer, piece.offsetBytes());
            buffer.flip();
        }
        take.piece(piece.offsetBytes(), buffers);
        control.done(piece.lengthBytes());
    }

    private synchronized @Nullable FileRange next() {
        if (nextRange == reading.ranges().size()) {
            return null;
        }
        var range = reading.ranges().get(nextRange);
        var piece = new FileRange(
                range.offsetBytes() + withinBytes, Math.min(pieceBytes, range.lengthBytes() - withinBytes));
        withinBytes += piece.lengthBytes();
        if (withinBytes == range.lengthBytes()) {
            nextRange++;
            withinBytes = 0;
        }
        return piece;
    }

    private static void refuseWhatIsNoFileOrDevice(Path file) throws IOException {
        if (Files.notExists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            return;
        }
        int type = (Integer) Files.getAttribute(file, "unix:mode") & FILE_TYPE_MASK;
        if (type != REGULAR_FILE && type != BLOCK_DEVICE) {
            throw new IOException(file + " is neither a regular file nor a block device");
        }
    }

    private static void readFully(FileChannel channel, Path file, ByteBuffer buffer, long from) throws IOException {
        long at = from;
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer, at);
            if (count < 0) {
                throw new HostCallException("reading", file, HostCallException.ENODATA);
            }
            at += count;
        }
    }
}
