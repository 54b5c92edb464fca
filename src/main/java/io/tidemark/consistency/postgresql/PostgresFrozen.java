package io.tidemark.consistency.postgresql;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.domain.Certificate;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A server in backup mode, on its one session; a standby's replay is paused for the cut too. */
final class PostgresFrozen implements Frozen {
    private static final String TIMELINE = "START TIMELINE: ";

    /** Evidence is kept to 1 MiB each; a character takes at most 4 bytes. */
    private static final int EVIDENCE_CHARACTERS_MAXIMUM = 1 << 18;

    private final PostgresSession session;
    private final String subject;
    private final long requestedNanos;
    private final long acknowledgedNanos;
    private final Map<String, String> facts;
    private final Optional<StandbyHold> standby;
    private @Nullable Release release;

    /**
     * @param facts to which more are added
     * @param standby where the server is one
     */
    PostgresFrozen(
            PostgresSession session,
            String subject,
            long requestedNanos,
            long acknowledgedNanos,
            Map<String, String> facts,
            Optional<StandbyHold> standby) {
        this.session = session;
        this.subject = subject;
        this.requestedNanos = requestedNanos;
        this.acknowledgedNanos = acknowledgedNanos;
        this.facts = facts;
        this.standby = standby;
    }

    /** A primary's writers are held by the file systems alone. */
    @Override
    public void hold(Duration limit) throws ConsistencyException {
        if (standby.isEmpty()) {
            return;
        }
        Optional<String> refusal;
        try {
            refusal = standby.get().pause(limit);
        } catch (SQLException | IOException e) {
            refusal = Optional.of(PostgresQuiescer.reason(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            refusal = Optional.of("waiting for its replay to pause was interrupted");
        }
        if (refusal.isPresent()) {
            throw new ConsistencyException(
                    new ConsistencyError.FreezeFailed(PostgresSettings.KIND, subject, refusal.get()));
        }
    }

    @Override
    public boolean heldUntilNow() {
        return release == null && standby.map(StandbyHold::heldUntilNow).orElse(true) && session.alive();
    }

    @Override
    public Release thaw() {
        if (release == null) {
            try {
                standby.ifPresent(StandbyHold::release);
                release = stop();
            } finally {
                session.close();
                standby.ifPresent(StandbyHold::end);
            }
        }
        return release;
    }

    private Release stop() {
        long thawed = System.nanoTime();
        Map<String, String> evidence = new LinkedHashMap<>();
        boolean held = true;
        try {
            var stop = session.stopBackup();
            facts.put("stopLsn", stop.stopLsn());
            stop.label()
                    .lines()
                    .filter(line -> line.startsWith(TIMELINE))
                    .findFirst()
                    .ifPresent(line -> facts.put("timeline", line.substring(TIMELINE.length())));
            keep(evidence, "backup_label", stop.label());
            keep(evidence, "tablespace_map", stop.tablespaceMap());
        } catch (SQLException e) {
            // The session, and with it the backup, ended before its time.
            held = false;
            facts.put(
                    "stopError",
                    String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
        }
        var freeze = new Certificate.Freeze(
                PostgresSettings.KIND,
                subject,
                requestedNanos,
                acknowledgedNanos,
                thawed,
                System.nanoTime(),
                held,
                facts);
        return new Release(List.of(freeze), evidence);
    }

    private void keep(Map<String, String> evidence, String name, String text) {
        if (text.length() > EVIDENCE_CHARACTERS_MAXIMUM) {
            facts.put(name, "left out: longer than %d characters".formatted(EVIDENCE_CHARACTERS_MAXIMUM));
        } else if (!text.isEmpty()) {
            evidence.put(name, text);
        }
    }
}
