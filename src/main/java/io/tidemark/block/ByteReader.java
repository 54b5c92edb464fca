package io.tidemark.block;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Random access to bytes that are not expected to change meanwhile: an image, an index, a delta. */
public interface ByteReader {
    /** For messages: a path or URL. */
    String name();

    long sizeBytes();

    /**
     * Fills {@code target} from {@code offsetBytes} on, wholly.
     *
     * @throws IOException when the bytes cannot be read, or end before the buffer is full
     */
    void read(long offsetBytes, ByteBuffer target) throws IOException;
}
