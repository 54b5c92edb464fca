package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HashAlgorithm;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A checksum tree in memory, about 1/256 of an image at the default block size. Two trees of images of equal size,
 * block size and algorithm have equal roots exactly when their blocks have equal digests; size and block size are
 * compared by the caller, so that the shape of both trees is the same and no node can pass for a leaf.
 */
public final class ChecksumTree implements DigestLevels<RuntimeException> {
    /** Digests under one parent. In formats and frames: never change it. A parent is one kernel call of 4 or 8 KiB. */
    public static final int FAN_OUT = 256;

    /** Bound on one fetch: 1 MiB of XXH3 digests, 2 MiB of SHA-256, which stand for 256 MiB of 4 KiB blocks. */
    public static final int MAXIMUM_DIGESTS_PER_CALL = 65_536;

    private final HashAlgorithm algorithm;
    private final List<Level> levels;

    private ChecksumTree(HashAlgorithm algorithm, List<Level> levels) {
        this.algorithm = algorithm;
        this.levels = levels;
    }

    /** The tree over leaves that are all there; the buffer's position moves to its limit. */
    public static ChecksumTree of(BlockKernel kernel, HashAlgorithm algorithm, ByteBuffer leafDigests) {
        var builder = builder(kernel, algorithm);
        builder.append(leafDigests);
        return builder.build();
    }

    public static Builder builder(BlockKernel kernel, HashAlgorithm algorithm) {
        return new Builder(kernel, algorithm);
    }

    /** Number of levels of a tree over so many blocks. */
    public static int levels(long blockCount) {
        int levels = 1;
        for (long count = blockCount; count > 1; count = Math.ceilDiv(count, FAN_OUT)) {
            levels++;
        }
        return levels;
    }

    /** Number of digests at a level of a tree over so many blocks. */
    public static long count(long blockCount, int level) {
        Objects.checkIndex(level, levels(blockCount));
        long count = blockCount;
        for (int i = 0; i < level; i++) {
            count = Math.ceilDiv(count, FAN_OUT);
        }
        return count;
    }

    @Override
    public HashAlgorithm algorithm() {
        return algorithm;
    }

    @Override
    public int levels() {
        return levels.size();
    }

    @Override
    public long count(int level) {
        return levels.get(level).count;
    }

    @Override
    public ByteBuffer digests(int level, long from, int count) {
        checkCall(this, level, from, count);
        return levels.get(level).copy(from, count);
    }

    /** Throws what {@link DigestLevels#digests} promises for a bad request. */
    static void checkCall(DigestLevels<?> tree, int level, long from, int count) {
        Objects.checkIndex(level, tree.levels());
        Objects.checkFromIndexSize(from, count, tree.count(level));
        if (count > MAXIMUM_DIGESTS_PER_CALL) {
            throw new IndexOutOfBoundsException(
                    "%d digests asked, at most %d in one call".formatted(count, MAXIMUM_DIGESTS_PER_CALL));
        }
    }

    /** Collects leaves in order. */
    public static final class Builder {
        private final HashAlgorithm algorithm;
        private final TreeHasher hasher;
        private final List<Level> levels = new ArrayList<>();

        private Builder(BlockKernel kernel, HashAlgorithm algorithm) {
            this.algorithm = algorithm;
            this.hasher = new TreeHasher(kernel, algorithm);
            levels.add(new Level(algorithm.digestBytes()));
        }

        /** Appends leaves; the buffer's position moves to its limit. */
        public void append(ByteBuffer leafDigests) {
            hasher.append(leafDigests, this::keep);
        }

        /** The builder must not be used again. */
        public ChecksumTree build() {
            hasher.finish(this::keep);
            return new ChecksumTree(algorithm, List.copyOf(levels));
        }

        private void keep(int level, ByteBuffer digests) {
            if (level == levels.size()) {
                levels.add(new Level(algorithm.digestBytes()));
            }
            levels.get(level).append(digests);
        }
    }

    /** Digests in chunks, so that no array outgrows 2 GiB and none is copied when it grows. */
    private static final class Level {
        private final int digestBytes;
        private final int chunkBytes;
        private final List<byte[]> chunks = new ArrayList<>();
        private int lastChunkUsedBytes;
        private long count;

        Level(int digestBytes) {
            this.digestBytes = digestBytes;
            this.chunkBytes = MAXIMUM_DIGESTS_PER_CALL * digestBytes;
            this.lastChunkUsedBytes = chunkBytes;
        }

        void append(ByteBuffer digests) {
            count += digests.remaining() / digestBytes;
            while (digests.hasRemaining()) {
                if (lastChunkUsedBytes == chunkBytes) {
                    chunks.add(new byte[chunkBytes]);
                    lastChunkUsedBytes = 0;
                }
                int taken = Math.min(digests.remaining(), chunkBytes - lastChunkUsedBytes);
                digests.get(chunks.getLast(), lastChunkUsedBytes, taken);
                lastChunkUsedBytes += taken;
            }
        }

        ByteBuffer copy(long from, int digestCount) {
            var copy = ByteBuffer.allocate(digestCount * digestBytes);
            long position = from * digestBytes;
            while (copy.hasRemaining()) {
                var chunk = chunks.get((int) (position / chunkBytes));
                int within = (int) (position % chunkBytes);
                int taken = Math.min(copy.remaining(), chunkBytes - within);
                copy.put(chunk, within, taken);
                position += taken;
            }
            return copy.flip();
        }
    }
}
