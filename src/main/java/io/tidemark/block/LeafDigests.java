package io.tidemark.block;

import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The digests of all blocks of one image, once, in order, span by span; from an index file or from hashing. */
public interface LeafDigests extends AutoCloseable {
    /** For messages. */
    String name();

    HashAlgorithm algorithm();

    ImageGeometry geometry();

    /**
     * Digests of the next span of {@link ImageGeometry#spanBlocks(long)} blocks.
     *
     * @return valid until the next call; empty after the last span
     */
    ByteBuffer nextSpan() throws IOException, BlockException;

    @Override
    void close() throws IOException;
}
