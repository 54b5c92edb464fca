package io.tidemark.block;

import io.tidemark.nativeblock.HashAlgorithm;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Where things are in a block-hash index file, version 1: {@code docs/formats/block-index.md}. */
final class BlockIndexFormat {
    static final FixedHeader HEADER = new FixedHeader("TMBINDEX", "block-hash index", 1, 128);

    /** Digests that share one checksum. */
    static final int CHUNK_DIGESTS = 65_536;

    /** Longest digest; shorter ones are followed by zeros where a field has this length. */
    static final int DIGEST_FIELD_BYTES = 32;

    /** Of the root's field in the header. */
    static final int ROOT_OFFSET = 32;

    private static final int CRC_BYTES = Integer.BYTES;

    private final HashAlgorithm algorithm;
    private final long blockCount;
    private final int levels;
    private final long[] levelOffsets;

    BlockIndexFormat(HashAlgorithm algorithm, long blockCount) {
        this.algorithm = algorithm;
        this.blockCount = blockCount;
        this.levels = ChecksumTree.levels(blockCount);
        this.levelOffsets = new long[levels + 1];
        levelOffsets[0] = HEADER.lengthBytes();
        for (int level = 0; level < levels; level++) {
            long digests = ChecksumTree.count(blockCount, level);
            levelOffsets[level + 1] = levelOffsets[level]
                    + digests * algorithm.digestBytes()
                    + Math.ceilDiv(digests, CHUNK_DIGESTS) * CRC_BYTES;
        }
    }

    int levels() {
        return levels;
    }

    long count(int level) {
        return ChecksumTree.count(blockCount, level);
    }

    long fileBytes() {
        return levelOffsets[levels];
    }

    /** Digests in one chunk; the last of a level may hold fewer. */
    int chunkDigests(int level, long chunk) {
        return Math.clamp(count(level) - chunk * CHUNK_DIGESTS, 0, CHUNK_DIGESTS);
    }

    long chunkOffset(int level, long chunk) {
        return levelOffsets[level] + chunk * ((long) CHUNK_DIGESTS * algorithm.digestBytes() + CRC_BYTES);
    }

    /** Bound to the place, so that a chunk that ended up elsewhere does not pass. */
    static int chunkCrc(int level, long chunk, ByteBuffer digests) {
        var crc = new CRC32C();
        crc.update(ByteBuffer.allocate(Integer.BYTES + Long.BYTES)
                .putInt(level)
                .putLong(chunk)
                .flip());
        crc.update(digests);
        return (int) crc.getValue();
    }
}
