package io.tidemark.consistency.sqlserver;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.QuiescerSpec;
import java.util.List;

/** Makes quiescers of kind {@code sqlserver}. */
public final class SqlServerQuiescerFactory implements QuiescerFactory {
    private static final String LEAST_RIGHTS = """
            CREATE LOGIN tidemark WITH PASSWORD = '***';
            GRANT VIEW SERVER PERFORMANCE STATE TO tidemark;
            GRANT ALTER ANY CONNECTION TO tidemark;
            -- for several databases, which are suspended together
            GRANT ALTER SETTINGS TO tidemark;
            -- in each database; ALTER where it is the only one
            CREATE USER tidemark FOR LOGIN tidemark;
            ALTER ROLE db_backupoperator ADD MEMBER tidemark;
            GRANT ALTER ON DATABASE::orders TO tidemark;
            -- optional: lets Tidemark check that the files lie on the group's volumes
            GRANT VIEW ANY DEFINITION TO tidemark;
            -- only where the service cannot read the metadata folder itself; on Linux the server may want sysadmin for it
            GRANT ADMINISTER BULK OPERATIONS TO tidemark;
            """;

    @Override
    public String kind() {
        return SqlServerSettings.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return new SqlServerQuiescer(SqlServerSettings.of(spec), SqlServerSession.DRIVER);
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }

    @Override
    public Explanation explain(QuiescerSpec spec) throws ConsistencyException {
        // Read for its errors alone.
        var unused = SqlServerSettings.of(spec);
        return new Explanation(
                kind(),
                "Suspends databases of SQL Server 2022 and 2025 for a snapshot backup, for the cut alone.",
                List.of(
                        "plan: version, edition, rights, and each database's state and role are asked for; their files must"
                                + " lie on the group's volumes, and the metadata folder must exist",
                        "freeze: two sessions are opened; holds nobody",
                        "file systems are written out meanwhile",
                        "hold: the second session is told to end the first at the freeze limit; then the databases are"
                                + " suspended together (SET SUSPEND_FOR_SNAPSHOT_BACKUP = ON), within half of the limit. From"
                                + " then on every write waits, reads go on",
                        "file systems are frozen, the volumes are cut, file systems are thawed",
                        "thaw: the server is asked whether all are still suspended by this session, for as long as we know;"
                                + " then BACKUP ... WITH METADATA_ONLY lets them go on. Its file is kept with the recovery"
                                + " point"),
                leastRights(),
                SqlServerSettings.ALL,
                List.of(
                        "another backup, restore or ALTER DATABASE is in the way: FreezeFailed within half of the limit;"
                                + " nothing stays suspended",
                        "the session or the server ends while it holds: not held, so not APPLICATION",
                        "the metadata backup fails: the databases are resumed; not APPLICATION",
                        "the cut fails: the databases are resumed without a backup",
                        "the metadata backup cannot be read: it stays on the server; the recovery point names it, and why",
                        "the service is killed: the server ends both sessions, and the suspension with them, at once",
                        "the service is stopped, or the network is cut: the server itself ends the suspending session at the"
                                + " freeze limit"));
    }
}
