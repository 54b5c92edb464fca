package io.tidemark.benchmark;

import java.util.List;

/** Some measures of live links. */
interface LivePart {
    /** Behind {@code live-}. */
    String name();

    /** What is measured beside what, in one line. */
    String description();

    /** Whether its sites are to be connected by a line that can be slow, and be cut. */
    default boolean isOverLine() {
        return false;
    }

    /** @throws Exception whatever broke: a benchmark that cannot finish has no result */
    List<Measure> measure(BenchRun run, LivePair pair, Fio fio) throws Exception;
}
