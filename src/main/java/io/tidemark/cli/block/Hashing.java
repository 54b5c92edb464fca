package io.tidemark.cli.block;

import io.tidemark.block.ByteReader;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.FileRange;
import io.tidemark.nativeblock.FileReading;
import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.ReadBy;
import io.tidemark.nativeblock.ScanControl;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Kernel, threads, pace and progress of one command. All images that it reads share them: the rate is the command's.
 * Closing ends what is under way.
 */
final class Hashing implements AutoCloseable {
    /** How often progress is looked at while a call of the kernel is under way. */
    private static final int POLL_MILLIS = 50;

    private final BlockKernel kernel;
    private final int threadCount;
    private final ReadBy readBy;
    private final ScanControl control;
    private final ExecutorService callers;
    private final AtomicLong skippedBytes = new AtomicLong();

    private Hashing(BlockKernel kernel, int threadCount, ReadBy readBy, ScanControl control) {
        this.kernel = kernel;
        this.threadCount = threadCount;
        this.readBy = readBy;
        this.control = control;
        // One waits in each call that is under way: two at most, one for each image.
        this.callers = Executors.newCachedThreadPool(task -> {
            var thread = new Thread(task, "read-image");
            // A command that fails must not wait for batches nobody wants.
            thread.setDaemon(true);
            return thread;
        });
    }

    static Hashing start(ReadOptions options) throws CommandFailure {
        return new Hashing(
                BlockKernels.best(), options.threads(), options.readBy(), new ScanControl(options.rateLimit()));
    }

    /** A call of the kernel that may take long. */
    @FunctionalInterface
    interface Call {
        void run(ScanControl control) throws IOException;
    }

    BlockKernel kernel() {
        return kernel;
    }

    /** How the last image was read: not always as asked for. */
    ReadBy served() {
        return control.readBy();
    }

    FileReading reading(long baseBytes, List<FileRange> ranges, int blockBytes) {
        return new FileReading(baseBytes, ranges, blockBytes, threadCount, readBy);
    }

    /** Starts the call; {@link #await} for its end. */
    Future<?> submit(String image, Call call) {
        return callers.submit(() -> {
            try {
                call.run(control);
            } catch (HostCallException e) {
                if (e.errno() == HostCallException.ENODATA) {
                    throw new IOException("%s became shorter while it was read".formatted(image), e);
                }
                throw e;
            }
            return image;
        });
    }

    /** What is read of the image beside the kernel's calls keeps the command's rate too; always through the page cache. */
    ByteReader paced(ByteReader image) {
        return new Paced(image, control);
    }

    private record Paced(ByteReader image, ScanControl control) implements ByteReader {
        @Override
        public String name() {
            return image.name();
        }

        @Override
        public long sizeBytes() {
            return image.sizeBytes();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws IOException {
            try {
                control.keepPace(target.remaining());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while reading " + image.name());
            }
            image.read(offsetBytes, target);
        }
    }

    /** Holes count as done. */
    void skipped(long bytes) {
        skippedBytes.addAndGet(bytes);
    }

    void await(Future<?> call, ProgressLine progress) throws IOException {
        while (true) {
            try {
                call.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
                progress.at(doneBytes());
                return;
            } catch (TimeoutException e) {
                progress.at(doneBytes());
            } catch (InterruptedException e) {
                cancel();
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while reading");
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case IOException failed -> throw new IOException(failed.getMessage(), failed);
                    case Error error -> throw error;
                    case RuntimeException mistake -> throw mistake;
                    case null, default -> throw new AssertionError(e);
                }
            }
        }
    }

    private long doneBytes() {
        return control.doneBytes() + skippedBytes.get();
    }

    /** Nobody wants what is under way. */
    void cancel() {
        control.cancel();
    }

    @Override
    public void close() {
        cancel();
        callers.shutdownNow();
    }
}
