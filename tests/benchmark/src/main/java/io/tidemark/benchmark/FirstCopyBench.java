package io.tidemark.benchmark;

import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** A first full copy of incompressible bytes to another process, durable there, beside a TLS stream alone. */
final class FirstCopyBench implements Bench {
    private static final String NAME = "first copy, durable";
    private static final String PEER = "bare TLS 1.3 stream";
    private static final double GOAL = 0.7;
    private static final double MIB = 1 << 20;

    @Override
    public String name() {
        return "first-copy";
    }

    @Override
    public String description() {
        return "a first copy over TLS on loopback, in memory, beside a bare TLS stream; needs root";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        long size = run.sizeBytes();
        // XFS, which shares blocks and writes its data once: the source, one copy, and what is freed late.
        try (var disk = RamDisk.mount(run, "xfs", 3 * size);
                var volumes = ImageVolumes.in(
                        Files.createDirectories(disk.mountPoint().resolve("source")));
                var sites = TwoSites.in(run, disk.mountPoint(), size)) {
            var snapshot = volumes.cut(volumes.filled("volume", size), "rp-1");
            var copies = new ArrayList<VolumeId>();
            var targets = disk.mountPoint().resolve("target").resolve("volumes");
            BenchRun.Timed copy = () -> {
                var there = VolumeId.of("image", "copy-" + copies.size());
                copies.add(there);
                sites.sync(volumes, snapshot, there, size);
            };
            // Once untimed, each: both processes have compiled what they need then.
            copy.run();
            sites.stream(size);
            var seconds = new double[5][run.rounds()];
            for (int round = 0; round < run.rounds(); round++) {
                removeOld(targets);
                long start = System.currentTimeMillis();
                seconds[3][round] = BenchRun.seconds(copy);
                seconds[0][round] = (sites.target().durableMillis() - start) / 1e3;
                seconds[1][round] = BenchRun.seconds(() -> sites.stream(size));
                removeOld(targets);
                seconds[4][round] = BenchRun.seconds(() -> sites.carry(volumes.path(snapshot)));
                removeOld(targets);
                seconds[2][round] = BenchRun.seconds(() -> write(targets.resolve("plain.raw.bench"), size));
            }
            double mib = size / MIB;
            double ours = mib / BenchRun.median(seconds[0]);
            return List.of(
                    Measure.rate(NAME, ours, "MiB/s", PEER, mib / BenchRun.median(seconds[1]), GOAL),
                    Measure.reported(
                            NAME + " (file to file)",
                            ours,
                            "MiB/s",
                            "bare TLS stream from file to file",
                            mib / BenchRun.median(seconds[4])),
                    Measure.reported("with its snapshot", mib / BenchRun.median(seconds[3]), "MiB/s", NAME, ours),
                    Measure.reported(
                            NAME + " (disk)",
                            ours,
                            "MiB/s",
                            "write and fsync alone",
                            mib / BenchRun.median(seconds[2])));
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, PEER, e.reason()));
        }
    }

    /** What the rounds before left takes memory that the machine does not have. */
    private static void removeOld(Path folder) throws Exception {
        try (var walk = Files.walk(folder)) {
            for (var file : walk.filter(Files::isRegularFile)
                    .filter(file -> Files.isWritable(file) && file.toFile().length() > MIB)
                    .toList()) {
                Files.delete(file);
            }
        }
    }

    private static void write(Path file, long size) throws Exception {
        var chunk = ByteBuffer.allocateDirect(1 << 20);
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (long at = 0; at < size; at += chunk.capacity()) {
                channel.write(chunk.clear());
            }
            channel.force(true);
        }
    }
}
