package io.tidemark.consistency.mysql;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.QuiescerSpec;
import java.util.List;

/** Makes quiescers of kind {@code mysql}. */
public final class MySqlQuiescerFactory implements QuiescerFactory {
    private static final String LEAST_RIGHTS = """
            CREATE USER tidemark@localhost IDENTIFIED BY '***';
            GRANT BACKUP_ADMIN ON *.* TO tidemark@localhost;
            GRANT SELECT ON performance_schema.log_status TO tidemark@localhost;
            -- lets Tidemark see which engines the tables have, but none of their rows
            GRANT SHOW VIEW ON *.* TO tidemark@localhost;
            -- optional: lets Tidemark see where tables with a DATA DIRECTORY lie, and name the session that a lock waits for
            GRANT PROCESS ON *.* TO tidemark@localhost;
            -- optional: the server then also lists the lock as held
            GRANT SELECT ON performance_schema.metadata_locks TO tidemark@localhost;
            -- only with tables of engines such as MyISAM, or with innodb_flush_log_at_trx_commit=0; PROCESS is needed too
            GRANT RELOAD ON *.* TO tidemark@localhost;
            """;

    @Override
    public String kind() {
        return MySqlSettings.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return new MySqlQuiescer(MySqlSettings.of(spec));
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }

    @Override
    public Explanation explain(QuiescerSpec spec) throws ConsistencyException {
        // Read for its errors alone.
        var unused = MySqlSettings.of(spec);
        return new Explanation(
                kind(),
                "Holds the DDL of MySQL 8.0.22 and later by its backup lock; every write, by its global read lock, only"
                        + " where its log would not make a copy good.",
                List.of(
                        "plan: the server's version, engines and the account's rights are asked for, and every place where"
                                + " it keeps data must lie on the group's volumes",
                        "freeze: LOCK INSTANCE FOR BACKUP, on one kept session; waits for statements that change tables,"
                                + " and holds new ones, but no rows",
                        "file systems are written out meanwhile",
                        "hold: the positions of binary log and InnoDB are read, of one instant (log_status). With InnoDB"
                                + " alone no writer is held: what was acknowledged has been written, and the freeze of"
                                + " the file system writes it out",
                        "hold, with tables of engines such as MyISAM or with innodb_flush_log_at_trx_commit=0: instead of"
                                + " the backup lock FLUSH TABLES WITH READ LOCK, within half of the freeze limit; refused"
                                + " while a statement runs for longStatementMillis; FLUSH ENGINE LOGS",
                        "file systems are frozen, the volumes are cut, file systems are thawed",
                        "thaw: UNLOCK INSTANCE or UNLOCK TABLES on the same session, which must be the one it was, with"
                                + " its lock in the server's list where that is shown"),
                leastRights(),
                MySqlSettings.ALL,
                List.of(
                        "a lock that is not had in time: FreezeFailed, named with who runs longest; nothing stays held."
                                + " Behind a global read lock that was given up, statements on a table that a long one"
                                + " keeps go on waiting for that one",
                        "the session or the server ends while it holds: not held, so not APPLICATION",
                        "the service is killed: the server ends the session, and with it the lock, at once",
                        "the service is stopped, or the network is cut: the server ends the session at the freeze limit,"
                                + " rounded up to whole seconds"));
    }
}
