package io.tidemark.consistency.postgresql;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * How far a standby is behind, measured by what it does and not by the age of its last commit: that grows on an idle
 * primary, and is told by two clocks. While a receiver is connected, the lag is the time until all that had been received
 * when we first looked is replayed: none where receive and replay position are the same. Without a receiver nobody knows
 * what the primary has written since, and the age of the last commit is the only, and an upper, bound.
 */
final class StandbyLag {
    private static final Duration ASK_EVERY = Duration.ofMillis(20);

    private StandbyLag() {}

    /** Asks the standby, again and again. */
    @FunctionalInterface
    interface Source {
        StandbyState ask() throws SQLException;
    }

    /**
     * @param lag at most this, where it is within the limit
     * @param refusal why it is not, as a phrase
     * @param state the last one that was asked for
     */
    record Finding(Duration lag, Optional<String> refusal, StandbyState state) {}

    /** @param nanos {@code System.nanoTime} */
    static Finding measure(Source source, Duration limit, LongSupplier nanos)
            throws SQLException, InterruptedException {
        long started = nanos.getAsLong();
        var first = source.ask();
        if (!first.pauseState().equals(StandbyState.NOT_PAUSED)) {
            return refused(
                    first,
                    "its replay is held already (%s) by somebody else: wait, or SELECT pg_wal_replay_resume() there"
                            .formatted(first.pauseState()));
        }
        if (!first.receiving() || first.receivedBytes().isEmpty()) {
            return byLastCommit(first, limit);
        }
        long received = first.receivedBytes().getAsLong();
        var state = first;
        while (!state.replayedUpTo(received)) {
            var waited = Duration.ofNanos(nanos.getAsLong() - started);
            if (waited.compareTo(limit) > 0) {
                return refused(
                        state,
                        ("it lags: %d bytes that it had received are not replayed after %d ms, allowed are %d: maxLagMillis,"
                                        + " and at the hold half of the freeze limit at most")
                                .formatted(received - state.replayedBytes(), waited.toMillis(), limit.toMillis()));
            }
            TimeUnit.MILLISECONDS.sleep(ASK_EVERY.toMillis());
            state = source.ask();
        }
        var lag = state.equals(first) ? Duration.ZERO : Duration.ofNanos(nanos.getAsLong() - started);
        return new Finding(lag, Optional.empty(), state);
    }

    private static Finding byLastCommit(StandbyState state, Duration limit) {
        if (state.sinceCommitMillis().isEmpty()) {
            return refused(
                    state,
                    "no WAL receiver is connected to its primary, and it has replayed no commit since its"
                            + " start, so nobody knows how far it is behind");
        }
        long age = state.sinceCommitMillis().getAsLong();
        if (age > limit.toMillis()) {
            return refused(
                    state,
                    "no WAL receiver is connected to its primary, and the last commit it replayed is %d ms old, more than"
                                    .formatted(age)
                            + " maxLagMillis of %d".formatted(limit.toMillis()));
        }
        return new Finding(Duration.ofMillis(Math.max(0, age)), Optional.empty(), state);
    }

    private static Finding refused(StandbyState state, String reason) {
        return new Finding(Duration.ZERO, Optional.of(reason), state);
    }
}
