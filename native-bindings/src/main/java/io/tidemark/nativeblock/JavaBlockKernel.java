package io.tidemark.nativeblock;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** The kernel in Java: serves where the native library cannot load, and is the oracle in its tests. */
public final class JavaBlockKernel implements BlockKernel {
    /** Read buffer of {@link #hashFile}: stays in a core's second-level cache between reading and hashing. */
    private static final int READ_BYTES = 256 << 10;

    /** Compared against, piece by piece, to find zeros. */
    private static final MemorySegment ZEROS =
            Arena.global().allocate(64 << 10, Long.BYTES).asReadOnly();

    /** {@code S_IFMT} and two of its values, {@code inode(7)}. */
    private static final int FILE_TYPE_MASK = 0xF000;

    private static final int REGULAR_FILE = 0x8000;
    private static final int BLOCK_DEVICE = 0x6000;

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
    public long hashFile(
            Path file, long offsetBytes, long lengthBytes, int blockBytes, HashAlgorithm algorithm, ByteBuffer digests)
            throws IOException {
        BlockArguments.checkFileRange(offsetBytes, lengthBytes, blockBytes, algorithm, digests);
        refuseWhatIsNoFileOrDevice(file);
        var digester = new Digester(algorithm, MemorySegment.ofBuffer(digests));
        try (var channel = FileChannel.open(file, StandardOpenOption.READ);
                var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(Math.min(Math.max(blockBytes, READ_BYTES), Math.max(1, lengthBytes)))
                    .asByteBuffer();
            long end = offsetBytes + lengthBytes;
            for (long at = offsetBytes; at < end; at += buffer.limit()) {
                buffer.clear().limit((int) Math.min(buffer.capacity(), end - at));
                readFully(channel, buffer, at);
                boolean ended = buffer.hasRemaining();
                digester.addAll(buffer.flip(), blockBytes);
                if (ended) {
                    break;
                }
            }
        }
        return digester.blocks;
    }

    private static void refuseWhatIsNoFileOrDevice(Path file) throws IOException {
        if (Files.notExists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            return;
        }
        int type = (Integer) Files.getAttribute(file, "unix:mode") & FILE_TYPE_MASK;
        if (type != REGULAR_FILE && type != BLOCK_DEVICE) {
            throw new IOException(file + " is neither a regular file nor a block device");
        }
    }

    private static void readFully(FileChannel channel, ByteBuffer buffer, long from) throws IOException {
        while (buffer.hasRemaining() && channel.read(buffer, from + buffer.position()) >= 0) {
            // Each turn reads on from where the last one stopped.
        }
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

    private static void setBit(ByteBuffer bits, long index) {
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
