package io.tidemark.block;

import java.io.IOException;

/** An image that a delta is applied to. */
public interface ImageWriter extends ByteReader, ByteWriter {
    /** Whether the size is the hardware's and not ours to change. */
    boolean fixedSize();

    /** Grows (reading as zeros) or cuts the image; never called when {@link #fixedSize}. */
    void resize(long sizeBytes) throws IOException;

    /** Makes the range read as zeros, releasing its space where the storage can. */
    void writeZeroes(long offsetBytes, long lengthBytes) throws IOException;

    /** When it returns, everything written before survives a power cut. */
    void flush() throws IOException;
}
