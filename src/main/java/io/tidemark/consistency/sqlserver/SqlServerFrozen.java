package io.tidemark.consistency.sqlserver;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.domain.Certificate;
import io.tidemark.spi.RecoveryPointId;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Databases that are suspended on our one session. The metadata backup succeeds on the session that suspended and only
 * while they are suspended: so its success proves that they were until then.
 *
 * <p>It is said only once the cut is known to be done: without a cut it would leave the record of a backup that nobody
 * has. Then, and where it fails, they are resumed.
 */
final class SqlServerFrozen implements Frozen {
    private final Parts parts;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private final long startedNanos;
    private @Nullable Held held;
    private boolean mayBeSuspended;
    private boolean hasHeld;
    private @Nullable Release release;

    /**
     * @param copyOnly as in the settings
     * @param metadata where the metadata backup will be
     */
    record Parts(
            SqlServerSession session,
            SuspendKeeper keeper,
            SqlServerFailures failures,
            SuspendStatements statements,
            RecoveryPointId recoveryPoint,
            boolean copyOnly,
            MetadataFile metadata) {}

    private record Held(long requestedNanos, long acknowledgedNanos, Duration limit) {}

    SqlServerFrozen(Parts parts, ServerDescription server, List<ServerDescription.Database> databases) {
        this.parts = parts;
        this.startedNanos = System.nanoTime();
        facts.put("version", server.version());
        facts.put("edition", server.edition());
        facts.put("databases", String.join(", ", parts.statements().databases()));
        facts.put(
                "recoveryModels",
                String.join(
                        ", ",
                        databases.stream()
                                .map(ServerDescription.Database::recoveryModel)
                                .distinct()
                                .toList()));
        facts.put("backupMode", parts.copyOnly() ? "copyOnly" : "full");
    }

    /**
     * {@inheritDoc}
     *
     * <p>Its limit is the keeper's too. The keeper, which ends it at the limit, is seen to wait on the server before anything is suspended.
     */
    @Override
    public void hold(Duration limit) throws ConsistencyException {
        if (release != null || held != null) {
            throw new IllegalStateException("it is held once, before it is thawed");
        }
        long requested = System.nanoTime();
        var waiting = Frozen.holdingLimit(limit);
        boolean done = false;
        try {
            if (!parts.keeper().start(parts.session(), parts.statements(), limit, waiting)) {
                throw parts.failures()
                        .of("the batch that would end the suspension did not begin to wait within %d ms"
                                .formatted(waiting.toMillis()));
            }
            parts.session().limitStatements(left(requested, waiting));
            mayBeSuspended = true;
            parts.session().execute(parts.statements().suspend(parts.copyOnly()));
            long acknowledged = System.nanoTime();
            if (acknowledged - requested > waiting.toNanos()) {
                throw parts.failures()
                        .of("its databases were suspended after %d ms only, more than half of the freeze limit"
                                .formatted(Duration.ofNanos(acknowledged - requested)
                                        .toMillis()));
            }
            parts.session().limitStatements(left(requested, limit));
            held = new Held(requested, acknowledged, limit);
            done = true;
        } catch (SQLException e) {
            throw parts.failures().ofHold(waiting, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw parts.failures().of("waiting for the server was interrupted");
        } finally {
            if (!done) {
                // Of several databases some may be suspended.
                letGo();
            }
        }
    }

    /** At least a millisecond: zero would be no limit at all. */
    private static Duration left(long sinceNanos, Duration limit) {
        var left = limit.minusNanos(System.nanoTime() - sinceNanos);
        return left.toMillis() < 1 ? Duration.ofMillis(1) : left;
    }

    @Override
    public boolean heldUntilNow() {
        hasHeld = release == null
                && held != null
                && System.nanoTime() - held.requestedNanos() < held.limit().toNanos()
                && parts.session()
                        .holds(
                                parts.statements().databases(),
                                Duration.ofNanos(System.nanoTime() - held.acknowledgedNanos()));
        return hasHeld;
    }

    @Override
    public Release thaw() {
        if (release == null) {
            release = end();
        }
        return release;
    }

    private Release end() {
        long thawed = System.nanoTime();
        boolean backedUp = hasHeld && backUp();
        long released = System.nanoTime();
        Map<String, String> evidence = Map.of();
        if (backedUp) {
            parts.keeper().dismiss();
            evidence = parts.metadata()
                    .take(parts.session(), facts)
                    .map(text -> Map.of(MetadataFile.EVIDENCE, text))
                    .orElse(Map.of());
            parts.session().close();
        } else {
            letGo();
            released = System.nanoTime();
        }
        // Where its writers never were held, it was asked, and never known, to hold.
        var times = held == null ? new Held(startedNanos, thawed, Duration.ZERO) : held;
        return new Release(
                List.of(new Certificate.Freeze(
                        SqlServerSettings.KIND,
                        parts.failures().subject(),
                        times.requestedNanos(),
                        times.acknowledgedNanos(),
                        thawed,
                        released,
                        backedUp,
                        facts)),
                evidence);
    }

    private boolean backUp() {
        try {
            parts.session()
                    .execute(parts.statements()
                            .backUp(
                                    parts.metadata().path(),
                                    parts.recoveryPoint().value()));
            return true;
        } catch (SQLException e) {
            facts.put("backupError", SqlServerFailures.reason(e));
            return false;
        }
    }

    /** Whatever is suspended goes on: by its statement, else as our session ends, else by the keeper at the limit. */
    private void letGo() {
        boolean resumed = false;
        try {
            if (mayBeSuspended) {
                mayBeSuspended = false;
                parts.session().execute(parts.statements().resume());
                resumed = true;
            }
        } catch (SQLException e) {
            facts.putIfAbsent("resumeError", SqlServerFailures.reason(e));
        }
        if (resumed) {
            parts.keeper().dismiss();
        }
        parts.session().close();
        parts.keeper().close();
    }
}
