package io.tidemark.benchmark;

import io.tidemark.domain.SyncReport;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One block in a hundred changed, sent to another process: without tracking, beside rsync and cat; and with it. All
 * that is read is in the page cache before, for each of them.
 */
final class SyncScatteredBench implements Bench {
    private static final String NAME = "sync of 1 % scattered, compared wholly";
    private static final String INDEXED = "the same, compared with the index of what was sent";
    private static final String TRACKED = "the same, tracked by the storage";
    private static final String TRACKED_COLD = TRACKED + ", nothing cached";
    private static final Map<String, String> WHOLLY = Map.of("changes", "full");
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
                try (var volumes = ImageVolumes.in(source)) {
                    volumes.filled("volume", size);
                    sites.sync(volumes, volumes.cut(volume, "rp-" + Rounds.FIRST), there, size);
                }
                var rounds = new Rounds(
                        source, volume, disk.mountPoint().resolve("target/volumes/copy/volume.img"), there, size);
                var rsyncCopy = disk.mountPoint().resolve("rsync.img");
                var wholly = rounds.kind(
                        sites,
                        WHOLLY,
                        false,
                        (round, older, newer) -> rounds.beside(round, older, newer, rsync, rsyncCopy));
                inTurn(run, wholly);
                var untracked = rounds.kind(sites, WHOLLY, false, Rounds.ALONE);
                var tracked = rounds.kind(sites, Map.of(), false, Rounds.ALONE);
                var untrackedCold = rounds.kind(sites, WHOLLY, true, Rounds.ALONE);
                var trackedCold = rounds.kind(sites, Map.of(), true, rounds::readBlocks);
                inTurn(run, untracked, tracked, untrackedCold, trackedCold);
                double alone = blocksAlone(run, rsyncCopy, size);
                var indexed = rounds.kind(
                        sites.keepingIndexes(disk.mountPoint().resolve("block-indexes")), WHOLLY, false, Rounds.ALONE);
                // The round that is not counted makes the index.
                inTurn(run, indexed);
                return List.of(
                        wholly.cost(NAME, "rsync --inplace", rounds.rsync.median(), RSYNC_GOAL),
                        wholly.cost(NAME, "cat of both snapshots", rounds.cat.median(), CAT_GOAL),
                        Measure.cost(
                                NAME + ": sent",
                                wholly.sentBytes,
                                "B",
                                "blocks changed",
                                rounds.changedBytes,
                                SENT_GOAL),
                        tracked.cost(TRACKED, "compared wholly", untracked.median(), TRACKED_GOAL),
                        trackedCold.cost(TRACKED_COLD, "compared wholly", untrackedCold.median(), TRACKED_GOAL),
                        tracked.reported(TRACKED, "its blocks written, synced", alone),
                        trackedCold.reported(
                                TRACKED_COLD,
                                "its blocks read twice, written, synced",
                                alone + rounds.blocksRead.median()),
                        indexed.reported(INDEXED, "both read", untracked.median()));
            }
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, "rsync --inplace", e.reason()));
        }
    }

    /** An image has more pieces with each round, and more snapshots share them. */
    private static void inTurn(BenchRun run, Rounds.Kind... kinds) throws Exception {
        for (int round = -1; round < run.rounds(); round++) {
            for (var kind : kinds) {
                kind.measure(round);
            }
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

    /** Seconds of each counted round. */
    private static final class Times {
        private final List<Double> seconds = new ArrayList<>();

        /** The first round is not counted: both processes compile then. */
        void add(int round, double taken) {
            if (round >= 0) {
                seconds.add(taken);
            }
        }

        double median() {
            return BenchRun.median(
                    seconds.stream().mapToDouble(Double::doubleValue).toArray());
        }
    }

    /** Each round changes, cuts, and times what is compared with what. */
    private static final class Rounds {
        static final int FIRST = 100;
        static final Beside ALONE = (_, _, _) -> {};
        /** As many requests as a disk takes at once. */
        private static final int READERS = 32;

        private final Path source;
        private final VolumeId volume;
        /** The target's file. */
        private final Path copy;

        private final VolumeId there;
        private final long size;
        private final Times rsync = new Times();
        private final Times cat = new Times();
        private final Times blocksRead = new Times();
        private int point = FIRST;
        private long[] changed = {};
        private double changedBytes;

        /** Of the same two snapshots. */
        @FunctionalInterface
        interface Beside {
            void measure(int round, Path older, Path newer) throws Exception;
        }

        Rounds(Path source, VolumeId volume, Path copy, VolumeId there, long size) {
            this.source = source;
            this.volume = volume;
            this.copy = copy;
            this.there = there;
            this.size = size;
        }

        Kind kind(TwoSites sites, Map<String, String> settings, boolean cold, Beside beside) {
            return new Kind(sites, settings, cold, beside);
        }

        /** One way to find the changed blocks. */
        final class Kind {
            private final TwoSites sites;
            private final Map<String, String> settings;
            /** With nothing of either snapshot in the page cache. */
            private final boolean cold;

            private final Beside beside;
            private final Times times = new Times();
            private double sentBytes;

            Kind(TwoSites sites, Map<String, String> settings, boolean cold, Beside beside) {
                this.sites = sites;
                this.settings = settings;
                this.cold = cold;
                this.beside = beside;
            }

            double median() {
                return times.median();
            }

            Measure cost(String name, String beside, double besideSeconds, double goal) {
                return Measure.cost(name, median(), "s", beside, besideSeconds, goal);
            }

            Measure reported(String name, String beside, double besideSeconds) {
                return Measure.reported(name, median(), "s", beside, besideSeconds);
            }

            void measure(int round) throws Exception {
                try (var volumes = ImageVolumes.in(source, settings)) {
                    var older = new SnapshotId(volume, new RecoveryPointId("rp-" + point));
                    var offsets = BenchRun.blockOffsets((int) (size / BLOCK_BYTES / CHANGED_DIVISOR), size, point);
                    volumes.change(volume, offsets, point);
                    var newer = volumes.cut(volume, "rp-" + ++point);
                    var before = volumes.path(older);
                    var after = volumes.path(newer);
                    changed = offsets;
                    changedBytes = (double) offsets.length * BLOCK_BYTES;
                    // What is not read again would push out of memory what is.
                    evict(volumes.provider().volume(volume).device().orElseThrow());
                    evict(copy);
                    if (cold) {
                        evict(before);
                        evict(after);
                    } else {
                        // A snapshot's pages are cached apart from its volume's; what was read twice stays.
                        for (var read : List.of(before, after, before, after)) {
                            cat(read);
                        }
                    }
                    var report = new SyncReport[1];
                    times.add(
                            round,
                            BenchRun.seconds(() -> report[0] = sites.sync(
                                    volumes,
                                    newer,
                                    there,
                                    size,
                                    older.recoveryPoint().value())));
                    sentBytes = report[0].sentWireBytes();
                    beside.measure(round, before, after);
                    evict(before);
                }
            }
        }

        void beside(int round, Path older, Path newer, Tool rsyncTool, Path rsyncCopy) throws Exception {
            cat(older);
            cat(newer);
            cat.add(round, cat(older) + cat(newer));
            if (round < 0) {
                return;
            }
            Tool.of("cp", "coreutils").run("--reflink=always", older, rsyncCopy);
            cat(rsyncCopy);
            rsync.add(round, BenchRun.seconds(() -> rsyncTool.run("--inplace", "--no-whole-file", newer, rsyncCopy)));
            evict(rsyncCopy);
        }

        /** What no comparison with nothing cached can be faster than, beside the writing: the blocks that changed alone. */
        void readBlocks(int round, Path older, Path newer) throws Exception {
            evict(older);
            evict(newer);
            var next = new AtomicInteger();
            blocksRead.add(round, BenchRun.seconds(() -> {
                try (var threads = Executors.newFixedThreadPool(READERS)) {
                    var readers = Collections.nCopies(READERS, (Callable<Void>) () -> {
                        readAll(next, older, newer);
                        return null;
                    });
                    for (var reader : threads.invokeAll(readers)) {
                        reader.get();
                    }
                }
            }));
        }

        private void readAll(AtomicInteger next, Path older, Path newer) throws IOException {
            var block = ByteBuffer.allocateDirect(BLOCK_BYTES);
            try (var before = FileChannel.open(older);
                    var after = FileChannel.open(newer)) {
                for (int index = next.getAndIncrement(); index < changed.length; index = next.getAndIncrement()) {
                    before.read(block.clear(), changed[index]);
                    after.read(block.clear(), changed[index]);
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
