package io.tidemark.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class AuditRoundTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration MONTH = Duration.ofDays(30);
    private static final long VOLUME = 10L << 30;

    /** Cycles from {@code round} on until the volume's end is reached; the instant of the last. */
    private static Instant untilWhole(long volumeBytes, Duration cycle) {
        var round = AuditRound.begin(START);
        var now = START;
        long through = 0;
        while (through < volumeBytes) {
            now = now.plus(cycle);
            var window = round.window(volumeBytes, MONTH, now);
            assertThat(window.fromBytes()).isEqualTo(through);
            through = window.toBytes();
            round = round.covered(window, now);
        }
        return now;
    }

    @Test
    void theWholeVolumeIsCoveredInTheTimeAsked() {
        for (var cycle : List.of(Duration.ofSeconds(1_000), Duration.ofMinutes(50), Duration.ofHours(7))) {
            // The cycle in which the time is up still has to run.
            assertThat(Duration.between(START, untilWhole(VOLUME, cycle)))
                    .as("a cycle every %s", cycle)
                    .isLessThanOrEqualTo(MONTH.plus(cycle));
        }
    }

    @Test
    void noWindowIsLongerThanAPeerWaits() {
        var window = AuditRound.begin(START).window(1L << 40, MONTH, START.plus(MONTH));

        assertThat(window.toBytes()).isEqualTo(AuditRound.WINDOW_BYTES_MAXIMUM);
    }

    @Test
    void theNextRoundBeginsAtTheBeginning() {
        var later = START.plus(Duration.ofDays(1));
        var done = new AuditRound(VOLUME, START, START);

        var window = done.window(VOLUME, MONTH, later);

        assertThat(window.fromBytes()).isZero();
        assertThat(done.covered(window, later).startedAt()).isEqualTo(later);
    }

    @Test
    void aClockSetBackStillMovesOn() {
        var window = AuditRound.begin(START).window(VOLUME, MONTH, START.minus(Duration.ofDays(3)));

        assertThat(window).isEqualTo(new AuditRound.Window(0, 4_096));
    }

    @Test
    void aVolumeThatEndsInsideABlockIsCoveredToItsEnd() {
        var window = AuditRound.begin(START).window(10_000, MONTH, START.plus(MONTH));

        assertThat(window.toBytes()).isEqualTo(10_000);
        assertThat(AuditRound.begin(START).covered(window, START).throughBytes())
                .isEqualTo(12_288);
    }

    @Test
    void partsOfBlocksAreRefused() {
        assertThatThrownBy(() -> new AuditRound(5, START, START)).hasMessageContaining("5");
    }
}
