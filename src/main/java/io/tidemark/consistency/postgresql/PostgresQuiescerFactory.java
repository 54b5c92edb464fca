package io.tidemark.consistency.postgresql;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.QuiescerSpec;
import java.util.List;

/** Makes quiescers of kind {@code postgresql}. */
public final class PostgresQuiescerFactory implements QuiescerFactory {
    private static final String LEAST_RIGHTS = """
            CREATE ROLE tidemark LOGIN PASSWORD '***';
            GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean) TO tidemark;
            GRANT EXECUTE ON FUNCTION pg_backup_stop(boolean) TO tidemark;
            -- PostgreSQL 14 instead: pg_start_backup(text, boolean, boolean), pg_stop_backup(boolean, boolean)
            -- for a standby, granted on its primary
            GRANT EXECUTE ON FUNCTION pg_wal_replay_pause() TO tidemark;
            GRANT EXECUTE ON FUNCTION pg_wal_replay_resume() TO tidemark;
            -- optional: lets Tidemark check that the data directory lies on the group's volumes
            GRANT pg_read_all_settings TO tidemark;
            """;

    @Override
    public String kind() {
        return PostgresSettings.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return new PostgresQuiescer(PostgresSettings.of(spec));
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }

    @Override
    public Explanation explain(QuiescerSpec spec) throws ConsistencyException {
        // Read for its errors alone.
        var unused = PostgresSettings.of(spec);
        return new Explanation(
                kind(),
                "Keeps PostgreSQL 14 to 18 in backup mode around the cut; its writers are held by the file system alone. The"
                        + " replay of a standby is paused for the cut.",
                List.of(
                        "plan: the server's version and the role's rights are asked for, and data directory, write-ahead log"
                                + " and tablespaces must lie on the group's volumes",
                        "of a standby: it must be no more than maxLagMillis behind; that is the time until all it had"
                                + " received is replayed",
                        "freeze: pg_backup_start with an immediate checkpoint, on one kept session; holds nobody",
                        "file systems are written out meanwhile",
                        "hold, of a standby: a second session is told to resume replay at the freeze limit, or at the end of"
                                + " the first; then pg_wal_replay_pause",
                        "file systems are frozen, the volumes are cut, file systems are thawed",
                        "thaw, of a standby: it must still be paused at the same position; then pg_wal_replay_resume",
                        "thaw: pg_backup_stop on the same session. It fails where the session was lost, so its success proves"
                                + " that backup mode held; its label is kept with the recovery point"),
                leastRights(),
                PostgresSettings.ALL,
                List.of(
                        "the checkpoint outlasts statementTimeoutMillis: FreezeFailed; backup mode ends",
                        "the session or the server ends before the stop: not held, so not APPLICATION",
                        "the service is killed: the server ends backup mode with the session; nobody was held by it",
                        "a standby is behind, or is held by somebody else: FreezeFailed; its replay is not paused",
                        "a standby is promoted while held: not held, so not APPLICATION",
                        "the service is killed while a standby is held: the server itself lets replay go on at once;"
                                + " stopped: at the freeze limit"));
    }
}
