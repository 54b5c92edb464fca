package io.tidemark.consistency.mysql;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.mysqlprotocol.ServerFailures;
import io.tidemark.domain.Certificate;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A server whose lock is held by its one session. No other session can let go of it, and this one does with its own end:
 * so a session that still is the one it was has held it.
 */
final class MySqlFrozen implements Frozen {
    /** Past the freeze limit the server has ended the session; its answer may be under way for a little longer. */
    private static final Duration ANSWER_GRACE = Duration.ofSeconds(1);

    private final MySqlSession session;
    private final MySqlSettings settings;
    private final MySqlFailures failures;
    private final Hold hold;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private final long startedNanos;
    private @Nullable Held held;
    private @Nullable Release release;

    /**
     * @param acknowledgedNanos when the server had answered that it holds
     * @param limit from its request on
     * @param listed whether it listed the lock then, and so must list it as long as it holds
     */
    private record Held(long requestedNanos, long acknowledgedNanos, Duration limit, boolean listed) {}

    MySqlFrozen(
            MySqlSession session,
            MySqlSettings settings,
            MySqlFailures failures,
            MySqlServer server,
            Hold hold,
            long startedNanos) {
        this.session = session;
        this.settings = settings;
        this.failures = failures;
        this.hold = hold;
        this.startedNanos = startedNanos;
        facts.put("version", server.version());
        facts.put("held", hold.meaning());
        server.globalLockReason().ifPresent(reason -> facts.put("heldBecause", reason));
    }

    /**
     * {@inheritDoc}
     *
     * <p>Whatever happens to us, the server ends the session, which lets go, within the limit: half of it may pass until
     * the lock is had, and half of it is how long the server then waits for our next word. Once the lock is had that is
     * what is left of the limit, in whole seconds, rounded up.
     */
    @Override
    public void hold(Duration limit) throws ConsistencyException {
        if (release != null || held != null) {
            throw new IllegalStateException("it is held once, before it is thawed");
        }
        long requested = System.nanoTime();
        var waiting = Frozen.holdingLimit(limit);
        try {
            awaitUntil(requested, waiting);
            session.limitIdling(limit.minus(waiting));
            if (hold == Hold.EVERY_WRITE) {
                takeGlobalReadLock(requested, limit);
            }
            awaitUntil(requested, waiting);
            facts.putAll(session.positions());
            if (hold == Hold.DDL_ALONE) {
                facts.put(
                        "positionsAre",
                        "of the hold; the copy has what was committed until the cut, too: replay from the position that"
                                + " InnoDB tells when it recovers the copy");
            }
            awaitUntil(requested, waiting);
            boolean listed = session.lists(hold);
            facts.put(
                    "holdingIsKnownBy",
                    listed ? "the session, and its lock in the server's list" : "the session alone");
            awaitUntil(requested, waiting);
            var left = limit.minusNanos(System.nanoTime() - requested);
            session.limitIdling(left);
            held = new Held(requested, System.nanoTime(), limit, listed);
        } catch (SQLException e) {
            throw failures.ofLock(session, hold, waiting, e);
        }
    }

    private void takeGlobalReadLock(long requestedNanos, Duration limit) throws ConsistencyException, SQLException {
        var waiting = Frozen.holdingLimit(limit);
        GlobalReadLock.refuseHopeless(session, settings, failures, limit);
        awaitUntil(requestedNanos, waiting);
        GlobalReadLock.take(session, waiting);
        awaitUntil(requestedNanos, waiting);
        session.flushLogs();
    }

    /** The next answer must come within what is left of the limit; where nothing is, it is not asked for. */
    private void awaitUntil(long sinceNanos, Duration limit) throws SQLException {
        var left = limit.minusNanos(System.nanoTime() - sinceNanos);
        if (left.toMillis() < 1) {
            throw new SQLException("it took longer than half of the freeze limit, %d ms".formatted(limit.toMillis()));
        }
        session.awaitAnswersFor(left);
    }

    /**
     * {@inheritDoc}
     *
     * <p>A lock that was in the server's list must still be there. Where rows go on being written, commits must still be
     * written to InnoDB's log before they are acknowledged: that may have been set since it was asked.
     */
    @Override
    public boolean heldUntilNow() {
        return release == null && held != null && holds(held);
    }

    private boolean holds(Held since) {
        try {
            awaitWithin(since);
            boolean there = session.alive();
            awaitWithin(since);
            there = there && (!since.listed() || session.lists(hold));
            awaitWithin(since);
            there = there && session.writesRedoLog();
            awaitWithin(since);
            return there && (hold == Hold.EVERY_WRITE || session.writesLogAtCommit());
        } catch (SQLException e) {
            // What cannot be known is no.
            facts.put("askError", ServerFailures.reason(e));
            return false;
        }
    }

    /** What is left of the limit, and a little: past it the server has ended the session. */
    private void awaitWithin(Held since) throws SQLException {
        session.awaitAnswersFor(since.limit()
                .minusNanos(System.nanoTime() - since.requestedNanos())
                .plus(ANSWER_GRACE));
    }

    @Override
    public Release thaw() {
        if (release == null) {
            try {
                release = end();
            } finally {
                session.close();
            }
        }
        return release;
    }

    /** The server answers a release of what is not held as well: so it is asked before whether it holds. */
    private Release end() {
        long thawed = System.nanoTime();
        boolean ended = held != null && holds(held);
        try {
            if (held != null) {
                awaitWithin(held);
            }
            session.release(hold);
        } catch (SQLException e) {
            // The session, and with it the lock, ended before its time.
            facts.put("endError", ServerFailures.reason(e));
            ended = false;
        }
        // Where it never was held, it was asked, and never known, to hold.
        var times = held == null ? new Held(startedNanos, thawed, Duration.ZERO, false) : held;
        return new Release(
                List.of(new Certificate.Freeze(
                        MySqlSettings.KIND,
                        failures.subject(),
                        times.requestedNanos(),
                        times.acknowledgedNanos(),
                        thawed,
                        System.nanoTime(),
                        ended,
                        facts)),
                Map.of());
    }
}
