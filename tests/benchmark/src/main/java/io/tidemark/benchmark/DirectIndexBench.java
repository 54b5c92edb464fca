package io.tidemark.benchmark;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.ReadBy;
import java.util.List;
import java.util.regex.Pattern;

/** The engine's index of an image read past the page cache, beside what fio reads from the same file and disk. */
final class DirectIndexBench implements Bench {
    private static final double GOAL = 0.9;
    private static final String NAME = "index of an uncached image, --direct";
    private static final String PEER = "fio read";

    /** Of the engine: bytes a read, and reads under way in each thread (direct.c). */
    private static final String READ_BYTES = "1M";

    private static final int DEPTH = 16;

    private static final Pattern BYTES_A_SECOND =
            Pattern.compile("\"read\"\\s*:\\s*\\{.*?\"bw_bytes\"\\s*:\\s*(\\d+)", Pattern.DOTALL);

    @Override
    public String name() {
        return "direct-index";
    }

    @Override
    public String description() {
        return "index of an image read with O_DIRECT, beside fio with the same block size and depth";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        Tool fio;
        try {
            fio = Tool.of("fio", "fio");
            run.needs(run.sizeBytes());
            var reason = BlockKernels.unavailableReason();
            if (reason.isPresent()) {
                throw new Skipped("no native library: " + reason.get());
            }
        } catch (Skipped e) {
            return List.of(Measure.skipped(NAME, PEER, e.reason()));
        }
        var image = run.image("image", run.sizeBytes(), 1);
        var build = new IndexBuild(image, run.scratch().resolve("index"), run.sizeBytes());
        var served = build.run(ReadBy.DIRECT);
        if (served != ReadBy.DIRECT) {
            return List.of(Measure.skipped(NAME, PEER, "io_uring or O_DIRECT is refused here: read by " + served));
        }
        Object[] words = {
            "--name=read",
            "--filename=" + image,
            "--readonly",
            "--rw=read",
            "--direct=1",
            "--ioengine=io_uring",
            "--bs=" + READ_BYTES,
            "--iodepth=" + DEPTH * IndexBuild.threads(),
            "--output-format=json"
        };

        var seconds = run.alternateSamples(
                () -> BenchRun.seconds(() -> build.run(ReadBy.DIRECT)),
                () -> run.sizeBytes() / bytesASecond(fio.output(words)));

        double gibibytes = run.sizeBytes() / (double) (1L << 30);
        return List.of(Measure.rate(NAME, gibibytes / seconds[0], "GiB/s", PEER, gibibytes / seconds[1], GOAL));
    }

    private static double bytesASecond(String output) {
        var matcher = BYTES_A_SECOND.matcher(output);
        if (!matcher.find()) {
            throw new IllegalStateException("fio did not say its rate:\n" + output);
        }
        return Double.parseDouble(matcher.group(1));
    }
}
