package io.tidemark.block;

import io.tidemark.nativeblock.HashAlgorithm;
import java.nio.ByteBuffer;

/**
 * The digests of one image, level by level: what two sides need to find where they differ. Level 0 has one digest a
 * block; a digest of level {@code k + 1} is the digest of up to {@link ChecksumTree#FAN_OUT} digests of level
 * {@code k}, one after the other; the top level has one, the root. Held in memory, read from an index file, or asked
 * from a peer: hence the type parameter.
 *
 * @param <E> what goes wrong when digests are fetched; {@link RuntimeException} where nothing can
 */
public interface DigestLevels<E extends Exception> {

    HashAlgorithm algorithm();

    /** At least 1; follows from the number of blocks. */
    int levels();

    /** Number of digests at a level; 0 only at level 0 of an empty image. */
    long count(int level);

    /**
     * Digests {@code [from, from + count)} of a level, one after the other.
     *
     * @param count at most {@link ChecksumTree#MAXIMUM_DIGESTS_PER_CALL}
     * @return a buffer of the caller's own, or read-only, with exactly those bytes remaining
     * @throws IndexOutOfBoundsException when the level has no such digests
     */
    ByteBuffer digests(int level, long from, int count) throws E;

    /** The top digest; of an image without blocks, {@link Digest#ofNothing}. */
    default Digest root() throws E {
        int top = levels() - 1;
        return count(top) == 0 ? Digest.ofNothing(algorithm()) : Digest.take(algorithm(), digests(top, 0, 1));
    }
}
