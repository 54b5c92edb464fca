package io.tidemark.export;

import io.tidemark.export.protocol.Extent;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A snapshot's bytes: from its file or device where the host has one, else through its provider. */
final class SnapshotImage implements ExportImage {
    /** So long the storage may be busy or away before a read fails. */
    static final Duration RETRY_LIMIT = Duration.ofMinutes(2);

    /** Where the storage does not say when to ask again. */
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);

    private final SnapshotReader reader;
    private final @Nullable FileImage file;
    private final CountDownLatch ending = new CountDownLatch(1);

    private SnapshotImage(SnapshotReader reader, @Nullable FileImage file) {
        this.reader = reader;
        this.file = file;
    }

    /** @param reader closed with this, and when this fails */
    static SnapshotImage of(SnapshotReader reader, Optional<HostCalls> host) throws IOException, ProviderException {
        try {
            var path = reader.path();
            var file = path.isPresent() ? FileImage.open(path.get(), false, host) : null;
            return new SnapshotImage(reader, file);
        } catch (IOException e) {
            reader.close();
            throw e;
        }
    }

    @Override
    public long sizeBytes() {
        return reader.sizeBytes();
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        if (file != null) {
            file.read(offsetBytes, target);
            return;
        }
        int start = target.position();
        long until = System.nanoTime() + RETRY_LIMIT.toNanos();
        while (true) {
            try {
                reader.read(offsetBytes, target);
                return;
            } catch (ProviderException e) {
                if (!mayAskAgain(e.error(), until)) {
                    throw Failures.of(e);
                }
                target.position(start);
            }
        }
    }

    /** Waits until the storage wants to be asked again; false where it is not to be. */
    private boolean mayAskAgain(ProviderError error, long untilNanos) {
        if (!error.retryable()) {
            return false;
        }
        var pause =
                error instanceof ProviderError.Busy busy && busy.retryAfter().isPositive()
                        ? busy.retryAfter()
                        : RETRY_PAUSE;
        if (pause.toNanos() > untilNanos - System.nanoTime()) {
            return false;
        }
        try {
            return !ending.await(pause.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public boolean slow() {
        return file == null;
    }

    @Override
    public void ending() {
        ending.countDown();
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) {
        throw new AssertionError("a snapshot is never written");
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) {
        throw new AssertionError("a snapshot is never written");
    }

    @Override
    public void flush() {
        // Nothing was written.
    }

    @Override
    public List<Extent> extents(long offsetBytes, long lengthBytes, int maximum) throws IOException {
        return file != null ? file.extents(offsetBytes, lengthBytes, maximum) : List.of(new Extent(lengthBytes, false));
    }

    @Override
    public Optional<FileChannel> file() {
        return file != null ? file.file() : Optional.empty();
    }

    @Override
    public void close() throws IOException {
        // The file first: it may be of a device that the reader takes away.
        try {
            if (file != null) {
                file.close();
            }
        } finally {
            closeReader();
        }
    }

    private void closeReader() throws IOException {
        try {
            reader.close();
        } catch (ProviderException e) {
            throw Failures.of(e);
        }
    }
}
