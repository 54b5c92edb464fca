package io.tidemark.benchmark;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.ReadBy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The engine's index of a cached image beside a bare loop in C over a mapping of it, with as many threads. */
final class EngineIndexBench implements Bench {
    private static final double GOAL = 0.8;
    private static final String NAME = "index of a cached image, engine alone";
    private static final String PEER = "bare C loop over mmap";
    private static final String SOURCE = "mapped_hash.c";

    @Override
    public String name() {
        return "engine-index";
    }

    @Override
    public String description() {
        return "index of a cached image by the engine, beside a C loop over mmap with the same hash and threads";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        Tool loop;
        try {
            run.needs(run.sizeBytes());
            loop = compiled(run.scratch());
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, PEER, e.reason()));
        }
        var image = run.image("image", run.sizeBytes(), 1);
        var build = new IndexBuild(image, run.scratch().resolve("index"), run.sizeBytes());
        // Both once before: the image is cached, our code is compiled.
        build.run(ReadBy.MAPPED);
        loop.output(image, IndexBuild.threads());

        var seconds = run.alternateSamples(
                () -> BenchRun.seconds(() -> build.run(ReadBy.MAPPED)),
                () -> Double.parseDouble(
                        loop.output(image, IndexBuild.threads()).strip()));

        double gibibytes = run.sizeBytes() / (double) (1L << 30);
        return List.of(Measure.rate(NAME, gibibytes / seconds[0], "GiB/s", PEER, gibibytes / seconds[1], GOAL));
    }

    private static Tool compiled(Path folder) throws Skipped, IOException, InterruptedException {
        var reason = BlockKernels.unavailableReason();
        if (reason.isPresent()) {
            throw new Skipped("no native library: " + reason.get());
        }
        var gcc = Tool.of("gcc", "gcc libc6-dev libxxhash-dev");
        var program = folder.resolve("mapped_hash");
        try (var source = EngineIndexBench.class.getResourceAsStream(SOURCE)) {
            if (source == null) {
                throw new AssertionError("no resource " + SOURCE);
            }
            Files.copy(source, folder.resolve(SOURCE));
        }
        gcc.run("-std=c11", "-O3", "-march=native", "-pthread", folder.resolve(SOURCE), "-o", program);
        return new Tool(List.of(program.toString()));
    }
}
