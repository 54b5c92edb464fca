package io.tidemark.block;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A new file being written, invisible under its name until its owner syncs and publishes it. */
@FunctionalInterface
public interface ByteWriter {
    /** Writes all of {@code source}. */
    void write(long offsetBytes, ByteBuffer source) throws IOException;
}
