package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.domain.Certificate;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server whose writers are held by its lock. The keeper takes it and lets it go; this process does where the keeper
 * died, afterwards too, and the journal's entry is for whoever comes after both. What is proved afterwards is that the same process
 * was locked from its acknowledgement on, with nobody letting go in between.
 */
final class MongoDbLocked implements Frozen {
    static final String SOMEBODY_ELSES =
            "server is locked already, by fsync with lock: somebody else's backup runs, or was"
                    + " left; db.fsyncUnlock() ends it";

    /** As {@link KeeperProcess#ASKED}: what may be locked still is not known to have ended. */
    private static final String OWED = "it is not known to be unlocked yet";

    private static final Logger LOG = LoggerFactory.getLogger(MongoDbLocked.class);

    private final Parts parts;
    private final RecoveryPointId recoveryPoint;
    private final Map<String, String> written;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private @Nullable Asked asked;
    /** Whether the keeper has told that it is locked. */
    private boolean taken;

    private @Nullable Hold hold;
    /** Whether another thread has the session, and the entry, to unlock it afterwards. */
    private boolean owed;

    private @Nullable Release release;

    record Parts(
            MongoDbSession session,
            MongoDbSettings settings,
            MongoDbFailures failures,
            ServerDescription server,
            LockKeeper keeper,
            LockJournal journal,
            UnlockAfterwards afterwards) {}

    /** That it was to be locked: from then on it may be. */
    private record Asked(Path entry, LockState before) {}

    private record Hold(long requestedNanos, long acknowledgedNanos) {}

    /** @param written the quiescer's settings, for whoever has to unlock it if we die */
    MongoDbLocked(Parts parts, RecoveryPointId recoveryPoint, Map<String, String> written) {
        this.parts = parts;
        this.recoveryPoint = recoveryPoint;
        this.written = Map.copyOf(written);
        facts.put("version", parts.server().version());
        facts.put("role", parts.server().role());
        if (parts.server().member().isPresent()) {
            facts.put("replicaSet", parts.server().setName());
        }
    }

    @Override
    public void hold(Duration limit) throws ConsistencyException {
        if (release != null || asked != null) {
            throw new IllegalStateException("it is held once, before it is thawed");
        }
        long requested = System.nanoTime();
        var half = Frozen.holdingLimit(limit);
        try {
            var before = LockState.of(parts.session(), half);
            if (before.locked()) {
                throw parts.failures().of(SOMEBODY_ELSES);
            }
            var entry =
                    parts.journal().write(recoveryPoint, new LockJournal.Entry(recoveryPoint.value(), written, before));
            asked = new Asked(entry, before);
            var left = half.minusNanos(System.nanoTime() - requested);
            var failure = parts.keeper().lock(entry, before, left, limit.minusNanos(System.nanoTime() - requested));
            if (failure.isPresent()) {
                throw parts.failures().of("its writers could not be held: " + failure.get());
            }
            taken = true;
            long acknowledged = System.nanoTime();
            var changed =
                    MongoDbFrozen.changed(parts.session(), parts.server(), half.minusNanos(acknowledged - requested));
            if (changed.isPresent()) {
                throw parts.failures().of(changed.get());
            }
            facts.put("holds", "all that was acknowledged before the cut: writers were held by fsync with lock");
            hold = new Hold(requested, acknowledged);
        } catch (IOException e) {
            throw parts.failures().of(e);
        } finally {
            if (hold == null) {
                var unused = thaw();
            }
        }
    }

    @Override
    public boolean heldUntilNow() {
        var before = asked;
        return release == null
                && hold != null
                && before != null
                && doubt(before.before(), 0).isEmpty();
    }

    /**
     * Why it may not have been locked without a break, as a phrase; empty where it has been.
     *
     * @param ours how often we have let go
     */
    private Optional<String> doubt(LockState before, int ours) {
        var limit = parts.settings().answerLimit();
        try {
            var now = LockState.of(parts.session(), limit);
            if (now.unlocks() - before.unlocks() != ours) {
                return Optional.of("somebody else has let go of a lock meanwhile");
            }
            if (ours == 0 && !now.locked()) {
                return Optional.of("server is not locked");
            }
            return MongoDbFrozen.changed(parts.session(), parts.server(), limit);
        } catch (IOException e) {
            // Whatever the reason, a server that does not answer proves nothing.
            return Optional.of(MongoDbFailures.reason(e));
        }
    }

    @Override
    public Release thaw() {
        if (release == null) {
            // Whoever interrupts waits for this: a server that stays locked is worse.
            boolean interrupted = Thread.interrupted();
            try {
                release = end();
            } finally {
                // What it still holds it lets go then.
                parts.keeper().close();
                if (!owed) {
                    parts.session().close();
                }
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }
        return release;
    }

    private Release end() {
        var before = asked;
        if (before == null) {
            return Release.NOTHING;
        }
        long thawed = System.nanoTime();
        var reason = unlock(before);
        var held = hold;
        if (held == null) {
            return Release.NOTHING;
        }
        var doubt = switch (reason) {
            case KeeperProcess.ASKED -> doubt(before.before(), 1);
            case OWED -> Optional.of(OWED);
            default -> Optional.of("it ended by itself: " + reason);
        };
        doubt.ifPresent(why -> facts.put("notHeldBecause", why));
        return new Release(
                List.of(new Certificate.Freeze(
                        MongoDbSettings.KIND,
                        parts.failures().subject(),
                        held.requestedNanos(),
                        held.acknowledgedNanos(),
                        thawed,
                        System.nanoTime(),
                        doubt.isEmpty(),
                        facts)),
                Map.of());
    }

    /** How it ended: {@code asked} where we let go of it. */
    private String unlock(Asked before) {
        var keeper = parts.keeper();
        var told = keeper.unlock();
        if (told.isEmpty() && keeper.isStopped()) {
            // What it might still do must not come after what we do.
            told = keeper.kill();
        }
        if (told.isPresent()) {
            facts.put("unlocked", told.get().how());
            forget(before.entry());
            var reason = told.get().reason();
            return reason.equals(KeeperProcess.ASKED) ? askedOr(told.get().how()) : reason;
        }
        var lock = new OurLock(before.before(), taken);
        if (!keeper.hasEnded()) {
            // Whatever it waits for, an answer or the lock itself, it is the one that knows what became of it.
            return owe(before.entry(), lock, "its keeper waits for the server");
        }
        if (keeper.mayHaveLetGo()) {
            lock.perhapsLetGo();
        }
        if (!taken) {
            // What may begin yet is waited for, which must not take the time of others that are held.
            return owe(before.entry(), lock, "its keeper ended without a word, so it may be locked yet");
        }
        try {
            var how = lock.release(parts.session(), parts.settings().answerLimit(), () -> {});
            facts.put("unlocked", how);
            forget(before.entry());
            return askedOr(how);
        } catch (IOException e) {
            return owe(before.entry(), lock, MongoDbFailures.reason(e));
        }
    }

    private String owe(Path entry, OurLock lock, String failure) {
        facts.put("thawError", failure);
        var unlock = new OwedUnlock(
                new OwedUnlock.Parts(
                        parts.session(), parts.settings(), parts.keeper(), parts.journal(), recoveryPoint, entry),
                lock);
        owed = parts.afterwards().add(unlock, failure);
        if (!owed) {
            LOG.error(
                    "database_not_unlocked server={} recoveryPoint={} file={} error=\"{}; its writers may be held:"
                            + " db.fsyncUnlock()\"",
                    parts.failures().subject(),
                    recoveryPoint.value(),
                    entry,
                    failure);
            parts.journal().leave(entry);
            parts.afterwards().lookAgain();
        }
        return OWED;
    }

    private static String askedOr(String how) {
        return how.startsWith(OurLock.LET_GO) ? KeeperProcess.ASKED : how;
    }

    private void forget(Path entry) {
        try {
            parts.journal().remove(entry);
        } catch (IOException e) {
            LOG.warn("mongodb_journal_not_removed file={} error={}", entry, e.getMessage());
            parts.journal().leave(entry);
        }
    }
}
