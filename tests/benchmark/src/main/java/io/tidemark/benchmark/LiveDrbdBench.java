package io.tidemark.benchmark;

import io.tidemark.client.Json;
import io.tidemark.system.ground.TidemarkProgram;
import io.tidemark.system.lab.StorageLab;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Protocol C beside DRBD's, both with both peers in one kernel of the storage lab, each peer on a disk of its own of the same
 * kind. DRBD answers a write when it is with both disks, and flushes for a client that asks; ours is durable on both: so
 * DRBD is measured both ways. A process of that kernel pays for each system call and each other thread many times what it
 * pays elsewhere, and DRBD, inside the kernel, does not: our export without a copy tells how much.
 */
final class LiveDrbdBench implements Bench {
    private static final String DRBD = "DRBD 8.4, C";
    private static final String DURABLE = "DRBD 8.4, C, O_DSYNC";
    private static final String DISK = "640M";
    private static final long SIZE_BYTES = 256L << 20;
    private static final long ALONE_BYTES = 16L << 20;
    private static final double MICROS_PER_SECOND = 1e6;
    private static final int MEMORY_MEBIBYTES = 4_096;
    private static final Duration LIMIT = Duration.ofMinutes(20);
    /** Of the lab: it did not boot, or lacks packages. */
    private static final int NO_GUEST = 125;

    /** A kernel in user mode compiles slowly. */
    private static final int WARM_UP_SECONDS = 10;

    private static final List<Integer> DEPTHS = List.of(1, 32);

    @Override
    public String name() {
        return "live-drbd";
    }

    @Override
    public String description() {
        return "protocol C beside DRBD's, both peers of both in one kernel of the storage lab; takes minutes";
    }

    @Override
    public int rounds() {
        return 3;
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        try {
            var fio = Fio.found();
            Tool.of("drbdmeta", "drbd-utils");
            return System.getenv("TIDEMARK_LAB") == null ? inLab(run) : measure(run, fio);
        } catch (Skipped e) {
            return List.of(Measure.skipped(name(), DRBD, e.reason()));
        }
    }

    /** This benchmark again, in the lab; what it measured comes back as JSON. */
    private List<Measure> inLab(BenchRun run) throws IOException, InterruptedException, Skipped {
        var options = new ArrayList<>(List.of("-Xmx256m", "-XX:TieredStopAtLevel=4"));
        for (var property : List.of("tidemark.home", "logback.configurationFile")) {
            Optional.ofNullable(System.getProperty(property))
                    .ifPresent(set -> options.add("-D%s=%s".formatted(property, set)));
        }
        var command = TidemarkProgram.java(
                options,
                BenchMain.class.getName(),
                name(),
                "--json",
                "--rounds",
                Integer.toString(run.rounds()),
                "--seconds",
                Integer.toString(run.seconds()));
        var lab = StorageLab.withDisks(DISK, DISK, DISK, DISK)
                .withMemory(MEMORY_MEBIBYTES)
                .within(LIMIT);
        var result = lab.run(command.toArray(String[]::new));
        var line = result.output()
                .lines()
                .filter(each -> each.startsWith("{\"bench\""))
                .findFirst();
        if (line.isEmpty()) {
            if (result.status() == NO_GUEST) {
                throw new Skipped(result.output().strip());
            }
            throw new IOException("the lab ended with %d and no measures".formatted(result.status()));
        }
        return Json.parse(line.get()).at("measures").items().stream()
                .map(LiveDrbdBench::measure)
                .toList();
    }

    private static Measure measure(Json told) {
        var name = told.at("name").text();
        double ours = told.at("ours").decimal();
        double peer = told.at("peerValue").decimal();
        return told.at("goal").missing()
                ? Measure.reported(
                        name, ours, told.at("unit").text(), told.at("peer").text(), peer)
                : Measure.rate(
                        name, ours, told.at("unit").text(), told.at("peer").text(), peer, 1);
    }

    private static List<Measure> measure(BenchRun run, Fio fio) throws Exception {
        DrbdPair.make("/dev/ubda", "/dev/ubdb");
        var folder = run.scratch().resolve("sites");
        mount(run, "/dev/ubdc", folder.resolve("first"));
        mount(run, "/dev/ubdd", folder.resolve("second"));
        try (var pair = LivePair.direct(folder)) {
            var content = run.image("content", SIZE_BYTES, 5);
            pair.volume("drbd", content);
            pair.volume("plain", content);
            Files.delete(content);
            var plain = pair.export("plain");
            var link = pair.link("drbd", LivePair.Terms.of("C"));
            pair.awaitInStep(link);
            var measures = new ArrayList<Measure>();
            for (int depth : DEPTHS) {
                measures.addAll(measures(run, fio, link.uri(), plain, depth));
            }
            measures.addAll(parts(run, fio, folder.resolve("first").resolve("alone"), measures.getFirst()));
            return measures;
        }
    }

    /** Of a write at depth 1: what that kernel and its disk take from a process, and from two that talk, without a copy. */
    private static List<Measure> parts(BenchRun run, Fio fio, Path file, Measure one) throws Exception {
        double micros = MICROS_PER_SECOND / one.ours();
        double durable = fio.durableWriteMicros(file, ALONE_BYTES, run.seconds());
        try (var roundTrip = RoundTrip.in(run.scratch().resolve("round-trip"))) {
            roundTrip.medianMicros(WARM_UP_SECONDS);
            double trip = roundTrip.medianMicros(run.seconds());
            return List.of(
                    Measure.reported("  time of a write at depth 1", micros, "us", "durable write there", durable),
                    Measure.reported("  time of a write at depth 1", micros, "us", "round trip there", trip));
        }
    }

    private static void mount(BenchRun run, String disk, Path folder)
            throws IOException, InterruptedException, Skipped {
        Files.createDirectories(folder);
        Tool.of("mkfs.ext4", "e2fsprogs").run("-q", disk);
        Tool.of("mount", "mount").run(disk, folder);
        var unmount = Tool.of("umount", "mount");
        run.undo().add(() -> undone(unmount, folder));
    }

    private static void undone(Tool unmount, Path folder) {
        try {
            unmount.run(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static List<Measure> measures(BenchRun run, Fio fio, String uri, String plainUri, int depth)
            throws Exception {
        var work = new Fio.Work("randwrite", "4k", depth, SIZE_BYTES);
        fio.onExport(uri, work, WARM_UP_SECONDS);
        fio.onExport(plainUri, work, 1);
        fio.onDevice(DrbdPair.DEVICE, work, false, 1);
        var ours = new double[run.rounds()];
        var drbd = new double[run.rounds()];
        var durable = new double[run.rounds()];
        var plain = new double[run.rounds()];
        for (int round = 0; round < run.rounds(); round++) {
            ours[round] = fio.onExport(uri, work, run.seconds()).perSecond();
            drbd[round] =
                    fio.onDevice(DrbdPair.DEVICE, work, false, run.seconds()).perSecond();
            plain[round] = fio.onExport(plainUri, work, run.seconds()).perSecond();
            durable[round] =
                    fio.onDevice(DrbdPair.DEVICE, work, true, run.seconds()).perSecond();
        }
        var title = "4 KiB random write, depth %d, in the lab".formatted(depth);
        double rate = BenchRun.median(ours);
        return List.of(
                Measure.rate(title, rate, "/s", DRBD, BenchRun.median(drbd), 1),
                Measure.reported("  the same", rate, "/s", DURABLE, BenchRun.median(durable)),
                Measure.reported("  the same", rate, "/s", "our export without a copy", BenchRun.median(plain)));
    }
}
