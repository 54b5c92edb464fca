package io.tidemark.benchmark;

import io.tidemark.spi.SnapshotId;
import java.util.List;

/** The same 1,000 changed blocks in a volume of 8 GiB beside one of 1 GiB: the cost must follow the change. */
final class IncrementalSizeBench implements Bench {
    private static final int CHANGED_BLOCKS = 1_000;
    private static final long SMALL_BYTES = 1L << 30;
    private static final long LARGE_BYTES = 8L << 30;
    private static final long FILE_SYSTEM_BYTES = 14L << 30;
    /** One pass takes some 50 ms: too little to time beside whatever else the machine does. */
    private static final int PASSES = 10;

    private static final double GOAL = 1.5;
    private static final String NAME = "finding 1,000 changed blocks in 8 GiB";
    private static final String PEER = "the same in 1 GiB";

    @Override
    public String name() {
        return "incremental-size";
    }

    @Override
    public String description() {
        return "changed blocks of an 8 GiB volume on Btrfs beside those of a 1 GiB one; needs root";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        try {
            run.needs(SMALL_BYTES + LARGE_BYTES + (1L << 30));
            try (var btrfs = LoopBtrfs.mount(run, FILE_SYSTEM_BYTES);
                    var volumes = ImageVolumes.in(btrfs.mountPoint())) {
                return List.of(measure(run, volumes));
            }
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, PEER, e.reason()));
        }
    }

    private static Measure measure(BenchRun run, ImageVolumes volumes) throws Exception {
        var offsets = BenchRun.blockOffsets(CHANGED_BLOCKS, SMALL_BYTES, 3);
        var small = volumes.filled("small", SMALL_BYTES);
        var large = volumes.filled("large", LARGE_BYTES);
        var smallBefore = volumes.cut(small, "rp-1");
        var largeBefore = volumes.cut(large, "rp-1");
        volumes.change(small, offsets, 5);
        volumes.change(large, offsets, 5);
        var smallAfter = volumes.cut(small, "rp-2");
        var largeAfter = volumes.cut(large, "rp-2");
        String source = volumes.source(largeBefore, largeAfter);

        // Once untimed: the base's blocks of both are in the page cache then.
        repeat(volumes, largeBefore, largeAfter);
        repeat(volumes, smallBefore, smallAfter);
        var seconds = run.alternate(
                () -> repeat(volumes, largeBefore, largeAfter), () -> repeat(volumes, smallBefore, smallAfter));

        double millis = 1_000.0 / PASSES;
        return Measure.cost(NAME + " (" + source + ")", seconds[0] * millis, "ms", PEER, seconds[1] * millis, GOAL);
    }

    private static void repeat(ImageVolumes volumes, SnapshotId older, SnapshotId newer) throws Exception {
        for (int pass = 0; pass < PASSES; pass++) {
            volumes.changes(older, newer, changed -> {});
        }
    }
}
