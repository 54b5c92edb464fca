package io.tidemark.replication.live;

import java.nio.ByteBuffer;

/**
 * Digests as drivers have them: XXH3-128 of each block, which no accident makes equal for blocks that differ, and which
 * is no proof against who wants to be believed.
 *
 * @param bytes {@link #DIGEST_BYTES} for each block; not changed by anybody
 */
public record BlockDigests(ByteBuffer bytes) implements Digests {
    public static final int DIGEST_BYTES = 16;

    public BlockDigests {
        bytes = bytes.slice();
        if (bytes.remaining() % DIGEST_BYTES != 0) {
            throw new IllegalArgumentException("%d bytes are no digests".formatted(bytes.remaining()));
        }
    }

    /** A view of its own. */
    @Override
    public ByteBuffer bytes() {
        return bytes.duplicate();
    }

    @Override
    public int count() {
        return bytes.remaining() / DIGEST_BYTES;
    }

    @Override
    public boolean isSame(int block, Digests other) {
        var theirs = ((BlockDigests) other).bytes;
        int at = block * DIGEST_BYTES;
        return bytes.getLong(at) == theirs.getLong(at)
                && bytes.getLong(at + Long.BYTES) == theirs.getLong(at + Long.BYTES);
    }
}
