package io.tidemark.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.PublishedLimit.Kind;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScheduleCheckTest {
    private static final PublishedLimit SIX_AN_HOUR =
            new PublishedLimit("standard snapshots", Kind.CUTS_OF_VOLUME, 6, Duration.ofHours(1), "a page");
    private static final PublishedLimit THIRTY_TWO =
            new PublishedLimit("instant snapshots", Kind.SNAPSHOTS_OF_VOLUME, 32, Duration.ZERO, "a page");

    private static SnapshotSchedule every(Duration interval, int keep) {
        return new SnapshotSchedule(interval, keep, 10);
    }

    @Test
    void anIntervalThatIsTooShortIsToldTheNearestThatIsNot() {
        var verdicts = ScheduleCheck.of(every(Duration.ofMinutes(5), 12), List.of(SIX_AN_HOUR, THIRTY_TWO));

        assertThat(verdicts).extracting(ScheduleCheck.Verdict::possible).containsExactly(false, true);
        var obstacle = verdicts.getFirst().obstacles().getFirst();
        assertThat(obstacle.what()).isEqualTo("12 cuts of a volume in 1h, at most 6");
        assertThat(obstacle.nearest()).isEqualTo("every 10m");
        assertThat(obstacle.limit()).isEqualTo(SIX_AN_HOUR);
    }

    @Test
    void whatIsToldAsNearestIsPossibleAndAMillisecondLessIsNot() {
        assertThat(possible(every(Duration.ofMinutes(10), 12))).isTrue();
        assertThat(possible(every(Duration.ofMinutes(10).minusMillis(1), 12))).isFalse();
    }

    /** Held against counting: cuts at 0, 1, 2 … intervals, in any window that is open at its end. */
    @ParameterizedTest
    @ValueSource(longs = {1, 7, 599, 600, 601, 3599, 3600, 3601, 90_000})
    void agreesWithCountingTheCutsOfAWindow(long seconds) {
        long cuts = 0;
        while (cuts * seconds < 3600) {
            cuts++;
        }
        assertThat(possible(every(Duration.ofSeconds(seconds), 1))).isEqualTo(cuts <= 6);
    }

    private static boolean possible(SnapshotSchedule schedule) {
        return ScheduleCheck.of(schedule, List.of(SIX_AN_HOUR)).getFirst().possible();
    }

    @Test
    void theNearestIsInWholeSecondsAndPossible() {
        var sevenInFiveMinutes =
                new PublishedLimit("snapshots", Kind.CUTS_OF_VOLUME, 7, Duration.ofMinutes(5), "a page");

        var verdict = ScheduleCheck.of(every(Duration.ofSeconds(10), 1), List.of(sevenInFiveMinutes));

        assertThat(verdict.getFirst().obstacles().getFirst().nearest()).isEqualTo("every 43s");
        assertThat(ScheduleCheck.of(every(Duration.ofSeconds(43), 1), List.of(sevenInFiveMinutes))
                        .getFirst()
                        .possible())
                .isTrue();
        assertThat(ScheduleCheck.of(every(Duration.ofSeconds(42), 1), List.of(sevenInFiveMinutes))
                        .getFirst()
                        .possible())
                .isFalse();
    }

    @Test
    void tooManyOfAVolumeOrOfAnAccountAreTold() {
        var account = new PublishedLimit("snapshots", Kind.SNAPSHOTS_OF_ACCOUNT, 100, Duration.ZERO, "a page");

        var verdicts = ScheduleCheck.of(every(Duration.ofHours(1), 33), List.of(THIRTY_TWO, account));

        assertThat(verdicts.getFirst().obstacles().getFirst().nearest()).isEqualTo("keep 32");
        assertThat(verdicts.getLast().obstacles().getFirst().nearest()).isEqualTo("keep 10");
        assertThat(ScheduleCheck.of(new SnapshotSchedule(Duration.ofHours(1), 1, 101), List.of(account))
                        .getFirst()
                        .obstacles()
                        .getFirst()
                        .nearest())
                .isEqualTo("100 volumes in this account");
    }

    @Test
    void schedulesThatAreNoneAreRefused() {
        assertThatThrownBy(() -> every(Duration.ofMillis(999), 1)).hasMessageContaining("at least 1 s");
        assertThatThrownBy(() -> every(Duration.ofHours(1), 0)).hasMessageContaining("0 kept");
    }
}
