package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.aws.AwsLimits;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Seeded scripts of what can go wrong while snapshots are copied, with the process killed between any two calls: in the end the
 * destination has each copy that was asked for once, completed, and none else.
 *
 * <p>{@code -Dtidemark.ebs.copySeeds=FROM-TO} runs others.
 */
class EbsCopyFaultsTest {
    private static final int COPIES = 3;
    private static final int STEPS = 8;
    /** Beyond what a copy that hangs for six hours needs. */
    private static final int LAST_STEPS_MAXIMUM = 200;

    private static TwoRegions regions;

    @BeforeAll
    static void start() throws Exception {
        var limits = new AwsLimits(Duration.ZERO, 5, 2, 100);
        regions = new TwoRegions(FakeAwsSettings.defaults().limits(limits).takes(Duration.ofMinutes(1)), 2);
    }

    @AfterAll
    static void stop() {
        regions.close();
    }

    @Test
    void destinationHasEachCopyOnceAndNoneElse() throws Exception {
        var range = System.getProperty("tidemark.ebs.copySeeds", "1-50").split("-", -1);
        int kills = 0;
        int failures = 0;
        for (long seed = Long.parseLong(range[0]); seed <= Long.parseLong(range[1]); seed++) {
            var run = new Run(seed);
            run.run();
            kills += run.kills;
            failures += run.failures;
        }
        System.out.printf("%d kills, %d failures, calls %s%n", kills, failures, regions.cloud.calls());
        assertThat(kills).as("processes that were killed").isPositive();
        assertThat(failures).as("steps that failed").isPositive();
    }

    /** Three copies with two places, from one seed. */
    private static final class Run {
        private final long seed;
        private final Random random;
        private final List<SnapshotId> originals = new ArrayList<>();
        /** What the service has written down of each; lost where it dies before it has. */
        private final Map<SnapshotId, Handle> handles = new HashMap<>();

        private final Set<SnapshotId> done = new HashSet<>();
        private AtomicBoolean dead = new AtomicBoolean();
        private EbsProvider provider;
        private int kills;
        private int failures;

        Run(long seed) throws Exception {
            this.seed = seed;
            this.random = new Random(seed);
            for (int index = 0; index < COPIES; index++) {
                originals.add(regions.cut("rp-s%dn%d".formatted(seed, index), index));
            }
            regions.cloud.clock().advance(Duration.ofMinutes(11));
            provider = regions.start(dead);
            if (random.nextBoolean()) {
                regions.cloud.clock().advance(RecentEffects.VISIBLE_WITHIN);
            }
        }

        void run() throws Exception {
            regions.cloud.faults(FaultScript.of(seed));
            for (int step = 0; step < STEPS; step++) {
                killAfter(random.nextInt(4) == 0 ? random.nextInt(12) : Integer.MAX_VALUE);
                // Each is asked for often enough: the fake hides what is new from a number of lists, not for a time.
                Collections.shuffle(originals, random);
                for (var original : originals) {
                    step(original);
                }
                regions.cloud.clock().advance(Duration.ofSeconds(random.nextInt(120)));
                if (dead.get()) {
                    restart();
                }
            }
            regions.cloud.beforeAnswer(call -> {});
            regions.cloud.faults(FaultScript.none());
            for (int step = 0; step < LAST_STEPS_MAXIMUM && done.size() < COPIES; step++) {
                for (var original : originals) {
                    step(original);
                }
                regions.cloud.clock().advance(Duration.ofMinutes(2));
            }
            check();
        }

        private void step(SnapshotId original) {
            if (done.contains(original)) {
                return;
            }
            try {
                var handle = handles.get(original);
                Step<?> step = handle == null || random.nextInt(3) == 0
                        ? provider.copyOf(regions.source, original, Optional.empty())
                        : provider.resume(handle);
                if (dead.get()) {
                    return;
                }
                switch (step) {
                    case Step.Done<?> ignored -> done.add(original);
                    case Step.Running<?> running -> handles.put(original, running.handle());
                }
            } catch (ProviderException e) {
                // Refused, cut off or ended in error: it is asked for again.
                failures++;
            }
        }

        private void killAfter(int calls) {
            var base = new AtomicLong(-1);
            var mine = dead;
            regions.cloud.beforeAnswer(call -> {
                base.compareAndSet(-1, call);
                if (call - base.get() >= calls) {
                    mine.set(true);
                    throw new IllegalStateException("killed");
                }
            });
        }

        private void restart() throws Exception {
            kills++;
            // The next process has a thread that nobody has interrupted.
            Thread.interrupted();
            dead = new AtomicBoolean();
            regions.cloud.beforeAnswer(call -> {});
            provider = regions.start(dead);
        }

        private void check() {
            var points =
                    originals.stream().map(each -> each.recoveryPoint().value()).toList();
            var live = regions.copies().stream()
                    .filter(each -> points.contains(each.tags().getOrDefault(EbsNames.RECOVERY_POINT, "")))
                    .toList();
            assertThat(live)
                    .as("seed %d: copies", seed)
                    .extracting(each ->
                            each.tags().get(EbsNames.VOLUME) + "@" + each.tags().get(EbsNames.RECOVERY_POINT))
                    .containsExactlyInAnyOrderElementsOf(originals.stream()
                            .map(each -> each.volume().name() + "@" + each.recoveryPoint())
                            .toList());
            assertThat(live)
                    .as("seed %d: states", seed)
                    .extracting(regions.cloud::state)
                    .containsOnly("completed");
        }
    }
}
