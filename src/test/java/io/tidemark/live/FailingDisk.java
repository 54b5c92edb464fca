package io.tidemark.live;

import io.tidemark.export.ExportImage;
import io.tidemark.export.protocol.Extent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** In memory; it fails and waits as it is told. */
final class FailingDisk implements ExportImage {
    private static final int MIB = 1 << 20;
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final ByteBuffer bytes = ByteBuffer.allocate(8 * MIB);
    volatile boolean isBroken;
    volatile boolean isOutOfMemory;
    volatile CountDownLatch flushing = new CountDownLatch(0);
    volatile boolean isClosed;

    private void refuseWhereBroken() throws IOException {
        if (isOutOfMemory) {
            throw new OutOfMemoryError("as the test wishes");
        }
        if (isBroken) {
            throw new IOException("sector 7 is gone");
        }
    }

    @Override
    public long sizeBytes() {
        return bytes.capacity();
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        refuseWhereBroken();
        target.put(bytes.slice((int) offsetBytes, target.remaining()));
    }

    @Override
    public void write(long offsetBytes, ByteBuffer source) throws IOException {
        refuseWhereBroken();
        bytes.duplicate().position((int) offsetBytes).put(source);
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) throws IOException {
        write(offsetBytes, ByteBuffer.allocate((int) lengthBytes));
    }

    @Override
    public void flush() throws IOException {
        try {
            if (!flushing.await(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new IOException("flushed for too long");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        refuseWhereBroken();
    }

    @Override
    public List<Extent> extents(long offsetBytes, long lengthBytes, int maximum) {
        return List.of();
    }

    @Override
    public Optional<FileChannel> file() {
        return Optional.empty();
    }

    @Override
    public void close() {
        isClosed = true;
    }
}
