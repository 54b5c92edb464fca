package io.tidemark.consistency.oracle;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.MountTable;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.jdbc.JdbcConnection;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Asks a database where it stands before and after a cut that frozen file systems make atomic. */
final class OracleQuiescer implements Quiescer {
    private final OracleSettings settings;
    private final Map<String, String> written;
    private final OracleFailures failures;
    private final JdbcConnection.Connector connector;
    private final BackupJournal journal;

    /** @param written the settings as the user wrote them */
    OracleQuiescer(
            OracleSettings settings,
            Map<String, String> written,
            JdbcConnection.Connector connector,
            BackupJournal journal) {
        this.settings = settings;
        this.written = Map.copyOf(written);
        this.failures = new OracleFailures(settings.subject());
        this.connector = connector;
        this.journal = journal;
    }

    @Override
    public String kind() {
        return OracleSettings.KIND;
    }

    @Override
    public String subject() {
        return settings.subject();
    }

    @Override
    public Check check(List<Volume> volumes) throws ConsistencyException {
        try (var session = OracleSession.open(settings, connector)) {
            var database = session.describe();
            refuseUnfit(session, database);
            var warnings = new ArrayList<String>();
            if (settings.backupMode() && !session.backupState().none()) {
                warnings.add(
                        "it is in backup mode now: a recovery point would be refused unless this service left it so");
            }
            if (!database.archivesLogs()) {
                warnings.add("database %s is in NOARCHIVELOG mode: a recovery point can be recovered to its cut alone"
                        .formatted(database.name()));
            }
            warnings.addAll(places(session, volumes));
            return new Check(warnings);
        } catch (SQLException | IOException e) {
            throw failures.of(e);
        }
    }

    private void refuseUnfit(OracleSession session, DatabaseDescription database)
            throws ConsistencyException, SQLException {
        var unfit = database.unfit(settings.backupMode());
        if (unfit.isPresent()) {
            throw failures.of(unfit.get());
        }
        var managed = DatabaseDescription.managed(List.copyOf(session.files().keySet()));
        if (managed.isPresent()) {
            throw failures.of(
                    "%s lies in a disk group of Automatic Storage Management, which has no file system that could"
                                    .formatted(managed.get())
                            + " be frozen: that is not supported");
        }
    }

    private List<String> places(OracleSession session, List<Volume> volumes)
            throws ConsistencyException, SQLException, IOException {
        if (!settings.local()) {
            return ApplicationPlaces.Finding.elsewhere().unverified();
        }
        var places = new ApplicationPlaces(MountTable.read());
        var finding = places.find(byPath(session.files()), volumes);
        if (finding.outside().isPresent()) {
            throw failures.of(finding.outside().get());
        }
        var warnings = new ArrayList<>(finding.unverified());
        var archives = new LinkedHashMap<Path, String>();
        session.archives().stream()
                .filter(folder -> folder.startsWith("/"))
                .forEach(folder -> archives.put(Path.of(folder), "archived redo log folder"));
        // The cut does without them; recovering to a later time does not.
        var archived = places.find(archives, volumes);
        archived.outside().ifPresent(warnings::add);
        warnings.addAll(archived.unverified());
        return warnings;
    }

    private static Map<Path, String> byPath(Map<String, String> files) {
        var places = new LinkedHashMap<Path, String>();
        files.forEach((path, what) -> places.put(Path.of(path), what));
        return places;
    }

    @Override
    public Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
        OracleSession session;
        try {
            session = OracleSession.open(settings, connector);
        } catch (SQLException | IOException e) {
            throw failures.of(e);
        }
        boolean done = false;
        try {
            new LeftInBackupMode(journal, connector).end(settings);
            var database = session.describe();
            refuseUnfit(session, database);
            long started = System.nanoTime();
            var files = session.files();
            var backupMode =
                    settings.backupMode() ? Optional.of(begin(session, recoveryPoint)) : Optional.<BackupMode>empty();
            done = true;
            return new OracleFrozen(
                    new OracleFrozen.Parts(session, settings, failures, connector, backupMode),
                    database,
                    files,
                    started);
        } catch (SQLException | IOException e) {
            throw failures.of(e);
        } finally {
            if (!done) {
                session.close();
            }
        }
    }

    private BackupMode begin(OracleSession session, RecoveryPointId recoveryPoint)
            throws ConsistencyException, SQLException, IOException {
        var state = session.backupState();
        if (!state.none()) {
            throw failures.of(
                    "%d of its %d data files are in backup mode already, since %s: somebody else's backup runs, or"
                                    .formatted(state.active(), state.files(), state.since())
                            + " was left; ALTER DATABASE END BACKUP ends it");
        }
        return BackupMode.begin(session, journal, recoveryPoint, written);
    }
}
