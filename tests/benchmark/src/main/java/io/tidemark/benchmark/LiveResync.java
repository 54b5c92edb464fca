package io.tidemark.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A copy that is given up and copied in full, beside a copy of the same bytes on the same disk. */
final class LiveResync implements LivePart {
    private static final long SIZE_BYTES = 1L << 30;
    private static final double BYTES_PER_MIB = 1 << 20;

    @Override
    public String name() {
        return "resync";
    }

    @Override
    public String description() {
        return "a resync of 1 GiB after the peer's content was given up, beside cp and fsync on the same disk";
    }

    @Override
    public List<Measure> measure(BenchRun run, LivePair pair, Fio fio) throws Exception {
        var content = run.image("resync", SIZE_BYTES, 3);
        pair.volume("resync", content);
        var link = pair.link("resync", LivePair.Terms.of("C"));
        pair.awaitInStep(link);
        var seconds = run.alternateSamples(() -> resyncSeconds(pair, link), () -> copySeconds(run, content));
        return List.of(Measure.reported(
                "resync of 1 GiB", rate(seconds[0]), "MiB/s", "cp --sparse=never, fsync", rate(seconds[1])));
    }

    private static double rate(double seconds) {
        return SIZE_BYTES / BYTES_PER_MIB / seconds;
    }

    /** From its first byte on: before, the peer keeps what it gives up. */
    private static double resyncSeconds(LivePair pair, LivePair.Link link) throws Exception {
        pair.settle();
        pair.first().client().post("/v1/live-links/%s/invalidations".formatted(link.id()), Map.of("side", "PEER"));
        LivePair.await(
                "the resync begins",
                () -> LivePair.status(pair.first(), link.id())
                        .at("replication")
                        .text()
                        .equals("SYNC_SOURCE"));
        return BenchRun.seconds(() -> pair.awaitInStep(link));
    }

    private static double copySeconds(BenchRun run, Path content) throws Exception {
        var copy = run.scratch().resolve("copy");
        try {
            return BenchRun.seconds(() -> copy(content, copy));
        } finally {
            Files.deleteIfExists(copy);
        }
    }

    private static void copy(Path content, Path copy) throws IOException, InterruptedException, Skipped {
        Tool.of("cp", "coreutils").run("--sparse=never", content, copy);
        Tool.of("sync", "coreutils").run(copy);
    }
}
