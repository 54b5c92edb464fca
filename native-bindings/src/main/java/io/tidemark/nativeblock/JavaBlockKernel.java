package io.tidemark.nativeblock;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** The kernel in Java: serves where the native library cannot load, and is the oracle in its tests. */
public final class JavaBlockKernel implements BlockKernel {
    /** Compared against, piece by piece, to find zeros. */
    private static final MemorySegment ZEROS =
            Arena.global().allocate(64 << 10, Long.BYTES).asReadOnly();

    @Override
    public String name() {
        return "java";
    }

    @Override
    public long diffBlocks(ByteBuffer left, ByteBuffer right, int blockBytes, ByteBuffer differingBits) {
        BlockArguments.checkDiff(left, right, blockBytes, differingBits);
        var ours = MemorySegment.ofBuffer(left);
        var theirs = MemorySegment.ofBuffer(right);
        long length = ours.byteSize();
        long differing = 0;
        for (long at = 0; at < length; ) {
            long mismatch = MemorySegment.mismatch(ours, at, length, theirs, at, length);
            if (mismatch < 0) {
                break;
            }
            long block = (at + mismatch) / blockBytes;
            setBit(differingBits, block);
            differing++;
            at = (block + 1) * blockBytes;
        }
        return differing;
    }

    @Override
    public long zeroBlocks(ByteBuffer data, int blockBytes, ByteBuffer zeroBits) {
        BlockArguments.checkZero(data, blockBytes, zeroBits);
        var segment = MemorySegment.ofBuffer(data);
        long length = segment.byteSize();
        long zero = 0;
        long block = 0;
        for (long at = 0; at < length; at += blockBytes, block++) {
            if (allZero(segment, at, Math.min(at + blockBytes, length))) {
                setBit(zeroBits, block);
                zero++;
            }
        }
        return zero;
    }

    @Override
    public long hashBlocks(ByteBuffer data, int blockBytes, HashAlgorithm algorithm, ByteBuffer digests) {
        BlockArguments.checkHash(data, blockBytes, algorithm, digests);
        var digester = new Digester(algorithm, MemorySegment.ofBuffer(digests));
        digester.addAll(data.duplicate(), blockBytes);
        return digester.blocks;
    }

    @Override
    public FileScan.Counts scanFile(FileScan scan, ScanControl control) throws IOException {
        return new JavaFileScan(this, scan).run(control);
    }

    @Override
    public long compareFiles(FileComparison comparison, ScanControl control) throws IOException {
        return new JavaFileComparison(this, comparison).run(control);
    }

    private static boolean allZero(MemorySegment data, long from, long to) {
        for (long at = from; at < to; at += ZEROS.byteSize()) {
            long length = Math.min(ZEROS.byteSize(), to - at);
            if (MemorySegment.mismatch(data, at, at + length, ZEROS, 0, length) >= 0) {
                return false;
            }
        }
        return true;
    }

    /** Sets in {@code to}, from a bit on, those of the first bits of {@code from} that are set. */
    static void setBits(ByteBuffer from, int count, ByteBuffer to, long first) {
        for (int i = 0; i < count; i++) {
            if ((from.get(i >>> 3) >> (i & 7) & 1) != 0) {
                setBit(to, first + i);
            }
        }
    }

    static void setBit(ByteBuffer bits, long index) {
        int at = bits.position() + (int) (index >>> 3);
        bits.put(at, (byte) (bits.get(at) | 1 << (index & 7)));
    }

    /** Digests, one after the other, into a segment. */
    private static final class Digester {
        private final HashAlgorithm algorithm;
        private final MemorySegment digests;
        private long blocks;

        Digester(HashAlgorithm algorithm, MemorySegment digests) {
            this.algorithm = algorithm;
            this.digests = digests;
        }

        /** Every block of the buffer, which is used up. */
        void addAll(ByteBuffer data, int blockBytes) {
            switch (algorithm) {
                case XXH3_128 -> addXxh3(MemorySegment.ofBuffer(data), blockBytes);
                case SHA_256 -> addSha256(data, blockBytes);
            }
        }

        private void addXxh3(MemorySegment data, int blockBytes) {
            for (long at = 0; at < data.byteSize(); at += blockBytes, blocks++) {
                long length = Math.min(blockBytes, data.byteSize() - at);
                Xxh3.digest(data, at, length, digests, blocks * algorithm.digestBytes());
            }
        }

        private void addSha256(ByteBuffer data, int blockBytes) {
            try {
                var sha256 = MessageDigest.getInstance("SHA-256");
                var digest = new byte[algorithm.digestBytes()];
                int end = data.limit();
                while (data.position() < end) {
                    data.limit(Math.min(end, data.position() + blockBytes));
                    sha256.update(data);
                    sha256.digest(digest, 0, digest.length);
                    var at = blocks * algorithm.digestBytes();
                    MemorySegment.copy(digest, 0, digests, ValueLayout.JAVA_BYTE, at, digest.length);
                    blocks++;
                    data.limit(end);
                }
            } catch (NoSuchAlgorithmException | DigestException e) {
                throw new AssertionError("every Java platform has SHA-256", e);
            }
        }
    }
}
