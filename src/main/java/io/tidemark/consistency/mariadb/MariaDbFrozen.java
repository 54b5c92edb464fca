package io.tidemark.consistency.mariadb;

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
 * A server in a backup's first stage, then in its last, on its one session. No other session can end it, and this one
 * ends it with its own end: so an END that succeeds proves that it held until then.
 */
final class MariaDbFrozen implements Frozen {
    private final MariaDbSession session;
    private final MariaDbFailures failures;
    private final ServerDescription server;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private final long startedNanos;
    private @Nullable Held held;
    private @Nullable Release release;

    /** @param acknowledgedNanos when the server had answered that it holds commits */
    private record Held(long requestedNanos, long acknowledgedNanos) {}

    MariaDbFrozen(MariaDbSession session, MariaDbFailures failures, ServerDescription server, long startedNanos) {
        this.session = session;
        this.failures = failures;
        this.server = server;
        this.startedNanos = startedNanos;
        facts.put("version", server.version());
    }

    /**
     * {@inheritDoc}
     *
     * <p>Each stage may wait for as long as is left of the budget for all of them. From then on this session says
     * nothing until the cut is done, and the server ends it after as many seconds as are left of the limit, rounded up:
     * the one limit that also holds when this host is gone.
     */
    @Override
    public void hold(Duration limit) throws ConsistencyException {
        if (release != null || held != null) {
            throw new IllegalStateException("it is held once, before it is thawed");
        }
        long requested = System.nanoTime();
        var waiting = Frozen.holdingLimit(limit);
        var stage = BackupStage.FLUSH;
        try {
            session.limitIdling(limit);
            for (var next : List.of(BackupStage.FLUSH, BackupStage.BLOCK_DDL, BackupStage.BLOCK_COMMIT)) {
                stage = next;
                session.limitStatements(left(requested, waiting));
                session.stage(next);
            }
            long acknowledged = System.nanoTime();
            // Whatever it says of its commits: that may have been set since it was asked.
            session.flushLogs();
            facts.putAll(session.positions(server));
            session.limitStatements(limit);
            session.limitIdling(left(requested, limit));
            held = new Held(requested, acknowledged);
        } catch (SQLException e) {
            throw failures.ofStage(session, stage, waiting, e);
        }
    }

    /** At least a millisecond: zero would be no limit at all to the server. */
    private static Duration left(long sinceNanos, Duration limit) {
        var left = limit.minusNanos(System.nanoTime() - sinceNanos);
        return left.toMillis() < 1 ? Duration.ofMillis(1) : left;
    }

    @Override
    public boolean heldUntilNow() {
        return release == null && held != null && session.alive();
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

    private Release end() {
        long thawed = System.nanoTime();
        boolean ended = false;
        try {
            session.stage(BackupStage.END);
            ended = true;
        } catch (SQLException e) {
            // The session, and with it the stage, ended before its time.
            facts.put("endError", ServerFailures.reason(e));
        }
        // Where its writers never were held, it was asked, and never known, to hold.
        var times = held == null ? new Held(startedNanos, thawed) : held;
        return new Release(
                List.of(new Certificate.Freeze(
                        MariaDbSettings.KIND,
                        failures.subject(),
                        times.requestedNanos(),
                        times.acknowledgedNanos(),
                        thawed,
                        System.nanoTime(),
                        ended && held != null,
                        facts)),
                Map.of());
    }
}
