package io.tidemark.consistency.oracle;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.jdbc.JdbcConnection;
import io.tidemark.consistency.oracle.OracleSession.Position;
import io.tidemark.domain.Certificate;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A database around its cut. Nothing of it is held: an atomic cut, which frozen file systems make it, is recovered as
 * after a loss of power. What is proved is that it was the same open database before and after, with the same files, and
 * in backup mode where that was wanted.
 */
final class OracleFrozen implements Frozen {
    private final Parts parts;
    private final DatabaseDescription database;
    private final Map<String, String> files;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private final long startedNanos;
    private @Nullable Held held;
    private @Nullable Position after;
    private @Nullable Release release;

    record Parts(
            OracleSession session,
            OracleSettings settings,
            OracleFailures failures,
            JdbcConnection.Connector connector,
            Optional<BackupMode> backupMode) {}

    private record Held(long requestedNanos, long acknowledgedNanos, Position position) {}

    OracleFrozen(Parts parts, DatabaseDescription database, Map<String, String> files, long startedNanos) {
        this.parts = parts;
        this.database = database;
        this.files = Map.copyOf(files);
        this.startedNanos = startedNanos;
        facts.put("version", database.version());
        facts.put("database", database.name());
        facts.put("dbid", database.identifier());
        facts.put("archivesLogs", Boolean.toString(database.archivesLogs()));
        parts.backupMode().ifPresent(mode -> facts.put("backupModeSinceChange", String.join(", ", mode.changes())));
    }

    /** Its writers are held by the file systems alone; what is asked here is where it stood before they were. */
    @Override
    public void hold(Duration limit) throws ConsistencyException {
        if (release != null || held != null) {
            throw new IllegalStateException("it is held once, before it is thawed");
        }
        long requested = System.nanoTime();
        try {
            parts.session().limitStatements(Frozen.holdingLimit(limit));
            var position = parts.session().position();
            facts.put("timeBefore", position.time());
            facts.put("scnBefore", position.scn());
            facts.put("checkpointBefore", position.checkpoint());
            held = new Held(requested, System.nanoTime(), position);
        } catch (SQLException e) {
            throw parts.failures().of(e);
        }
    }

    @Override
    public boolean heldUntilNow() {
        if (release != null || held == null) {
            return false;
        }
        try {
            // First: it is the time that the cut is complete before.
            var position = parts.session().position();
            boolean same = database.same(parts.session().describe())
                    && files.equals(parts.session().files())
                    && (parts.backupMode().isEmpty() || parts.backupMode().get().lasts(parts.session()));
            if (same) {
                after = position;
                facts.put("timeAfter", position.nextSecond());
                facts.put("scnAfter", position.scn());
                facts.put("checkpointAfter", position.checkpoint());
            }
            return same;
        } catch (SQLException e) {
            // Restarted, or out of reach: whatever the reason, nothing is proved.
            facts.put("askError", OracleFailures.reason(e));
            return false;
        }
    }

    @Override
    public Release thaw() {
        if (release == null) {
            try {
                release = end();
            } finally {
                parts.session().close();
            }
        }
        return release;
    }

    private Release end() {
        long thawed = System.nanoTime();
        parts.backupMode()
                .flatMap(mode -> mode.end(parts.session(), parts.settings(), parts.connector()))
                .ifPresent(failure -> facts.put("endBackupError", failure));
        var times = held == null ? new Held(startedNanos, thawed, new Position("", "", "", "")) : held;
        var complete = after;
        Map<String, String> evidence = complete == null
                ? Map.of()
                : Map.of(
                        RecoveryText.EVIDENCE,
                        RecoveryText.of(database, parts.backupMode().isPresent(), times.position(), complete));
        return new Release(
                List.of(new Certificate.Freeze(
                        OracleSettings.KIND,
                        parts.failures().subject(),
                        times.requestedNanos(),
                        times.acknowledgedNanos(),
                        thawed,
                        System.nanoTime(),
                        complete != null,
                        facts)),
                evidence);
    }
}
