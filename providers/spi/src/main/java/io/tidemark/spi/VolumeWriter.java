package io.tidemark.spi;

import java.nio.ByteBuffer;

/** Writes to a volume that nothing else writes: a replication target. One thread at a time. */
public interface VolumeWriter extends AutoCloseable {
    long sizeBytes();

    /** Writes all of {@code source} at {@code offsetBytes}; not durable before {@link #flush}. */
    void write(long offsetBytes, ByteBuffer source) throws ProviderException;

    /** Makes the range read as zeros, releasing its space where the storage can. */
    void writeZeroes(BlockRange range) throws ProviderException;

    /** Reads back, as {@link SnapshotReader#read}. */
    void read(long offsetBytes, ByteBuffer target) throws ProviderException;

    /** When it returns, everything written before survives a power cut. */
    void flush() throws ProviderException;

    @Override
    void close() throws ProviderException;
}
