package io.tidemark.block;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Passes on what a changed-range source names, and compares some of what it does not name: a source that leaves out a
 * changed block is found out. Some blocks are drawn by chance in each cycle, and a window that moves on from cycle to
 * cycle covers the whole volume in time.
 *
 * <p>The verdict is complete when the ranges have ended. It is about blocks of both images; what lies past the end of
 * the older one is changed in any case.
 */
public final class AuditedRanges implements ChangedRanges {
    private static final int BLOCK_BYTES = ChangedRuns.BLOCK_BYTES;
    /** Compared at once in the window. */
    private static final int CHUNK_BYTES = 1 << 20;

    private static final int CHUNK_BLOCKS = CHUNK_BYTES / BLOCK_BYTES;

    /**
     * What to look at beside the ranges named.
     *
     * @param sampleCount blocks drawn by chance, 0 to {@link #SAMPLES_MAXIMUM}
     * @param windowFromBytes beginning of the window; a multiple of 4 KiB
     * @param windowToBytes end of the window, at most the image's; equal to the beginning for none
     */
    public record Scope(int sampleCount, long windowFromBytes, long windowToBytes) {
        /** More would make a cycle of few changes a matter of its samples: 4,096 are 16 MiB of each image. */
        public static final int SAMPLES_MAXIMUM = 4_096;

        public Scope {
            if (sampleCount < 0 || sampleCount > SAMPLES_MAXIMUM) {
                throw new IllegalArgumentException(
                        "sampleCount is not in 0..%d: %d".formatted(SAMPLES_MAXIMUM, sampleCount));
            }
            if (windowFromBytes % BLOCK_BYTES != 0 || windowFromBytes < 0 || windowToBytes < windowFromBytes) {
                throw new IllegalArgumentException(
                        "window is no run of blocks: %d to %d".formatted(windowFromBytes, windowToBytes));
            }
        }
    }

    private final ChangedRanges ranges;
    private final SnapshotReader older;
    private final SnapshotReader newer;
    private final BlockKernel kernel;
    private final Scope scope;
    private final long commonBytes;
    /** Offsets of the drawn blocks, ascending; those below {@link #nextSample} are passed. */
    private final long[] samples;

    private final ByteBuffer left = ByteBuffer.allocateDirect(CHUNK_BYTES);
    private final ByteBuffer right = ByteBuffer.allocateDirect(CHUNK_BYTES);
    private final ByteBuffer differing = ByteBuffer.allocateDirect(CHUNK_BLOCKS / Byte.SIZE);
    private int nextSample;
    private long passedBytes;
    private boolean ended;
    private long auditedBytes;
    private Optional<BlockRange> leftOut = Optional.empty();

    /** Closes the ranges, not the readers. */
    public AuditedRanges(
            ChangedRanges ranges,
            SnapshotReader older,
            SnapshotReader newer,
            BlockKernel kernel,
            Scope scope,
            RandomGenerator random) {
        this.ranges = ranges;
        this.older = older;
        this.newer = newer;
        this.kernel = kernel;
        this.scope = scope;
        this.commonBytes = Math.min(older.sizeBytes(), newer.sizeBytes()) / BLOCK_BYTES * BLOCK_BYTES;
        long blocks = commonBytes / BLOCK_BYTES;
        this.samples = blocks == 0
                ? new long[0]
                : random.longs(scope.sampleCount(), 0, blocks)
                        .map(block -> block * BLOCK_BYTES)
                        .toArray();
        Arrays.sort(samples);
    }

    /** The first run of blocks found that changed and was not named. */
    public Optional<BlockRange> leftOut() {
        return leftOut;
    }

    /** Compared beside what was named, in each image. */
    public long auditedBytes() {
        return auditedBytes;
    }

    @Override
    public Optional<BlockRange> next() throws ProviderException {
        var range = ranges.next();
        if (range.isPresent()) {
            // A block that is named in part is compared anyway.
            lookAt(passedBytes, range.get().offsetBytes() / BLOCK_BYTES * BLOCK_BYTES);
            long through = Math.ceilDiv(range.get().endBytes(), BLOCK_BYTES) * BLOCK_BYTES;
            passedBytes = Math.max(passedBytes, through);
        } else if (!ended) {
            ended = true;
            lookAt(passedBytes, commonBytes);
        }
        return range;
    }

    private void lookAt(long fromBytes, long toBytes) throws ProviderException {
        long end = Math.min(toBytes, commonBytes);
        if (leftOut.isPresent() || fromBytes >= end) {
            return;
        }
        while (nextSample < samples.length && samples[nextSample] < end) {
            long sample = samples[nextSample++];
            if (sample >= fromBytes) {
                compare(sample, BLOCK_BYTES);
            }
        }
        long at = Math.max(fromBytes, scope.windowFromBytes());
        long windowEnd = Math.min(end, scope.windowToBytes() / BLOCK_BYTES * BLOCK_BYTES);
        while (at < windowEnd && leftOut.isEmpty()) {
            int length = (int) Math.min(CHUNK_BYTES, windowEnd - at);
            compare(at, length);
            at += length;
        }
    }

    private void compare(long offsetBytes, int lengthBytes) throws ProviderException {
        older.read(offsetBytes, left.clear().limit(lengthBytes));
        newer.read(offsetBytes, right.clear().limit(lengthBytes));
        auditedBytes += lengthBytes;
        for (int at = 0; at < differing.capacity(); at++) {
            differing.put(at, (byte) 0);
        }
        if (kernel.diffBlocks(left.flip(), right.flip(), BLOCK_BYTES, differing.clear()) > 0 && leftOut.isEmpty()) {
            leftOut = Optional.of(firstRun(offsetBytes));
        }
    }

    private BlockRange firstRun(long offsetBytes) {
        int first = 0;
        while (!ChunkRuns.bit(differing, first)) {
            first++;
        }
        int end = first + 1;
        while (end < CHUNK_BLOCKS && ChunkRuns.bit(differing, end)) {
            end++;
        }
        return new BlockRange(offsetBytes + (long) first * BLOCK_BYTES, (long) (end - first) * BLOCK_BYTES);
    }

    @Override
    public int granularityBytes() {
        return ranges.granularityBytes();
    }

    @Override
    public Confidence confidence() {
        return ranges.confidence();
    }

    @Override
    public String source() {
        return ranges.source();
    }

    @Override
    public void close() throws ProviderException {
        ranges.close();
    }
}
