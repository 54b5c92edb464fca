package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/** The kernel's contract in the plainest words: every digest is SHA-256, cut to the algorithm's length. */
public final class PlainKernel implements BlockKernel {
    @Override
    public String name() {
        return "plain";
    }

    @Override
    public long diffBlocks(ByteBuffer left, ByteBuffer right, int blockBytes, ByteBuffer differingBits) {
        long found = 0;
        for (int block = 0; (long) block * blockBytes < left.remaining(); block++) {
            if (slice(left, block, blockBytes).mismatch(slice(right, block, blockBytes)) >= 0) {
                set(differingBits, block);
                found++;
            }
        }
        return found;
    }

    @Override
    public long zeroBlocks(ByteBuffer data, int blockBytes, ByteBuffer zeroBits) {
        long found = 0;
        for (int block = 0; (long) block * blockBytes < data.remaining(); block++) {
            var slice = slice(data, block, blockBytes);
            boolean zero = true;
            while (slice.hasRemaining()) {
                zero &= slice.get() == 0;
            }
            if (zero) {
                set(zeroBits, block);
                found++;
            }
        }
        return found;
    }

    @Override
    public long hashBlocks(ByteBuffer data, int blockBytes, HashAlgorithm algorithm, ByteBuffer digests) {
        int block = 0;
        int at = digests.position();
        for (; (long) block * blockBytes < data.remaining(); block++) {
            digests.put(at, digest(slice(data, block, blockBytes), algorithm));
            at += algorithm.digestBytes();
        }
        return block;
    }

    @Override
    public long hashFile(
            Path file, long offsetBytes, long lengthBytes, int blockBytes, HashAlgorithm algorithm, ByteBuffer digests)
            throws IOException {
        var data = ByteBuffer.allocateDirect((int) lengthBytes);
        try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
            while (data.hasRemaining() && channel.read(data, offsetBytes + data.position()) >= 0) {}
        }
        return hashBlocks(data.flip(), blockBytes, algorithm, digests);
    }

    private static byte[] digest(ByteBuffer data, HashAlgorithm algorithm) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            digest.update(data);
            return Arrays.copyOf(digest.digest(), algorithm.digestBytes());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static ByteBuffer slice(ByteBuffer data, int block, int blockBytes) {
        int offset = block * blockBytes;
        return data.slice(data.position() + offset, Math.min(blockBytes, data.remaining() - offset));
    }

    private static void set(ByteBuffer bits, int block) {
        int at = bits.position() + block / 8;
        bits.put(at, (byte) (bits.get(at) | 1 << block % 8));
    }
}
