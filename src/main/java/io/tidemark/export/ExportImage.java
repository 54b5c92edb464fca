package io.tidemark.export;

import io.tidemark.export.protocol.Extent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.Optional;

/**
 * Bytes behind an export. Ranges given to it lie within the image. Safe for several threads: what two of them write to
 * one place at a time is the one's or the other's, of each block of {@code NbdLimits.BLOCK_BYTES_PREFERRED}.
 */
public interface ExportImage extends AutoCloseable {
    long sizeBytes();

    /** Fills {@code target}, or fails. */
    void read(long offsetBytes, ByteBuffer target) throws IOException;

    /**
     * Writes all of {@code source}; a failure leaves any part of it written.
     *
     * @throws OutOfSpaceException where the storage, or what an overlay may take of it, is used up
     */
    void write(long offsetBytes, ByteBuffer source) throws IOException;

    /** Makes the range read as zeros; with {@code keepSpace} a later write of it cannot run out of space. */
    void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) throws IOException;

    /** On return all that was written before is as durable as this image is. */
    void flush() throws IOException;

    /**
     * What kinds of bytes begin at the offset: one to {@code maximum} runs, no longer together than the range. May call
     * zeros data, never data zeros.
     */
    List<Extent> extents(long offsetBytes, long lengthBytes, int maximum) throws IOException;

    /** A file with all of the bytes, which the kernel can send by itself. */
    Optional<FileChannel> file();

    /** Whether a request waits for storage elsewhere, so that a connection's are to be done side by side. */
    default boolean slow() {
        return false;
    }

    /** Whether several connections may use it as one: what one was told is done is so for all, flushes included. */
    default boolean shared() {
        return true;
    }

    /** Bytes of storage that the image takes for itself: of an overlay. */
    default long ownBytes() {
        return 0;
    }

    /** Reads that wait for the storage fail from now on; before {@link #close}, from any thread. */
    default void ending() {}

    @Override
    void close() throws IOException;
}
