package io.tidemark.nativeblock;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/**
 * One pass over a file: what is computed of each block while it is in the cache. Buffers are direct and hold an entry
 * for every block of {@link FileReading#blockSpan}, from their position on, which does not move; entries of blocks
 * between ranges are left alone.
 *
 * @param digests written
 * @param stored compared with
 * @param zeroBits set for blocks that hold nothing but zero bytes
 */
public record FileScan(
        Path file,
        FileReading reading,
        HashAlgorithm algorithm,
        Optional<ByteBuffer> digests,
        Optional<Stored> stored,
        Optional<ByteBuffer> zeroBits) {

    /**
     * Digests from before.
     *
     * @param differingBits set for blocks whose digest is another now
     */
    public record Stored(ByteBuffer digests, ByteBuffer differingBits) {}

    /** What a scan found; blocks are those read. */
    public record Counts(long blocks, long differingBlocks, long zeroBlocks) {}

    public FileScan {
        long blocks = reading.blockSpan();
        if (digests.isPresent()) {
            BlockArguments.checkDigestRoom(blocks, algorithm, digests.get());
        }
        if (stored.isPresent()) {
            BlockArguments.checkStored(blocks, algorithm, stored.get().digests());
            BlockArguments.checkBits(blocks, stored.get().differingBits());
        }
        if (zeroBits.isPresent()) {
            BlockArguments.checkBits(blocks, zeroBits.get());
        }
    }

    /** Digests alone. */
    public static FileScan digests(Path file, FileReading reading, HashAlgorithm algorithm, ByteBuffer digests) {
        return new FileScan(file, reading, algorithm, Optional.of(digests), Optional.empty(), Optional.empty());
    }
}
