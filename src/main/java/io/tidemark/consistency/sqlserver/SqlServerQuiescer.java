package io.tidemark.consistency.sqlserver;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.MountTable;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.jdbc.JdbcConnection;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Suspends databases together, right before the file systems are frozen: from the server's answer on every write to them
 * waits and their files can be restored from. Reads go on. After the cut a metadata backup lets the writes go on.
 */
final class SqlServerQuiescer implements Quiescer {
    private final SqlServerSettings settings;
    private final SqlServerFailures failures;
    private final JdbcConnection.Connector connector;

    SqlServerQuiescer(SqlServerSettings settings, JdbcConnection.Connector connector) {
        this.settings = settings;
        this.failures = new SqlServerFailures(settings.subject());
        this.connector = connector;
    }

    @Override
    public String kind() {
        return SqlServerSettings.KIND;
    }

    @Override
    public String subject() {
        return settings.subject();
    }

    @Override
    public Check check(List<Volume> volumes) throws ConsistencyException {
        try (var session = SqlServerSession.open(settings, connector)) {
            var server = session.describe();
            var choice = choose(session, server);
            var warnings = new ArrayList<>(choice.warnings());
            var places = places(session, choice.names(), volumes);
            if (places.outside().isPresent()) {
                throw failures.of(places.outside().get());
            }
            warnings.addAll(places.unverified());
            warnings.addAll(ofMetadata(session, server));
            if (!settings.copyOnly()) {
                warnings.add(
                        "backupMode is full: later differential backups need this recovery point, and cannot be restored"
                                + " once it is deleted, or where it was given up after the cut");
            }
            return new Check(warnings);
        } catch (SQLException | IOException e) {
            throw failures.of(e);
        }
    }

    /** Changes nothing: whether the server may write into the folder shows when it does. */
    private List<String> ofMetadata(SqlServerSession session, ServerDescription server)
            throws ConsistencyException, SQLException {
        var folder = metadataFolder(server);
        var warnings = new ArrayList<String>();
        var exists = session.folderExists(folder);
        if (exists.isPresent() && !exists.get()) {
            throw failures.of("folder %s for the metadata backup does not exist on the server: make it, or name another"
                            .formatted(folder)
                    + " by metadataFolder");
        }
        if (exists.isEmpty()) {
            warnings.add("nobody checked that the server has folder %s for the metadata backup".formatted(folder));
        }
        boolean readableHere = settings.local() && Files.isDirectory(Path.of(folder));
        if (!readableHere && !server.rights().contains(ServerDescription.READ_FILES)) {
            warnings.add("the metadata backup in %s can be read neither from here nor through the server (grant %s): it"
                            .formatted(folder, ServerDescription.READ_FILES)
                    + " will be left there, and restoring needs it");
        }
        return warnings;
    }

    private String metadataFolder(ServerDescription server) throws ConsistencyException {
        var folder = settings.metadataFolder().orElse(server.defaultBackupFolder());
        if (folder.isEmpty()) {
            throw failures.of("the server has no default folder for backups: name one by metadataFolder");
        }
        return folder;
    }

    private ApplicationPlaces.Finding places(SqlServerSession session, List<String> databases, List<Volume> volumes)
            throws SQLException, IOException {
        if (!settings.local()) {
            return ApplicationPlaces.Finding.elsewhere();
        }
        var places = new LinkedHashMap<Path, String>();
        var unverified = new ArrayList<String>();
        var files = session.files(databases);
        for (var database : databases) {
            var paths = files.getOrDefault(database, List.of());
            if (paths.isEmpty()) {
                unverified.add(
                        "files of database %s are hidden from user %s (grant %s), so nobody checked that they lie"
                                        .formatted(database, settings.user(), ServerDescription.SEE_FILES)
                                + " on the volumes");
            }
            paths.forEach(path -> places.putIfAbsent(Path.of(path), "database %s's file".formatted(database)));
        }
        var finding = new ApplicationPlaces(MountTable.read()).find(places, volumes);
        unverified.addAll(finding.unverified());
        return new ApplicationPlaces.Finding(finding.outside(), unverified);
    }

    private ServerDescription.Choice choose(SqlServerSession session, ServerDescription server)
            throws ConsistencyException, SQLException {
        var unfit = server.unfit();
        if (unfit.isPresent()) {
            throw failures.of(unfit.get());
        }
        var choice = server.choose(settings.databases());
        if (choice.refusal().isPresent()) {
            throw failures.of(choice.refusal().get());
        }
        var suspended = session.suspendedOf(choice.names());
        if (!suspended.isEmpty()) {
            throw failures.of("database %s is suspended for somebody else's snapshot backup"
                    .formatted(String.join(", ", suspended)));
        }
        return choice;
    }

    /** Holds nobody: both sessions are opened, and what they say is made ready. */
    @Override
    public Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
        SqlServerSession session = null;
        try {
            session = SqlServerSession.open(settings, connector);
            var server = session.describe();
            var choice = choose(session, server);
            var statements = new SuspendStatements(choice.names());
            var metadata = new MetadataFile(
                    path(
                            metadataFolder(server),
                            "tidemark-%s-%d.bkm"
                                    .formatted(recoveryPoint, session.identity().number())),
                    settings.local());
            var keeper = SuspendKeeper.open(settings, connector);
            var kept = session;
            session = null;
            return new SqlServerFrozen(
                    new SqlServerFrozen.Parts(
                            kept, keeper, failures, statements, recoveryPoint, settings.copyOnly(), metadata),
                    server,
                    choice.databases());
        } catch (SQLException | IOException e) {
            throw failures.of(e);
        } finally {
            closeUnlessKept(session);
        }
    }

    private static void closeUnlessKept(@Nullable SqlServerSession session) {
        if (session != null) {
            session.close();
        }
    }

    private static String path(String folder, String name) {
        var separator = folder.contains("\\") ? "\\" : "/";
        return folder.endsWith(separator) ? folder + name : folder + separator + name;
    }
}
