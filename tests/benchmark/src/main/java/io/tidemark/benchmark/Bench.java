package io.tidemark.benchmark;

import java.util.List;

/** One named set of measures. */
interface Bench {
    String name();

    /** What is measured beside what, in one line. */
    String description();

    /** How often ours and the peer alternate where nobody says. */
    default int rounds() {
        return 5;
    }

    /** @throws Exception whatever broke: a benchmark that cannot finish has no result */
    List<Measure> run(BenchRun run) throws Exception;
}
