package io.tidemark.nativeblock;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Computes over blocks. Never decides: whatever the native kernel answers, the Java kernel answers too.
 *
 * <p>Buffers are direct; the range used is {@code [position, limit)} and no method moves either. Block sizes are
 * powers of two from 512 bytes to 16 MiB; the last block of a buffer may be short. Bitmaps have one bit a block, least
 * significant bit first within a byte; bits are only ever set, so one bitmap can collect several calls. All methods
 * may run on any thread and touch no shared state.
 */
public interface BlockKernel {

    /** {@code native} or {@code java}; shown by {@code version} and in benchmarks. */
    String name();

    /**
     * Sets the bit of every block that differs between two buffers of equal length.
     *
     * @return the number of differing blocks
     * @throws IllegalArgumentException for a bad block size, unequal lengths, or a bitmap too small
     */
    long diffBlocks(ByteBuffer left, ByteBuffer right, int blockBytes, ByteBuffer differingBits);

    /**
     * Sets the bit of every block that holds nothing but zero bytes.
     *
     * @return the number of zero blocks
     */
    long zeroBlocks(ByteBuffer data, int blockBytes, ByteBuffer zeroBits);

    /**
     * Writes the digest of every block, one after the other, from the position of {@code digests} on.
     *
     * @return the number of blocks hashed
     */
    long hashBlocks(ByteBuffer data, int blockBytes, HashAlgorithm algorithm, ByteBuffer digests);

    /**
     * Reads {@code lengthBytes} of a file or block device from {@code offsetBytes} on and writes the digest of every
     * block: reading and hashing in one pass. A file that ends inside the range gives a short last block and stops.
     *
     * @param offsetBytes a multiple of {@code blockBytes}
     * @return the number of blocks hashed
     * @throws IOException naming the file when it cannot be opened or read
     */
    long hashFile(
            Path file, long offsetBytes, long lengthBytes, int blockBytes, HashAlgorithm algorithm, ByteBuffer digests)
            throws IOException;
}
