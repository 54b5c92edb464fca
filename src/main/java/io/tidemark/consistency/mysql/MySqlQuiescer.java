package io.tidemark.consistency.mysql;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.MountTable;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.mysqlprotocol.DataPlaces;
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

/**
 * Holds what a server's own recovery would not make good, and no more. With InnoDB alone, which has its log written
 * before a commit is acknowledged, that is nothing: the freeze of the file system writes out what was written, and the
 * backup lock keeps files from being made and removed meanwhile. With tables that no log recovers, or a log that lags
 * behind its commits, it is every write: the global read lock.
 */
final class MySqlQuiescer implements Quiescer {
    /**
     * From the backup lock until the cut all dirty pages are written out. A server that hears nothing for this long ends
     * the session by itself, and with it the lock.
     */
    private static final Duration WRITE_OUT_LIMIT = Duration.ofMinutes(10);

    private final MySqlSettings settings;
    private final MySqlFailures failures;

    MySqlQuiescer(MySqlSettings settings) {
        this.settings = settings;
        this.failures = new MySqlFailures(settings.access().subject());
    }

    @Override
    public String kind() {
        return MySqlSettings.KIND;
    }

    @Override
    public String subject() {
        return settings.access().subject();
    }

    @Override
    public Check check(List<Volume> volumes) throws ConsistencyException {
        try (var session = MySqlSession.open(settings)) {
            var server = session.describe();
            refuseUnfit(session, server);
            var positions = session.positions();
            boolean sees = session.maySeeOthers();
            var warnings = new ArrayList<String>();
            var places = places(session, server, sees, volumes, warnings);
            if (places.outside().isPresent()) {
                throw failures.of(places.outside().get());
            }
            warnings.addAll(0, places.unverified());
            server.globalLockReason()
                    .ifPresent(reason -> warnings.add(
                            "every write is held by the global read lock, which waits for each statement that runs: "
                                    + reason));
            server.unknownEngines()
                    .forEach((engine, tables) ->
                            warnings.add("a recovery point may lack or damage rows of engine %s, which %s tables have"
                                    .formatted(engine, tables)));
            if (positions.isEmpty()) {
                warnings.add("the server has no performance schema, so the recovery point will not tell its positions");
            }
            if (positions.containsKey("replicationChannels") || server.groupMember()) {
                warnings.add(
                        "the server applies what others commit: the recovery point has what was applied here by then");
            }
            return new Check(warnings);
        } catch (SQLException | IOException e) {
            throw failures.of(e);
        }
    }

    private ApplicationPlaces.Finding places(
            MySqlSession session, MySqlServer server, boolean sees, List<Volume> volumes, List<String> warnings)
            throws SQLException, IOException {
        if (!settings.access().local()) {
            return ApplicationPlaces.Finding.elsewhere();
        }
        var more = new LinkedHashMap<Path, String>();
        server.variable("innodb_doublewrite_dir")
                .ifPresent(path -> more.put(Path.of(path), "InnoDB's doublewrite buffer"));
        for (var path : server.variable("innodb_directories").orElse("").split(";", -1)) {
            if (!path.isBlank()) {
                more.putIfAbsent(Path.of(path.strip()), "folder of innodb_directories");
            }
        }
        if (sees) {
            addFiles(session.filesElsewhere(), more, warnings);
        } else {
            warnings.add("files of tables are hidden from user %s (grant PROCESS), so nobody checked tables with a DATA"
                            .formatted(settings.access().user())
                    + " DIRECTORY");
        }
        return new DataPlaces(new ApplicationPlaces(MountTable.read())).find(server::variable, more, volumes);
    }

    private static void addFiles(List<Path> files, Map<Path, String> places, List<String> warnings) {
        for (var file : files) {
            var folder = file.getParent();
            if (folder != null) {
                places.putIfAbsent(folder, "file %s of InnoDB, in".formatted(file.getFileName()));
            }
        }
        if (files.size() > MySqlSession.FILES_MAXIMUM) {
            warnings.add("more than %d files of InnoDB are outside the data directory: nobody checked where all lie"
                    .formatted(MySqlSession.FILES_MAXIMUM));
        }
    }

    /** Also where a right is missing that the freeze will need. */
    private void refuseUnfit(MySqlSession session, MySqlServer server) throws ConsistencyException, SQLException {
        var unfit = server.unfit();
        if (unfit.isPresent()) {
            throw failures.of(unfit.get());
        }
        var reason = server.globalLockReason();
        if (reason.isEmpty()) {
            return;
        }
        if (!session.maySeeOthers()) {
            throw failures.of(
                    ("statements of others are hidden from user %s, and a global read lock that waits for one of"
                                    + " them holds everybody: grant PROCESS ON *.* (it is needed because %s)")
                            .formatted(settings.access().user(), reason.get()));
        }
        refuseBlind(session, reason.get());
        if (!session.mayFlush()) {
            throw failures.of("user %s may not say FLUSH: grant RELOAD ON *.* (it is needed because %s)"
                    .formatted(settings.access().user(), reason.get()));
        }
    }

    private void refuseBlind(MySqlSession session, String reason) throws ConsistencyException, SQLException {
        if (!session.listsStatements()) {
            throw failures.of(
                    "the server has no performance schema, so nobody sees the statements that a global read lock"
                            + " would wait for: start it with performance_schema=ON (it is needed because %s)"
                                    .formatted(reason));
        }
    }

    @Override
    public Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
        MySqlSession session;
        try {
            session = MySqlSession.open(settings);
        } catch (SQLException | IOException e) {
            throw failures.of(e);
        }
        boolean frozen = false;
        try {
            var server = session.describe();
            refuseUnfit(session, server);
            session.limitIdling(WRITE_OUT_LIMIT);
            long started = System.nanoTime();
            var hold = server.globalLockReason().isPresent() ? Hold.EVERY_WRITE : Hold.DDL_ALONE;
            if (hold == Hold.DDL_ALONE) {
                lockForBackup(session);
            } else {
                GlobalReadLock.refuseHopeless(session, settings, failures, limit);
            }
            var result = new MySqlFrozen(session, settings, failures, server, hold, started);
            frozen = true;
            return result;
        } catch (SQLException e) {
            throw failures.of(e);
        } finally {
            if (!frozen) {
                session.close();
            }
        }
    }

    /** From then on no table is made and none gets another engine; one that was until then is seen here. */
    private void lockForBackup(MySqlSession session) throws ConsistencyException, SQLException {
        try {
            session.lockForBackup();
        } catch (SQLException e) {
            throw failures.ofLock(session, Hold.DDL_ALONE, settings.access().statementLimit(), e);
        }
        var now = session.describe();
        refuseUnfit(session, now);
        var reason = now.globalLockReason();
        if (reason.isPresent()) {
            throw failures.of("every write would have to be held since a moment ago, take it again: " + reason.get());
        }
    }
}
