package io.tidemark.consistency.postgresql;

import io.tidemark.consistency.Frozen;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The replay of a standby, paused for the cut: its data stands at one position of the WAL. Owned by one thread. */
final class StandbyHold {
    private static final Duration ASK_EVERY = Duration.ofMillis(10);

    private final PostgresSettings settings;
    private final PostgresSession session;
    private final Map<String, String> facts;
    private @Nullable ReplayKeeper keeper;
    private @Nullable String heldAt;

    StandbyHold(PostgresSettings settings, PostgresSession session, Map<String, String> facts) {
        this.settings = settings;
        this.session = session;
        this.facts = facts;
    }

    /**
     * Paused when it returns empty; else why it could not be, as a phrase, and a release is due.
     *
     * @param limit after which the server lets replay go on by itself, whoever dies
     */
    Optional<String> pause(Duration limit) throws SQLException, IOException, InterruptedException {
        long started = System.nanoTime();
        var within = Frozen.holdingLimit(limit);
        var lag = StandbyLag.measure(session::standby, shorter(settings.lagLimit(), within), System::nanoTime);
        facts.put("lagMillis", Long.toString(lag.lag().toMillis()));
        if (lag.refusal().isPresent()) {
            return lag.refusal();
        }
        keeper = ReplayKeeper.start(settings, session.backend(), limit);
        if (!await(() -> session.waitsInSleep(keeperBackend()), started, within)) {
            return Optional.of("the statement that would let replay go on did not begin within %d ms"
                    .formatted(within.toMillis()));
        }
        session.pauseReplay();
        if (!await(() -> session.standby().pauseState().equals(StandbyState.PAUSED), started, within)) {
            return Optional.of("its replay did not pause within %d ms, half of the freeze limit: a query or a lock"
                            .formatted(within.toMillis())
                    + " holds it up");
        }
        // What it replayed until it paused may have ended other sessions, ours among them.
        if (!session.waitsInSleep(keeperBackend())) {
            return Optional.of("the session that would let replay go on was ended by the server: see its log");
        }
        var state = session.standby();
        heldAt = state.replayed();
        facts.put("replayLsn", state.replayed());
        return Optional.empty();
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    private int keeperBackend() {
        if (keeper == null) {
            throw new AssertionError("asked for before it was started");
        }
        return keeper.backend();
    }

    private interface Question {
        boolean ask() throws SQLException;
    }

    private static boolean await(Question question, long startedNanos, Duration limit)
            throws SQLException, InterruptedException {
        while (!question.ask()) {
            if (System.nanoTime() - startedNanos > limit.toNanos()) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(ASK_EVERY.toMillis());
        }
        return true;
    }

    /**
     * Whether it stood still from the pause until now: still paused, and not a byte further. Whoever lets replay go on
     * and pauses it again in between is found out by the position, as soon as there was anything to replay.
     */
    boolean heldUntilNow() {
        try {
            var state = session.standby();
            return heldAt != null
                    && state.pauseState().equals(StandbyState.PAUSED)
                    && state.replayed().equals(heldAt);
        } catch (SQLException e) {
            // Promoted, restarted or out of reach: whatever the reason, nothing is proved.
            return false;
        }
    }

    /** Lets replay go on. Where that fails, the keeper's backend does, once our session is closed or at the limit. */
    void release() {
        if (keeper == null) {
            return;
        }
        try {
            session.resumeReplay();
            // In this order: nobody would end the pause if we died in between.
            session.cancel(keeper.backend());
        } catch (SQLException e) {
            facts.put(
                    "resumeError",
                    String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
        }
    }

    /** After our session was closed: the keeper's backend is idle by then, or ends by itself. */
    void end() {
        if (keeper != null) {
            keeper.close();
            keeper = null;
        }
    }
}
