package io.tidemark.benchmark;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/** An index of a cached image brought up to date, beside making it anew; start of the processes included. */
final class IndexUpdateBench implements Bench {
    private static final int BLOCK_BYTES = 4096;
    private static final String PEER = "index made anew";

    /** @param divisor one block in so many changed, scattered */
    private record Share(String name, int divisor) {}

    private static final List<Share> SHARES = List.of(
            new Share("update of an index, 1 % changed", 100), new Share("update of an index, 0.01 % changed", 10_000));

    @Override
    public String name() {
        return "index-update";
    }

    @Override
    public String description() {
        return "tidemark block index --update after 1 % and 0.01 % scattered changes, beside index";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        try {
            run.needs(2 * run.sizeBytes());
        } catch (Skipped e) {
            return List.of(Measure.skipped(SHARES.getFirst().name(), PEER, e.reason()));
        }
        var image = run.image("image", run.sizeBytes(), 1);
        var measures = new ArrayList<Measure>();
        for (var share : SHARES) {
            measures.add(measure(run, image, share));
        }
        return measures;
    }

    private static Measure measure(BenchRun run, Path image, Share share) throws Exception {
        var tidemark = Tool.tidemark("block");
        var older = run.scratch().resolve("older");
        var index = run.scratch().resolve("index");
        var delta = run.scratch().resolve("delta");
        tidemark.run("index", image, "-o", older, "--force");
        int count = Math.toIntExact(run.sizeBytes() / BLOCK_BYTES / share.divisor());
        BlockApplyBench.change(image, BenchRun.blockOffsets(count, run.sizeBytes(), share.divisor()), share.divisor());
        tidemark.run("diff", "--base", older, image, "-o", delta, "--force");
        double[] updated = new double[run.rounds()];
        double[] anew = new double[run.rounds()];
        for (int round = 0; round < run.rounds(); round++) {
            Files.copy(older, index, StandardCopyOption.REPLACE_EXISTING);
            updated[round] =
                    BenchRun.seconds(() -> tidemark.run("index", image, "--update", index, "--changed", delta));
            anew[round] = BenchRun.seconds(() -> tidemark.run("index", image, "-o", index, "--force"));
        }
        return Measure.reported(share.name(), BenchRun.median(updated), "s", PEER, BenchRun.median(anew));
    }
}
