package io.tidemark.spi;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/** Bytes of one snapshot. Safe for several threads; closing ends reads in progress with an error. */
public interface SnapshotReader extends AutoCloseable {
    long sizeBytes();

    /**
     * Fills {@code target} from {@code offsetBytes} on, wholly: the range {@code [offsetBytes, +remaining)} must lie
     * within the image. Holes read as zeros.
     *
     * @throws IllegalArgumentException when the range leaves the image
     */
    void read(long offsetBytes, ByteBuffer target) throws ProviderException;

    /** A file or device with the same bytes, where the host has one: a kernel may read it in one pass. */
    Optional<Path> path();

    @Override
    void close() throws ProviderException;
}
