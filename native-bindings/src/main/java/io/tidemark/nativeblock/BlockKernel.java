package io.tidemark.nativeblock;

import java.io.IOException;
import java.nio.ByteBuffer;

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
     * Reads ranges of a file or block device once, by several threads, and computes whatever is asked for while the
     * bytes are in the cache. Outputs are undefined when it throws.
     *
     * @throws IOException naming the file when it cannot be opened or read; {@link HostCallException} with
     *     {@link HostCallException#ENODATA} when it ends before a range does, with
     *     {@link HostCallException#ECANCELED} when cancelled
     */
    FileScan.Counts scanFile(FileScan scan, ScanControl control) throws IOException;

    /**
     * Compares ranges of two files or block devices, byte by byte; failures as in {@link #scanFile}.
     *
     * @return the number of differing blocks
     */
    long compareFiles(FileComparison comparison, ScanControl control) throws IOException;
}
