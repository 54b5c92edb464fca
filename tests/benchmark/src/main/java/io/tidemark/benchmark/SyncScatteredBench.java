package io.tidemark.benchmark;

import io.tidemark.domain.SyncReport;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One block in a hundred changed, sent to another process: without tracking, beside rsync and cat; and with it. All
 * that is read is in the page cache before, for each of them.
 */
final class SyncScatteredBench implements Bench {
    private static final String NAME = "sync of 1 % scattered, compared wholly";
    private static final String INDEXED = "the same, compared with the index of what was sent";
    private static final String TRACKED = "the same, tracked by the storage";
    private static final int CHANGED_DIVISOR = 100;
    private static final int BLOCK_BYTES = 4096;
    private static final double RSYNC_GOAL = 1.0 / 15;
    private static final double CAT_GOAL = 1.5;
    private static final double TRACKED_GOAL = 0.1;
    private static final double SENT_GOAL = 1.01;

    @Override
    public String name() {
        return "sync-scattered";
    }

    @Override
    public String description() {
        return "1 % scattered changes over TLS to another process, beside rsync, cat, and tracking; needs root";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        long size = run.sizeBytes();
        var volume = VolumeId.of("image", "volume");
        var there = VolumeId.of("image", "copy");
        try (var disk = RamDisk.mount(run, "btrfs", 3 * size)) {
            var rsync = Tool.of("rsync", "rsync");
            var source = Files.createDirectories(disk.mountPoint().resolve("source"));
            try (var sites = TwoSites.in(run, disk.mountPoint(), 1)) {
                var rounds = new Rounds(run, sites, there, size);
                var kept = sites.keepingIndexes(disk.mountPoint().resolve("block-indexes"));
                var indexed = rounds.then(kept);
                try (var volumes = ImageVolumes.in(source, Map.of("changes", "full"))) {
                    volumes.filled("volume", size);
                    sites.sync(volumes, volumes.cut(volume, "rp-100"), there, size);
                    rounds.measure(volumes, volume, rsync, disk.mountPoint().resolve("rsync.img"));
                    // The round that is not counted makes the index.
                    indexed.measure(volumes, volume, null, null);
                }
                var wholly = BenchRun.median(rounds.ours);
                var measures = new ArrayList<>(List.of(
                        Measure.cost(NAME, wholly, "s", "rsync --inplace", BenchRun.median(rounds.rsync), RSYNC_GOAL),
                        Measure.cost(NAME, wholly, "s", "cat of both snapshots", BenchRun.median(rounds.cat), CAT_GOAL),
                        Measure.cost(
                                NAME + ": sent",
                                rounds.sentBytes,
                                "B",
                                "blocks changed",
                                rounds.changedBytes,
                                SENT_GOAL),
                        Measure.reported(INDEXED, BenchRun.median(indexed.ours), "s", "both read", wholly)));
                var tracked = indexed.then(sites);
                var trackedCold = tracked.then(sites).cold();
                try (var volumes = ImageVolumes.in(source)) {
                    tracked.measure(volumes, volume, null, null);
                    trackedCold.measure(volumes, volume, null, null);
                }
                var whollyCold = trackedCold.then(sites).cold();
                try (var volumes = ImageVolumes.in(source, Map.of("changes", "full"))) {
                    whollyCold.measure(volumes, volume, null, null);
                }
                double trackedSeconds = BenchRun.median(tracked.ours);
                double alone = blocksAlone(run, disk.mountPoint().resolve("rsync.img"), size);
                measures.add(Measure.cost(TRACKED, trackedSeconds, "s", "compared wholly", wholly, TRACKED_GOAL));
                measures.add(Measure.cost(
                        TRACKED + ", nothing cached",
                        BenchRun.median(trackedCold.ours),
                        "s",
                        "compared wholly",
                        BenchRun.median(whollyCold.ours),
                        TRACKED_GOAL));
                measures.add(Measure.reported(TRACKED, trackedSeconds, "s", "its blocks written, synced", alone));
                return measures;
            }
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, "rsync --inplace", e.reason()));
        }
    }

    /** What no way of replicating can be faster than: as many scattered blocks, written once and synced. */
    private static double blocksAlone(BenchRun run, Path file, long size) throws Exception {
        var block = ByteBuffer.allocateDirect(BLOCK_BYTES);
        var seconds = new double[run.rounds()];
        for (int round = 0; round < run.rounds(); round++) {
            var offsets = BenchRun.blockOffsets((int) (size / BLOCK_BYTES / CHANGED_DIVISOR), size, round);
            try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                seconds[round] = BenchRun.seconds(() -> {
                    for (long offset : offsets) {
                        channel.write(block.clear(), offset);
                    }
                    channel.force(true);
                });
            }
        }
        return BenchRun.median(seconds);
    }

    /** Each round changes, cuts, and times what is compared with what. */
    private static final class Rounds {
        private final BenchRun run;
        private final TwoSites sites;
        private final VolumeId there;
        private final long size;
        private final double[] ours;
        private final double[] rsync;
        private final double[] cat;
        private int first = 100;
        private boolean cold;
        private double sentBytes;
        private double changedBytes;

        Rounds(BenchRun run, TwoSites sites, VolumeId there, long size) {
            this.run = run;
            this.sites = sites;
            this.there = there;
            this.size = size;
            this.ours = new double[run.rounds()];
            this.rsync = new double[run.rounds()];
            this.cat = new double[run.rounds()];
        }

        /** As many rounds behind these. */
        Rounds then(TwoSites next) {
            var following = new Rounds(run, next, there, size);
            following.first = first + run.rounds() + 1;
            return following;
        }

        /** With nothing of either snapshot in the page cache. */
        Rounds cold() {
            cold = true;
            return this;
        }

        /** The first round is not counted: both processes compile then. */
        void measure(
                ImageVolumes volumes,
                VolumeId volume,
                @org.jspecify.annotations.Nullable Tool rsyncTool,
                @org.jspecify.annotations.Nullable Path rsyncCopy)
                throws Exception {
            for (int round = -1; round < run.rounds(); round++) {
                int number = first + round + 1;
                var older = new SnapshotId(volume, new io.tidemark.spi.RecoveryPointId("rp-" + number));
                var offsets = BenchRun.blockOffsets((int) (size / BLOCK_BYTES / CHANGED_DIVISOR), size, number);
                volumes.change(volume, offsets, number);
                var newer = volumes.cut(volume, "rp-" + (number + 1));
                var before = volumes.path(older);
                var after = volumes.path(newer);
                // What is not read again would push out of memory what is.
                evict(volumes.provider().volume(volume).device().orElseThrow());
                // A snapshot's pages are cached apart from its volume's: without this only who comes second is warm.
                cat(before);
                cat(after);
                double catSeconds = cat(before) + cat(after);
                if (cold) {
                    evict(before);
                    evict(after);
                }
                var report = new SyncReport[1];
                double seconds = BenchRun.seconds(() -> report[0] = sites.sync(
                        volumes, newer, there, size, older.recoveryPoint().value()));
                evict(before);
                if (round < 0) {
                    continue;
                }
                ours[round] = seconds;
                sentBytes = report[0].sentWireBytes();
                changedBytes = (double) offsets.length * BLOCK_BYTES;
                if (rsyncTool != null && rsyncCopy != null) {
                    cat[round] = catSeconds;
                    Tool.of("cp", "coreutils").run("--reflink=always", before, rsyncCopy);
                    cat(after);
                    cat(rsyncCopy);
                    rsync[round] =
                            BenchRun.seconds(() -> rsyncTool.run("--inplace", "--no-whole-file", after, rsyncCopy));
                    evict(rsyncCopy);
                }
            }
        }

        /** By the advice that a read of nothing past the cache gives, see dd(1). */
        private static void evict(Path file) throws Exception {
            Tool.of("dd", "coreutils").run("if=" + file, "iflag=nocache", "count=0", "status=none");
        }

        private static double cat(Path file) throws Exception {
            var process = new ProcessBuilder("cat", file.toString()).redirectOutput(new File("/dev/null"));
            return BenchRun.seconds(() -> process.start().waitFor());
        }
    }
}
