package io.tidemark.consistency.postgresql;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.MountTable;
import io.tidemark.consistency.Quiescer;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Brings a server to a checkpoint and keeps it in backup mode while the storage is cut. Backup mode holds no writer
 * back (the file system's freeze does that): it makes what is cut recoverable also where the storage cannot cut all
 * at once, bounds the recovery by a fresh checkpoint, and its positions name the cut in the server's own terms.
 *
 * <p>The backup belongs to the session. If it ends for any reason, {@code pg_backup_stop} (in version 14 {@code pg_stop_backup}) cannot succeed, so a
 * successful one proves that the mode held from its start to its stop. Source: PostgreSQL 15 manual, 26.3.3 "Making a
 * Base Backup Using the Low Level API".
 */
final class PostgresQuiescer implements Quiescer {
    /** Maintained until November 2026 (postgresql.org/support/versioning), and still widely run. */
    static final int VERSION_MINIMUM = 14_00_00;
    /** The newest whose interface was read; a later one may have changed it. */
    static final int VERSION_MAJOR_MAXIMUM = 18;

    private static final int NUMBERS_A_MAJOR = 10_000;
    private static final long ASK_EVERY_MILLIS = 50;

    private final PostgresSettings settings;

    PostgresQuiescer(PostgresSettings settings) {
        this.settings = settings;
    }

    @Override
    public String kind() {
        return PostgresSettings.KIND;
    }

    @Override
    public String subject() {
        return settings.subject();
    }

    @Override
    public Check check(List<Volume> volumes) throws ConsistencyException {
        try (var session = PostgresSession.open(settings)) {
            var server = session.describe();
            refuseUnfit(server, session.calls());
            if (server.inRecovery()) {
                refuseUnfitStandby(session);
            }
            var finding = new DataPlaces(MountTable.read()).find(server, DataPlaces.isLocal(settings), volumes);
            if (finding.outside().isPresent()) {
                throw failed(finding.outside().get());
            }
            return new Check(finding.unverified());
        } catch (SQLException | IOException e) {
            throw failed(reason(e));
        }
    }

    private void refuseUnfit(PostgresSession.Server server, BackupCalls calls) throws ConsistencyException {
        if (server.versionNumber() < VERSION_MINIMUM
                || server.versionNumber() / NUMBERS_A_MAJOR > VERSION_MAJOR_MAXIMUM) {
            throw failed("server is PostgreSQL %s, supported are %d to %d"
                    .formatted(server.version(), VERSION_MINIMUM / NUMBERS_A_MAJOR, VERSION_MAJOR_MAXIMUM));
        }
        if (!server.mayBackUp()) {
            throw failed(
                    "role %s may not execute %s".formatted(settings.user(), String.join(" and ", calls.functions())));
        }
    }

    private void refuseUnfitStandby(PostgresSession session) throws ConsistencyException, SQLException {
        if (!session.mayPauseReplay()) {
            throw failed("server is a standby, and role %s may not execute %s: grant it on the primary"
                    .formatted(settings.user(), String.join(" and ", StandbyStatements.FUNCTIONS)));
        }
        awaitOtherKeepers(session);
        try {
            var lag = StandbyLag.measure(session::standby, settings.lagLimit(), System::nanoTime);
            if (lag.refusal().isPresent()) {
                throw failed(lag.refusal().get());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed("measuring the lag of the standby was interrupted");
        }
    }

    /** One whose service died would let the replay that we pause go on in our cut: it ends within its own limit. */
    private void awaitOtherKeepers(PostgresSession session) throws ConsistencyException, SQLException {
        long started = System.nanoTime();
        var keepers = session.keepers();
        while (!keepers.isEmpty()) {
            if (System.nanoTime() - started > settings.lagLimit().toNanos()) {
                throw failed(
                        "replay of the standby is held by another Tidemark session, backend %s, for more than %d ms (maxLagMillis)"
                                .formatted(
                                        String.join(", ", keepers),
                                        settings.lagLimit().toMillis()));
            }
            try {
                TimeUnit.MILLISECONDS.sleep(ASK_EVERY_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw failed("waiting for another session that holds the replay was interrupted");
            }
            keepers = session.keepers();
        }
    }

    @Override
    public Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
        PostgresSession session;
        try {
            session = PostgresSession.open(settings);
        } catch (SQLException | IOException e) {
            throw failed(reason(e));
        }
        try {
            var server = session.describe();
            refuseUnfit(server, session.calls());
            if (server.inRecovery()) {
                refuseUnfitStandby(session);
            }
            long requested = System.nanoTime();
            var startLsn = session.startBackup("tidemark " + recoveryPoint);
            var facts = facts(server, startLsn);
            Optional<StandbyHold> standby =
                    server.inRecovery() ? Optional.of(new StandbyHold(settings, session, facts)) : Optional.empty();
            return new PostgresFrozen(session, subject(), requested, System.nanoTime(), facts, standby);
        } catch (SQLException e) {
            session.close();
            throw failed(reason(e));
        } catch (ConsistencyException e) {
            session.close();
            throw e;
        }
    }

    private static Map<String, String> facts(PostgresSession.Server server, String startLsn) {
        var facts = new LinkedHashMap<String, String>();
        facts.put("version", server.version());
        facts.put("startLsn", startLsn);
        facts.put("dataChecksums", server.dataChecksums() ? "on" : "off");
        facts.put("inRecovery", Boolean.toString(server.inRecovery()));
        return facts;
    }

    private ConsistencyException failed(String reason) {
        return new ConsistencyException(new ConsistencyError.FreezeFailed(kind(), subject(), reason));
    }

    /** The driver's first line, without its hints; it never holds the password. */
    static String reason(Exception e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("no answer");
    }
}
