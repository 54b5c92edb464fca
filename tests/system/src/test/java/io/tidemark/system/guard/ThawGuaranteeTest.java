package io.tidemark.system.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.system.ground.Ground;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whoever dies, is stopped or starved: no writer waits longer than the freeze limit and 100 ms. {@code
 * -Dtidemark.soak.guard=1000} runs so many trials, {@code -Dtidemark.guard.seed=41} that one alone, {@code 41-60} those.
 */
@Tag("system-image")
@Tag("alone")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ThawGuaranteeTest {
    private static final long SEEDS_IN_CI = 60;
    private static final Duration BEYOND_LIMIT = Duration.ofMillis(100);
    private static final double PERCENTILE = 0.99;
    private static final int WORST_TOLD = 5;
    /** 3 were seen in 1,000. */
    private static final int READ_ONLY_ONE_OF = 100;

    private static final int READ_ONLY_MOST = 2;

    private final List<FreezeRig.Outcome> outcomes = new ArrayList<>();
    private FreezeRig rig;

    static LongStream seeds() {
        var seeds = System.getProperty("tidemark.guard.seed", "1-" + Long.getLong("tidemark.soak.guard", SEEDS_IN_CI));
        var ends = seeds.split("-", 2);
        return LongStream.rangeClosed(Long.parseLong(ends[0]), Long.parseLong(ends[ends.length - 1]));
    }

    @BeforeAll
    void makeFileSystems() throws Exception {
        Ground.requireRootAnd("losetup", "mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "fsfreeze");
        if (BlockKernels.thawGuard().isEmpty()) {
            Ground.lacking("no thaw-guard in this build");
        }
        rig = new FreezeRig();
    }

    @AfterAll
    void undoEverything() throws Exception {
        if (rig != null) {
            rig.close();
            report();
            assertThat(outcomes.stream().mapToInt(FreezeRig.Outcome::readOnly).sum())
                    .as("Btrfs forced to be read-only: seldom, for the trial must hit a thaw of milliseconds")
                    .isLessThanOrEqualTo(Math.max(READ_ONLY_MOST, outcomes.size() / READ_ONLY_ONE_OF));
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void noFreezeOutlivesItsLimit(long seed) throws Exception {
        var trial = GuardTrial.draw(seed, FreezeRig.TYPES.size());
        if (trial.event() == GuardTrial.Event.MEMORY_TIGHT && !rig.hasTightMemory()) {
            // Not a package that a machine could be given: where it runs in a container, that one may not pass it on.
            var reason = "SKIPPED system test: this host lets nobody make a control group for memory";
            System.err.println(reason);
            abort(reason);
        }

        var outcome = rig.run(trial);

        outcomes.add(outcome);
        System.out.printf(
                "seed %d: %s %s, %d file systems, limit %d ms, stalled %d ms, control %d ms%n",
                seed,
                trial.event(),
                trial.phase(),
                trial.fileSystems().size(),
                trial.limit().toMillis(),
                outcome.stall().toMillis(),
                outcome.control().toMillis());
        assertThat(outcome.failures()).as(outcome.toString()).isEmpty();
        // What the machine itself kept a writer waiting, who writes to memory alone, is not the freeze's.
        assertThat(outcome.excludedFromLimit() ? Duration.ZERO : outcome.beyondLimit())
                .as(outcome.toString())
                .isLessThanOrEqualTo(BEYOND_LIMIT.plus(outcome.control()));
    }

    private void report() {
        var counted = outcomes.stream()
                .filter(outcome -> !outcome.excludedFromLimit())
                .sorted(Comparator.comparing(FreezeRig.Outcome::beyondLimit))
                .toList();
        if (counted.isEmpty()) {
            return;
        }
        var p99 = counted.get((int) Math.ceil(counted.size() * PERCENTILE) - 1);
        System.out.printf(
                "%d trials: stall minus limit at most %d ms, p99 %d ms; longer than the limit %d times, by more than 100 ms"
                        + " %d times; held %d times%n",
                counted.size(),
                counted.getLast().beyondLimit().toMillis(),
                p99.beyondLimit().toMillis(),
                counted.stream().filter(o -> o.beyondLimit().isPositive()).count(),
                counted.stream()
                        .filter(o -> o.beyondLimit().compareTo(BEYOND_LIMIT) > 0)
                        .count(),
                outcomes.stream().filter(o -> o.said().startsWith("end true")).count());
        Map<GuardTrial.Event, Long> byEvent = new TreeMap<>();
        counted.forEach(o ->
                byEvent.merge(o.trial().event(), o.beyondLimit().toMillis(), (one, other) -> Math.max(one, other)));
        System.out.println("at most, by event: " + byEvent);
        outcomes.stream()
                .filter(FreezeRig.Outcome::excludedFromLimit)
                .max(Comparator.comparing(FreezeRig.Outcome::stall))
                .ifPresent(o -> System.out.printf(
                        "all killed, thawed by the next start: stalled at most %d ms%n",
                        o.stall().toMillis()));
        System.out.printf(
                "Btrfs forced to be read-only by the kernel, for who thawed was killed or had no memory: %d%n",
                outcomes.stream().mapToInt(FreezeRig.Outcome::readOnly).sum());
        System.out.printf(
                "the machine itself kept a writer waiting for at most %d ms%n",
                outcomes.stream().mapToLong(o -> o.control().toMillis()).max().orElse(0));
        for (var outcome : counted.reversed().subList(0, Math.min(WORST_TOLD, counted.size()))) {
            System.out.printf(
                    "%d ms, control %d ms: %s %s%n",
                    outcome.beyondLimit().toMillis(), outcome.control().toMillis(), outcome.trial(), outcome.said());
        }
    }
}
