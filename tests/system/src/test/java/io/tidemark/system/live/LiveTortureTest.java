package io.tidemark.system.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.system.ground.Ground;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sites in processes of their own, clients that write and read all the time, and faults in any order: kill -9 of either
 * side, a line that is cut, that is dead one way, that is slow; switch-over and failover. After each fault both copies are
 * equal again, and every write that was answered is there. Each seed has all of them;
 * {@code -Dtidemark.soak=N} runs N seeds.
 */
@Tag("system-image")
@Timeout(900)
class LiveTortureTest {
    private static final long VOLUME_BYTES = 64L << 20;
    private static final Duration CALM = Duration.ofMillis(700);
    /** Longer than the silence after which a peer counts as lost. */
    private static final Duration DEAD = Duration.ofSeconds(8);

    private static final Duration SHORT = Duration.ofSeconds(2);

    /** What goes wrong. */
    private enum Fault {
        KILL_PRIMARY,
        KILL_SECONDARY,
        KILL_BOTH,
        CUT,
        DEAD_THERE,
        DEAD_BACK,
        SLOW,
        SWITCH_OVER,
        FAIL_OVER
    }

    static long[] seeds() {
        return Ground.seeds().limit(Long.getLong("tidemark.soak", 2)).toArray();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everyAnsweredWriteIsOnBothSidesAfterEachFault(long seed) throws Exception {
        var random = new Random(seed);
        try (var sites = new LiveSites(VOLUME_BYTES, "C")) {
            int primary = random.nextInt(2);
            sites.promote(primary, false);
            // A copy that was never whole takes nobody's place.
            sites.awaitInStep();
            var run = new Run(sites, random, primary);
            try {
                run.faults();
            } catch (Exception | AssertionError e) {
                throw new AssertionError("seed %d: %s%n%s".formatted(seed, e.getMessage(), sites.logs()), e);
            }
        }
    }

    /** One seed's faults. */
    private static final class Run {
        private final LiveSites sites;
        private final Random random;
        private int primary;

        Run(LiveSites sites, Random random, int primary) {
            this.sites = sites;
            this.random = random;
            this.primary = primary;
        }

        void faults() throws Exception {
            int first = primary;
            try (var registers = new Registers(VOLUME_BYTES, random, () -> sites.client(first))) {
                var faults = new ArrayList<>(EnumSet.allOf(Fault.class));
                Collections.shuffle(faults, random);
                for (var fault : faults) {
                    Thread.sleep(CALM);
                    System.err.printf("%s while %d is primary, %d answered%n", fault, primary, registers.answered());
                    happen(fault);
                    int now = primary;
                    registers.at(() -> sites.client(now));
                    sites.awaitInStep();
                    registers.checkSoFar();
                }
                long before = registers.answered();
                Thread.sleep(CALM);
                assertThat(registers.answered()).as("writes go on").isGreaterThan(before);
                registers.close();
                sites.awaitInStep();
                sites.demote(primary);
                var mine = image(primary);
                assertThat(mine).as("both copies are equal").isEqualTo(image(1 - primary));
                registers.endAndCheck(mine);
            }
        }

        private byte[] image(int side) throws IOException {
            return Files.readAllBytes(sites.side(side).image());
        }

        private void happen(Fault fault) throws Exception {
            switch (fault) {
                case KILL_PRIMARY -> restart(primary);
                case KILL_SECONDARY -> restart(1 - primary);
                case KILL_BOTH -> {
                    sites.side(primary).site().kill();
                    sites.side(1 - primary).site().kill();
                    sites.side(1 - primary).site().start();
                    sites.side(primary).site().start();
                }
                case CUT -> {
                    sites.line().cut();
                    Thread.sleep(random.nextBoolean() ? SHORT : DEAD);
                    sites.line().heal();
                }
                case DEAD_THERE -> dead(true, false);
                case DEAD_BACK -> dead(false, true);
                case SLOW -> {
                    sites.line().delay(Duration.ofMillis(50));
                    Thread.sleep(SHORT);
                    sites.line().heal();
                }
                case SWITCH_OVER -> {
                    sites.demote(primary);
                    primary = 1 - primary;
                    sites.promote(primary, false);
                }
                case FAIL_OVER -> failOver();
            }
        }

        private void restart(int side) throws Exception {
            sites.side(side).site().kill();
            sites.side(side).site().start();
        }

        private void dead(boolean isThere, boolean isBack) throws InterruptedException {
            sites.line().stall(isThere, isBack);
            Thread.sleep(random.nextBoolean() ? SHORT : DEAD);
            sites.line().heal();
        }

        /** The primary dies; the other takes its place with what it has, and the dead one comes back as its copy. */
        private void failOver() throws Exception {
            sites.side(primary).site().kill();
            int dead = primary;
            primary = 1 - primary;
            sites.promote(primary, true);
            Thread.sleep(SHORT);
            sites.side(dead).site().start();
        }
    }
}
