package io.tidemark.agent;

import io.tidemark.block.ChangedBlocks;
import io.tidemark.block.ChangedRun;
import io.tidemark.block.ChangedRuns;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Two snapshots compared wherever they may hold data, where no storage says what changed: segments on several cores,
 * ahead of whoever sends.
 * Gives the same blocks in the same order as one core would. Holds {@value #SEGMENT_BYTES} bytes for each segment that
 * is ahead, two segments and two chunks a core, whatever the volume's size.
 */
final class SegmentComparison implements ChangedRuns {
    /** Large enough that handing it over costs nothing beside reading it, small enough to wait for one. */
    private static final int SEGMENT_BYTES = 2 << 20;

    /** Reading from memory and comparing is bound by the memory's rate: more cores than this add nothing. */
    private static final int CORES_MAXIMUM = 4;

    /** What one core works on, or has finished. */
    private static final class Segment {
        final ByteBuffer data = ByteBuffer.allocateDirect(SEGMENT_BYTES);
        final List<ChangedRun> runs = new ArrayList<>();
        long number;

        @Nullable
        BlockRange range;

        boolean done;
    }

    /** One segment at a time, for a comparer that goes on with the next. */
    private static final class OneSegment implements ChangedRanges {
        private @Nullable BlockRange range;

        @Override
        public int granularityBytes() {
            return BLOCK_BYTES;
        }

        @Override
        public Confidence confidence() {
            return Confidence.COARSE;
        }

        @Override
        public String source() {
            return "full";
        }

        @Override
        public Optional<BlockRange> next() {
            var given = Optional.ofNullable(range);
            range = null;
            return given;
        }

        @Override
        public void close() {}
    }

    /** Guarded, as everything that is not final, by this. */
    private final ChangedRanges ranges;

    private final SnapshotReader older;
    private final SnapshotReader newer;
    private final BlockKernel kernel;
    private final long resumeBytes;
    private final List<Thread> cores = new ArrayList<>();
    private final ArrayDeque<Segment> free = new ArrayDeque<>();
    private final List<Segment> ahead = new ArrayList<>();
    private final List<ChangedBlocks> comparers = new ArrayList<>();
    /** What is left of the range in work, widened to whole blocks. */
    private long fromBytes;

    private long toBytes;
    private boolean ended;
    /** Segments are numbered as they are begun. */
    private long nextToCompare;

    private long nextToGive;
    private @Nullable Segment given;
    private int givenRuns;
    private boolean closed;
    private @Nullable Throwable failure;

    /**
     * Closes the ranges, none of the readers.
     *
     * @param ranges what is compared: all that may hold data in either
     */
    SegmentComparison(
            ChangedRanges ranges, SnapshotReader older, SnapshotReader newer, BlockKernel kernel, long resumeBytes) {
        this.ranges = ranges;
        this.older = older;
        this.newer = newer;
        this.kernel = kernel;
        this.resumeBytes = resumeBytes;
        this.fromBytes = resumeBytes;
        this.toBytes = resumeBytes;
        int count = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, CORES_MAXIMUM);
        for (int index = 0; index < 2 * count; index++) {
            free.add(new Segment());
        }
        for (int index = 0; index < count; index++) {
            cores.add(Thread.ofPlatform()
                    .name("tidemark-compare-" + index)
                    .daemon()
                    .start(this::compare));
        }
    }

    private void compare() {
        try {
            // Here and not before: the memory it takes may not be there, and whoever waits must hear of that.
            var range = new OneSegment();
            var comparer = new ChangedBlocks(range, older, newer, kernel, resumeBytes);
            synchronized (this) {
                comparers.add(comparer);
            }
            for (var segment = take(); segment != null; segment = take()) {
                range.range = segment.range;
                fill(segment, comparer);
                finished(segment);
            }
        } catch (Throwable e) {
            // Not ours to handle: whoever waits for the segment throws it on.
            fail(e);
        }
    }

    private static void fill(Segment segment, ChangedBlocks comparer) throws ProviderException {
        segment.data.clear();
        segment.runs.clear();
        for (var run = comparer.next(); run.isPresent(); run = comparer.next()) {
            var found = run.get();
            if (found.zero()) {
                segment.runs.add(found);
            } else {
                int at = segment.data.position();
                segment.data.put(at, found.data(), found.data().position(), (int) found.lengthBytes());
                segment.data.position(at + (int) found.lengthBytes());
                segment.runs.add(
                        new ChangedRun(found.offsetBytes(), found.lengthBytes(), false, segment.data.slice(at, (int)
                                found.lengthBytes())));
            }
        }
    }

    private synchronized @Nullable Segment take() throws ProviderException {
        try {
            while (free.isEmpty() && !closed) {
                wait();
            }
        } catch (InterruptedException e) {
            return null;
        }
        if (closed || !moreToCompare()) {
            return null;
        }
        var segment = free.remove();
        long end = Math.min(toBytes, (fromBytes / SEGMENT_BYTES + 1) * SEGMENT_BYTES);
        segment.range = new BlockRange(fromBytes, end - fromBytes);
        fromBytes = end;
        segment.number = nextToCompare++;
        segment.done = false;
        ahead.add(segment);
        return segment;
    }

    private boolean moreToCompare() throws ProviderException {
        while (fromBytes >= toBytes && !ended) {
            var range = ranges.next().orElse(null);
            if (range == null) {
                ended = true;
                notifyAll();
            } else {
                // Two ranges may share a block: never take one twice.
                fromBytes = Math.max(toBytes, range.offsetBytes() / BLOCK_BYTES * BLOCK_BYTES);
                toBytes = Math.max(toBytes, Math.min(newer.sizeBytes(), roundUp(range.endBytes())));
            }
        }
        return !ended;
    }

    private static long roundUp(long bytes) {
        return Math.ceilDiv(bytes, BLOCK_BYTES) * BLOCK_BYTES;
    }

    private synchronized void finished(Segment segment) {
        segment.done = true;
        notifyAll();
    }

    private synchronized void fail(Throwable cause) {
        failure = cause;
        notifyAll();
    }

    @Override
    public Optional<ChangedRun> next() throws ProviderException {
        while (true) {
            var segment = given;
            if (segment != null && givenRuns < segment.runs.size()) {
                return Optional.of(segment.runs.get(givenRuns++));
            }
            if (!advance()) {
                return Optional.empty();
            }
        }
    }

    /** Gives the segment back that was given, and waits for the next. */
    private synchronized boolean advance() throws ProviderException {
        if (given != null) {
            free.add(given);
            given = null;
            notifyAll();
        }
        try {
            while (failure == null) {
                if (ended && nextToGive == nextToCompare) {
                    return false;
                }
                var next = finished();
                if (next != null) {
                    ahead.remove(next);
                    given = next;
                    givenRuns = 0;
                    nextToGive++;
                    return true;
                }
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while comparing", e);
        }
        if (failure instanceof ProviderException e) {
            throw e;
        }
        throw new IllegalStateException("comparing failed: " + failure.getMessage(), failure);
    }

    /** The segment that is due, or null while it is in work. */
    private @Nullable Segment finished() {
        for (var segment : ahead) {
            if (segment.done && segment.number == nextToGive) {
                return segment;
            }
        }
        return null;
    }

    @Override
    public synchronized Counts counts() {
        var counts = Counts.NONE;
        for (var comparer : comparers) {
            counts = counts.plus(comparer.counts());
        }
        return counts;
    }

    @Override
    public synchronized long readBytes() {
        long bytes = 0;
        for (int core = 0; core < comparers.size(); core++) {
            bytes += comparers.get(core).readBytes();
        }
        return bytes;
    }

    /** Waits for the reads in work: the readers are closed next. */
    @Override
    public void close() throws ProviderException {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        boolean interrupted = false;
        for (var core : cores) {
            while (core.isAlive()) {
                try {
                    core.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        ranges.close();
    }
}
