package io.tidemark.consistency.mariadb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.QuiescerSpec;
import java.util.List;

/** Makes quiescers of kind {@code mariadb}. */
public final class MariaDbQuiescerFactory implements QuiescerFactory {
    private static final String LEAST_RIGHTS = """
            CREATE USER tidemark@localhost IDENTIFIED BY '***';
            GRANT RELOAD ON *.* TO tidemark@localhost;
            -- optional: the recovery point then tells the binary log's file and position
            GRANT BINLOG MONITOR ON *.* TO tidemark@localhost;
            -- optional: lets Tidemark name the session that a backup stage waited for
            GRANT PROCESS ON *.* TO tidemark@localhost;
            -- optional: lets Tidemark see which engines the tables have, but none of their rows
            GRANT SHOW VIEW ON *.* TO tidemark@localhost;
            """;

    @Override
    public String kind() {
        return MariaDbSettings.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return new MariaDbQuiescer(MariaDbSettings.of(spec));
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }

    @Override
    public Explanation explain(QuiescerSpec spec) throws ConsistencyException {
        // Read for its errors alone.
        var unused = MariaDbSettings.of(spec);
        return new Explanation(
                kind(),
                "Holds the commits of MariaDB 10.6 to 12 by its backup stages, for the cut alone.",
                List.of(
                        "plan: the server's version and the account's rights are asked for, and every place where it keeps"
                                + " data must lie on the group's volumes",
                        "freeze: BACKUP STAGE START, on one kept session; waits for statements that change tables, holds"
                                + " nobody",
                        "file systems are written out meanwhile",
                        "hold: BACKUP STAGE FLUSH, BLOCK_DDL and BLOCK_COMMIT, within half of the freeze limit together;"
                                + " from BLOCK_COMMIT on every commit waits. The binary log's positions are read",
                        "file systems are frozen, the volumes are cut, file systems are thawed",
                        "thaw: BACKUP STAGE END on the same session. It fails where the stage was lost, so its success"
                                + " proves that commits were held"),
                leastRights(),
                MariaDbSettings.ALL,
                List.of(
                        "a lock that is not had in time: FreezeFailed, named with who holds it; nothing stays held",
                        "the session or the server ends while it holds: not held, so not APPLICATION",
                        "the service is killed: the server ends the session, commits go on at once",
                        "the service is stopped, or the network is cut: the server ends the session at the freeze limit,"
                                + " rounded up to whole seconds"));
    }
}
