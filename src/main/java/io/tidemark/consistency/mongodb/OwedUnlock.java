package io.tidemark.consistency.mongodb;

import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server that was not known to be unlocked at its thaw. As long as its keeper is about it, that is left to it; after
 * that it is tried until the server answers, for as long as the service lives. The journal keeps its entry until then.
 */
final class OwedUnlock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OwedUnlock.class);
    /** Longer than a keeper goes on: one that lives then neither does its work nor is stopped. */
    private static final Duration KEEPER_LIMIT = KeeperProcess.ATTEMPTS_LIMIT.plusMinutes(2);

    private static final Duration BETWEEN = Duration.ofSeconds(1);

    private final Parts parts;
    private final OurLock lock;
    private boolean keeperEnded;

    /**
     * @param session logged in since the freeze; closed with this
     * @param entry of the journal, which this process takes care of
     */
    record Parts(
            MongoDbSession session,
            MongoDbSettings settings,
            LockKeeper keeper,
            LockJournal journal,
            RecoveryPointId recoveryPoint,
            Path entry) {}

    OwedUnlock(Parts parts, OurLock lock) {
        this.parts = parts;
        this.lock = lock;
    }

    String subject() {
        return parts.settings().subject();
    }

    /** Returns once it is unlocked; where this is interrupted it is left to the journal. */
    void run(String failure) {
        var told = failure;
        tell(told);
        long began = System.nanoTime();
        try {
            while (true) {
                try {
                    var how = attempt(began);
                    if (how.isPresent()) {
                        LOG.warn(
                                "database_unlocked_afterwards server={} recoveryPoint={} outcome=\"{}\"",
                                subject(),
                                parts.recoveryPoint().value(),
                                how.get());
                        forget();
                        return;
                    }
                } catch (IOException e) {
                    var reason = MongoDbFailures.reason(e);
                    if (!reason.equals(told)) {
                        tell(reason);
                        told = reason;
                    }
                }
                TimeUnit.NANOSECONDS.sleep(BETWEEN.toNanos());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            // Whatever ended this: an entry that is still there is for whoever looks at what was left.
            parts.journal().leave(parts.entry());
        }
    }

    /** Empty as long as it is left to its keeper. */
    private Optional<String> attempt(long beganNanos) throws IOException {
        if (!keeperEnded) {
            var keeper = parts.keeper();
            var told = keeper.awaitUnlocked(Duration.ZERO);
            if (told.isEmpty() && (keeper.isStopped() || System.nanoTime() - beganNanos > KEEPER_LIMIT.toNanos())) {
                told = keeper.kill();
            }
            if (told.isPresent() || !keeper.hasEnded()) {
                return told.map(LockKeeper.Unlocked::how);
            }
            keeperEnded = true;
            if (keeper.mayHaveLetGo()) {
                lock.perhapsLetGo();
            }
        }
        return Optional.of(lock.release(parts.session(), parts.settings().answerLimit(), () -> {}));
    }

    private void tell(String reason) {
        LOG.error(
                "database_not_unlocked server={} recoveryPoint={} file={} error=\"{}; its writers may be held:"
                        + " it is tried again, or db.fsyncUnlock()\"",
                subject(),
                parts.recoveryPoint().value(),
                parts.entry(),
                reason);
    }

    private void forget() {
        try {
            parts.journal().remove(parts.entry());
        } catch (IOException e) {
            LOG.warn("mongodb_journal_not_removed file={} error={}", parts.entry(), e.getMessage());
        }
    }

    @Override
    public void close() {
        parts.session().close();
    }
}
