package io.tidemark.provider.memory;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/** Reads bytes that never change, so it needs no lock. */
final class MemoryReader implements SnapshotReader {
    private final SnapshotId snapshot;
    private final BlockMap content;
    private volatile boolean closed;

    MemoryReader(SnapshotId snapshot, BlockMap content) {
        this.snapshot = snapshot;
        this.content = content;
    }

    @Override
    public long sizeBytes() {
        return content.sizeBytes();
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
        if (closed) {
            throw new ProviderException(new ProviderError.Unexpected("read of " + snapshot, "the reader is closed"));
        }
        checkRange(offsetBytes, target.remaining(), sizeBytes());
        content.read(offsetBytes, target);
    }

    static void checkRange(long offsetBytes, long lengthBytes, long sizeBytes) {
        try {
            Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
        } catch (IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("the range leaves the image: " + e.getMessage(), e);
        }
    }

    @Override
    public Optional<Path> path() {
        return Optional.empty();
    }

    @Override
    public void close() {
        closed = true;
    }
}
