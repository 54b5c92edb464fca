package io.tidemark.consistency.oracle;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.consistency.jdbc.JdbcConnection;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;

/** Makes quiescers of kind {@code oracle}. */
public final class OracleQuiescerFactory implements QuiescerFactory {
    private static final String LEAST_RIGHTS = """
            -- in the root of a container database; without one: a name without c##
            CREATE USER c##tidemark IDENTIFIED BY "***";
            GRANT CREATE SESSION TO c##tidemark;
            GRANT SELECT ON SYS.V_$INSTANCE TO c##tidemark;
            GRANT SELECT ON SYS.V_$DATABASE TO c##tidemark;
            GRANT SELECT ON SYS.V_$VERSION TO c##tidemark;
            GRANT SELECT ON SYS.V_$DATAFILE TO c##tidemark;
            GRANT SELECT ON SYS.V_$LOGFILE TO c##tidemark;
            GRANT SELECT ON SYS.V_$CONTROLFILE TO c##tidemark;
            GRANT SELECT ON SYS.V_$ARCHIVE_DEST TO c##tidemark;
            -- a container database shows files of its pluggable ones to whom it is told to
            ALTER USER c##tidemark SET CONTAINER_DATA = ALL CONTAINER = CURRENT;
            -- only with mode=backupMode
            GRANT SELECT ON SYS.V_$BACKUP TO c##tidemark;
            GRANT ALTER DATABASE TO c##tidemark;
            """;

    private final JdbcConnection.Connector connector;
    private final BackupJournal journal;

    /** @param driver Oracle's jar, as this host's configuration names it */
    public OracleQuiescerFactory(Optional<Path> driver, Path stateFolder) {
        this(new OracleDriver(driver), stateFolder);
    }

    OracleQuiescerFactory(JdbcConnection.Connector connector, Path stateFolder) {
        this.connector = connector;
        this.journal = new BackupJournal(stateFolder.resolve("held-oracle"));
    }

    @Override
    public String kind() {
        return OracleSettings.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return new OracleQuiescer(OracleSettings.of(spec), spec.settings(), connector, journal);
    }

    /** Backup mode holds nobody, but lasts until it is ended, and the database is not shut down cleanly in it. */
    @Override
    public void sweep() {
        new LeftInBackupMode(journal, connector).endAll();
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }

    @Override
    public Explanation explain(QuiescerSpec spec) throws ConsistencyException {
        var settings = new HashMap<>(spec.settings());
        settings.putIfAbsent("service", "orcl");
        boolean backupMode =
                OracleSettings.of(new QuiescerSpec(spec.kind(), settings)).backupMode();
        return new Explanation(
                kind(),
                "Cuts Oracle Database 12c and later at one instant, as its own recovery can do with, and keeps what"
                        + " recovering from it needs.",
                List.of(
                        "driver: Oracle's own, from the jar that %s in this host's configuration names"
                                .formatted(OracleDriver.SETTING),
                        "plan: version, role, log mode and rights are asked for; data files, redo logs and control files must"
                                + " lie on the group's volumes. Clusters, ASM, standbys and pluggable databases are refused",
                        backupMode
                                ? "freeze: a journal entry is written, then ALTER DATABASE BEGIN BACKUP, which waits for a"
                                        + " checkpoint and holds nobody"
                                : "freeze: a session is opened; holds nobody",
                        "file systems are written out meanwhile",
                        "hold: the server's time, SCN and checkpoint are asked for; its writers are held by the frozen file"
                                + " systems alone",
                        "file systems are frozen, the volumes are cut, file systems are thawed",
                        "thaw: time, SCN and checkpoint again, and whether it is the same open database with the same files"
                                + (backupMode ? ", in backup mode without a break; then ALTER DATABASE END BACKUP" : "")
                                + ". What to say to recover is kept with the recovery point"),
                leastRights(),
                OracleSettings.ALL,
                List.of(
                        "no driver: FreezeFailed, which names the setting and where the driver is to be had",
                        "the instance restarts, or a data file is added, before the cut is done: not held, so not APPLICATION",
                        "file systems are not frozen together: the cut is not of one instant, so not APPLICATION",
                        "the service is killed or stopped: nobody was held; with mode=backupMode the database stays in backup"
                                + " mode until the service starts again, or freezes it again, and ends it by its journal",
                        "it is in backup mode by somebody else: FreezeFailed; theirs is never ended"));
    }
}
