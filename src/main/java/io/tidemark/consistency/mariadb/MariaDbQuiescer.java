package io.tidemark.consistency.mariadb;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.MountTable;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.mysqlprotocol.DataPlaces;
import io.tidemark.consistency.mysqlprotocol.ServerAccess;
import io.tidemark.consistency.mysqlprotocol.ServerFailures;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Passes a server through the stages of a backup: the first when it is frozen, which holds no writer; the others right
 * before the file systems are frozen. At the last no commit is under way, tables without transactions are written out
 * and closed, and the binary log ends where the tables do. Transactions that are open then are rolled back when a copy
 * is started.
 */
final class MariaDbQuiescer implements Quiescer {
    /** Those whose rows were seen to be whole in a cut that this quiescer held, or are by the same engine. */
    private static final Set<String> SURVIVING = Set.of("INNODB", "ARIA", "MYISAM", "MRG_MYISAM", "SEQUENCE");

    /**
     * From the first stage until the writers are held all dirty pages are written out. A server that hears nothing for
     * this long ends the backup's first stage by itself.
     */
    private static final Duration WRITE_OUT_LIMIT = Duration.ofMinutes(10);

    private final ServerAccess settings;
    private final MariaDbFailures failures;

    MariaDbQuiescer(ServerAccess settings) {
        this.settings = settings;
        this.failures = new MariaDbFailures(settings.subject());
    }

    @Override
    public String kind() {
        return MariaDbSettings.KIND;
    }

    @Override
    public String subject() {
        return settings.subject();
    }

    @Override
    public Check check(List<Volume> volumes) throws ConsistencyException {
        try (var session = MariaDbSession.open(settings)) {
            var server = session.describe();
            refuseUnfit(session, server);
            var places = settings.local()
                    ? new MariaDbPlaces(new DataPlaces(new ApplicationPlaces(MountTable.read()))).find(server, volumes)
                    : ApplicationPlaces.Finding.elsewhere();
            if (places.outside().isPresent()) {
                throw failures.of(places.outside().get());
            }
            var warnings = new ArrayList<>(places.unverified());
            if (server.hidesPositions()) {
                warnings.add("the binary log's position is hidden from user %s (grant BINLOG MONITOR), so the recovery"
                                .formatted(settings.user())
                        + " point will not tell it");
            }
            warnings.addAll(ofEngines(session));
            return new Check(warnings);
        } catch (SQLException | IOException e) {
            throw failures.of(e);
        }
    }

    private List<String> ofEngines(MariaDbSession session) {
        Optional<Map<String, String>> tables;
        try {
            tables = session.tablesByEngine();
        } catch (SQLException e) {
            return List.of("nobody checked the tables' engines: " + ServerFailures.reason(e));
        }
        if (tables.isEmpty()) {
            return List.of("tables are hidden from user %s (grant SHOW VIEW), so nobody checked their engines"
                    .formatted(settings.user()));
        }
        return new TreeMap<>(tables.get())
                .entrySet().stream()
                        .filter(engine -> !SURVIVING.contains(engine.getKey().toUpperCase(Locale.ROOT)))
                        .map(engine -> "a recovery point may lack or damage rows of engine %s, which %s tables have"
                                .formatted(engine.getKey(), engine.getValue()))
                        .toList();
    }

    private void refuseUnfit(MariaDbSession session, ServerDescription server)
            throws ConsistencyException, SQLException {
        var unfit = server.unfit();
        if (unfit.isPresent()) {
            throw failures.of(unfit.get());
        }
        if (!session.mayBackUp()) {
            throw failures.of("user %s may not execute BACKUP STAGE: grant RELOAD ON *.*".formatted(settings.user()));
        }
    }

    @Override
    public Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
        MariaDbSession session;
        try {
            session = MariaDbSession.open(settings);
        } catch (SQLException | IOException e) {
            throw failures.of(e);
        }
        try {
            var server = session.describe();
            refuseUnfit(session, server);
            session.limitIdling(WRITE_OUT_LIMIT);
            long started = System.nanoTime();
            start(session);
            return new MariaDbFrozen(session, failures, server, started);
        } catch (SQLException e) {
            session.close();
            throw failures.of(e);
        } catch (ConsistencyException e) {
            session.close();
            throw e;
        }
    }

    private void start(MariaDbSession session) throws ConsistencyException {
        try {
            session.stage(BackupStage.START);
        } catch (SQLException e) {
            throw failures.ofStage(session, BackupStage.START, settings.statementLimit(), e);
        }
    }
}
