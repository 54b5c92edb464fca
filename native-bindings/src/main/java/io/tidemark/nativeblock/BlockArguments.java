package io.tidemark.nativeblock;

import java.nio.ByteBuffer;

/** The checks of {@link BlockKernel}'s contract, the same for every kernel. */
final class BlockArguments {
    static final int BLOCK_BYTES_MIN = 512;
    static final int BLOCK_BYTES_MAX = 16 << 20;

    private BlockArguments() {}

    static void checkDiff(ByteBuffer left, ByteBuffer right, int blockBytes, ByteBuffer bits) {
        checkInput("left", left);
        checkInput("right", right);
        if (left.remaining() != right.remaining()) {
            throw new IllegalArgumentException(
                    "left has %d bytes, right has %d".formatted(left.remaining(), right.remaining()));
        }
        checkBitmap(left.remaining(), blockBytes, bits);
    }

    static void checkZero(ByteBuffer data, int blockBytes, ByteBuffer bits) {
        checkInput("data", data);
        checkBitmap(data.remaining(), blockBytes, bits);
    }

    static void checkHash(ByteBuffer data, int blockBytes, HashAlgorithm algorithm, ByteBuffer digests) {
        checkInput("data", data);
        checkDigests(data.remaining(), blockBytes, algorithm, digests);
    }

    /** Blocks in a length, a short last one included. */
    static long blockCount(long lengthBytes, int blockBytes) {
        return lengthBytes / blockBytes + (lengthBytes % blockBytes == 0 ? 0 : 1);
    }

    static void checkDigestRoom(long blocks, HashAlgorithm algorithm, ByteBuffer digests) {
        checkOutput("digests", digests);
        checkRoom("digests", blocks, algorithm, digests);
    }

    static void checkStored(long blocks, HashAlgorithm algorithm, ByteBuffer digests) {
        checkInput("stored digests", digests);
        checkRoom("stored digests", blocks, algorithm, digests);
    }

    static void checkBits(long blocks, ByteBuffer bits) {
        checkOutput("bitmap", bits);
        if (bits.remaining() * 8L < blocks) {
            throw new IllegalArgumentException(
                    "bitmap has %d bytes, too few for %d blocks".formatted(bits.remaining(), blocks));
        }
    }

    private static void checkDigests(long lengthBytes, int blockBytes, HashAlgorithm algorithm, ByteBuffer digests) {
        checkBlockBytes(blockBytes);
        checkDigestRoom(blockCount(lengthBytes, blockBytes), algorithm, digests);
    }

    private static void checkRoom(String name, long blocks, HashAlgorithm algorithm, ByteBuffer digests) {
        if (digests.remaining() / algorithm.digestBytes() < blocks) {
            throw new IllegalArgumentException("%s has room for %d bytes, %d blocks need %d each"
                    .formatted(name, digests.remaining(), blocks, algorithm.digestBytes()));
        }
    }

    private static void checkBitmap(long lengthBytes, int blockBytes, ByteBuffer bits) {
        checkBlockBytes(blockBytes);
        checkBits(blockCount(lengthBytes, blockBytes), bits);
    }

    static void checkBlockBytes(int blockBytes) {
        if (blockBytes < BLOCK_BYTES_MIN || blockBytes > BLOCK_BYTES_MAX || Integer.bitCount(blockBytes) != 1) {
            throw new IllegalArgumentException("blockBytes is not a power of two from %d to %d: %d"
                    .formatted(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX, blockBytes));
        }
    }

    private static void checkInput(String name, ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException(name + " is not a direct buffer");
        }
    }

    private static void checkOutput(String name, ByteBuffer buffer) {
        checkInput(name, buffer);
        if (buffer.isReadOnly()) {
            throw new IllegalArgumentException(name + " is read-only");
        }
    }
}
