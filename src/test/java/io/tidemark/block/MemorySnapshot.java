package io.tidemark.block;

import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/** A snapshot's bytes in an array. */
final class MemorySnapshot implements SnapshotReader {
    private final byte[] bytes;

    MemorySnapshot(byte[] bytes) {
        this.bytes = bytes;
    }

    @Override
    public long sizeBytes() {
        return bytes.length;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) {
        target.put(bytes, (int) offsetBytes, target.remaining());
    }

    @Override
    public Optional<Path> path() {
        return Optional.empty();
    }

    @Override
    public void close() {}
}
