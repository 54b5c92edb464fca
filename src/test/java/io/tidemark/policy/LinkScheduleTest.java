package io.tidemark.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LinkScheduleTest {
    private static final Instant DUE = Instant.parse("2026-11-23T00:00:00Z");
    private static final Duration QUARTER = Duration.ofMinutes(15);

    @Test
    void theNextRunKeepsTheBeat() {
        assertThat(LinkSchedule.nextDue(DUE, QUARTER, DUE.plusSeconds(40))).isEqualTo(DUE.plus(QUARTER));
    }

    @Test
    void missedRunsAreNotMadeUpFor() {
        var threeDaysLater = DUE.plus(Duration.ofDays(3)).plusSeconds(1);

        var next = LinkSchedule.nextDue(DUE, QUARTER, threeDaysLater);

        assertThat(next).isAfter(threeDaysLater).isBeforeOrEqualTo(threeDaysLater.plus(QUARTER));
        assertThat(Duration.between(DUE, next).toMillis() % QUARTER.toMillis()).isZero();
    }

    @Test
    void aRunThatEndsExactlyOnTheBeatWaitsForTheNext() {
        assertThat(LinkSchedule.nextDue(DUE, QUARTER, DUE.plus(QUARTER))).isEqualTo(DUE.plus(QUARTER.multipliedBy(2)));
    }

    @Test
    void aClockThatWasSetBackDoesNotSilenceALink() {
        var earlier = DUE.minus(Duration.ofDays(30));

        assertThat(LinkSchedule.nextDue(DUE, QUARTER, earlier)).isEqualTo(earlier.plus(QUARTER));
    }

    @Test
    void waitsAfterFailuresGrowAndHaveALimit() {
        var random = new Random(7);
        var day = Duration.ofDays(1);
        var previous = Duration.ZERO;
        for (int failures = 1; failures <= 30; failures++) {
            var wait = Duration.between(DUE, LinkSchedule.retryAt(failures, day, DUE, random));
            assertThat(wait)
                    .isGreaterThanOrEqualTo(LinkSchedule.BACKOFF_FIRST)
                    .isLessThanOrEqualTo(
                            LinkSchedule.BACKOFF_MAXIMUM.multipliedBy(5).dividedBy(4));
            if (failures <= 5) {
                assertThat(wait).isGreaterThan(previous);
            }
            previous = wait;
        }
    }

    @Test
    void aLinkWithAShortIntervalDoesNotWaitLongerThanThat() {
        var wait = Duration.between(DUE, LinkSchedule.retryAt(20, Duration.ofSeconds(2), DUE, new Random(7)));

        assertThat(wait).isLessThanOrEqualTo(Duration.ofMillis(2_500));
    }

    @Test
    void anIntervalOfNothingIsRefused() {
        assertThatThrownBy(() -> LinkSchedule.nextDue(DUE, Duration.ZERO, DUE))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
