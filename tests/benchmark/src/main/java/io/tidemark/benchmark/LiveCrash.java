package io.tidemark.benchmark;

import io.tidemark.client.ClientException;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What is sent again after a primary was killed under random writes all over its volume. */
final class LiveCrash implements LivePart {
    private static final long SIZE_BYTES = 4L << 30;
    private static final long LIMIT_BYTES = LivePair.EXTENTS * LivePair.EXTENT_BYTES;
    private static final double BYTES_PER_MIB = 1 << 20;
    private static final String LIMIT = "activity log, 256 of 4 MiB";
    private static final int UNENDING_SECONDS = 600;

    private static final Fio.Work WORK = new Fio.Work("randwrite", "4k", 32, SIZE_BYTES);

    @Override
    public String name() {
        return "crash";
    }

    @Override
    public String description() {
        return "what is dirty and sent again after kill -9 of a primary with 4 GiB, beside the size of its activity log";
    }

    @Override
    public boolean isOverLine() {
        return true;
    }

    @Override
    public List<Measure> measure(BenchRun run, LivePair pair, Fio fio) throws Exception {
        pair.volume("crash", SIZE_BYTES);
        var link = pair.link("crash", LivePair.Terms.of("C"));
        pair.awaitInStep(link);
        killWhileWriting(run, pair, fio, link);
        // Nobody is met before what is dirty was read.
        pair.line().cut();
        pair.first().start();
        LivePair.await("its copy is open", () -> dirtyBytes(pair, link) > 0);
        double dirty = dirtyBytes(pair, link);
        long before = pair.line().passedBytes();
        pair.line().heal();
        pair.awaitInStep(link);
        double passed = pair.line().passedBytes() - before;
        return List.of(
                Measure.within(
                        "4 GiB sparse, primary killed: dirty",
                        dirty / BYTES_PER_MIB,
                        "MiB",
                        LIMIT,
                        LIMIT_BYTES / BYTES_PER_MIB),
                Measure.within(
                        "  bytes on the line until in step",
                        passed / BYTES_PER_MIB,
                        "MiB",
                        LIMIT,
                        LIMIT_BYTES / BYTES_PER_MIB));
    }

    private static void killWhileWriting(BenchRun run, LivePair pair, Fio fio, LivePair.Link link) throws Exception {
        var writer = fio.begun(link.uri(), WORK, UNENDING_SECONDS);
        try {
            TimeUnit.SECONDS.sleep(run.seconds());
            if (!writer.isAlive()) {
                throw new IOException("fio has ended before its server was killed");
            }
            pair.first().kill();
        } finally {
            writer.destroy();
            writer.waitFor();
        }
    }

    private static double dirtyBytes(LivePair pair, LivePair.Link link) throws ClientException, IOException {
        return LivePair.status(pair.first(), link.id()).at("dirtyBytes").number();
    }
}
