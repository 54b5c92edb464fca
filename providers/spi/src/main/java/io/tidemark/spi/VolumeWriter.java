package io.tidemark.spi;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

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

    /**
     * Whether one thread may call {@link #flush} while another writes; what was written before it was called is durable
     * when it returns, of what is written meanwhile nothing is said.
     */
    default boolean flushesBesideWrites() {
        return false;
    }

    /**
     * A file or device with the same bytes, where whoever has this writer may read and write past it, from several
     * threads, while it is open: {@link #flush} is for those bytes too, and a cut while they are written is as consistent
     * as a power cut would be. Empty where the storage has to see every write.
     */
    default Optional<Path> path() {
        return Optional.empty();
    }

    @Override
    void close() throws ProviderException;
}
