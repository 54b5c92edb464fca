package io.tidemark.consistency.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class StandbyLagTest {
    private static final Duration LIMIT = Duration.ofSeconds(1);
    private static final long HOUR_MILLIS = 3_600_000;

    private final AtomicLong nanos = new AtomicLong();

    private static StandbyState streaming(long received, long replayed) {
        return new StandbyState(
                true,
                OptionalLong.of(received),
                replayed,
                "0/" + replayed,
                OptionalLong.of(HOUR_MILLIS),
                StandbyState.NOT_PAUSED);
    }

    private static StandbyState alone(OptionalLong sinceCommit) {
        return new StandbyState(false, OptionalLong.of(10), 10, "0/10", sinceCommit, StandbyState.NOT_PAUSED);
    }

    /** Answers in turn, the last one for ever; each question takes 300 ms. */
    private StandbyLag.Finding measure(StandbyState... states) throws Exception {
        var answers = new ArrayDeque<>(List.of(states));
        return StandbyLag.measure(
                () -> {
                    nanos.addAndGet(Duration.ofMillis(300).toNanos());
                    return answers.size() > 1 ? answers.remove() : answers.element();
                },
                LIMIT,
                nanos::get);
    }

    @Test
    void standbyOfAnIdlePrimaryThatHasReplayedAllDoesNotLagHoweverOldItsLastCommitIs() throws Exception {
        var finding = measure(streaming(10, 10));

        assertThat(finding.refusal()).isEmpty();
        assertThat(finding.lag()).isZero();
    }

    @Test
    void lagIsTheTimeUntilWhatHadBeenReceivedAtFirstIsReplayed() throws Exception {
        var finding = measure(streaming(10, 5), streaming(30, 8), streaming(40, 10));

        assertThat(finding.refusal()).isEmpty();
        assertThat(finding.lag()).isEqualTo(Duration.ofMillis(900));
    }

    @Test
    void standbyThatDoesNotCatchUpWithinTheLimitIsRefusedWithWhatIsMissing() throws Exception {
        var finding = measure(streaming(10, 5), streaming(30, 8));

        assertThat(finding.refusal())
                .hasValueSatisfying(
                        reason -> assertThat(reason).contains("it lags: 2 bytes", "allowed are 1000: maxLagMillis"));
    }

    @Test
    void standbyWithoutAReceiverIsAsOldAsItsLastCommit() throws Exception {
        assertThat(measure(alone(OptionalLong.of(400))).lag()).isEqualTo(Duration.ofMillis(400));
        assertThat(measure(alone(OptionalLong.of(1_001))).refusal())
                .hasValueSatisfying(reason -> assertThat(reason)
                        .contains("no WAL receiver is connected", "1001 ms old", "maxLagMillis of 1000"));
        assertThat(measure(alone(OptionalLong.empty())).refusal())
                .hasValueSatisfying(reason -> assertThat(reason).contains("nobody knows how far it is behind"));
    }

    @Test
    void replayThatSomebodyElseHoldsIsLeftToHim() throws Exception {
        var held = new StandbyState(true, OptionalLong.of(10), 10, "0/10", OptionalLong.of(0), StandbyState.PAUSED);

        assertThat(measure(held).refusal())
                .hasValueSatisfying(
                        reason -> assertThat(reason).contains("held already", "SELECT pg_wal_replay_resume()"));
    }
}
