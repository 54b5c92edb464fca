package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.QuiescerSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Servers that may still be locked, because whoever should have unlocked them died with its keeper. */
record LeftLocked(LockJournal journal) {
    private static final Logger LOG = LoggerFactory.getLogger(LeftLocked.class);
    /** A keeper whose service is gone unlocks at once. One that still tries then is not waited for. */
    private static final Duration KEEPER_LIMIT = Duration.ofSeconds(15);

    /** All there are; what cannot be unlocked now is told in the log, and stays for the next time. */
    void unlockAll() {
        try {
            for (var left : journal.left()) {
                if (left.entry().isEmpty()) {
                    LOG.error(
                            "database_perhaps_locked file={} error=\"it is damaged or of another version: look whether"
                                    + " db.currentOp().fsyncLock is true, db.fsyncUnlock(), then delete the file\"",
                            left.file());
                }
            }
        } catch (IOException e) {
            LOG.error("mongodb_journal_unreadable error={}", e.getMessage());
        }
        unlockReadable(new HashMap<>());
    }

    /**
     * All whose entries are whole.
     *
     * @param told why each could not be unlocked before: that is not told again
     */
    void unlockReadable(Map<Path, String> told) {
        try {
            for (var left : journal.left()) {
                if (left.entry().isPresent()) {
                    unlock(left, left.entry().get(), told);
                }
            }
        } catch (IOException e) {
            LOG.error("mongodb_journal_unreadable error={}", e.getMessage());
        }
    }

    /** Of one server alone, before it is frozen again. */
    void unlock(MongoDbSettings settings) throws IOException {
        for (var left : journal.left()) {
            var entry = left.entry();
            if (entry.isPresent() && subject(entry.get()).equals(Optional.of(settings.subject()))) {
                unlock(left, entry.get(), new HashMap<>());
            }
        }
    }

    private static Optional<String> subject(LockJournal.Entry entry) {
        try {
            return Optional.of(settings(entry).subject());
        } catch (ConsistencyException e) {
            // Settings of another version: no server of this one.
            return Optional.empty();
        }
    }

    private static MongoDbSettings settings(LockJournal.Entry entry) throws ConsistencyException {
        return MongoDbSettings.of(new QuiescerSpec(MongoDbSettings.KIND, entry.settings()));
    }

    private void unlock(LockJournal.Left left, LockJournal.Entry entry, Map<Path, String> told) {
        if (!journal.claim(left.file())) {
            // Another thread unlocks it, or its keeper has.
            return;
        }
        try {
            if (!journal.awaitKeeper(left.file(), KEEPER_LIMIT)) {
                LOG.warn("database_keeper_lives file={} seconds={}", left.file(), KEEPER_LIMIT.toSeconds());
            }
            if (!Files.exists(left.file())) {
                return;
            }
            var settings = settings(entry);
            try (var session = MongoDbSession.open(settings)) {
                // Somebody who had to wait may have unlocked it by hand since, and another have locked it.
                var outcome = new OurLock(entry.before(), false)
                        .perhapsLetGo()
                        .release(session, settings.answerLimit(), () -> {});
                LOG.warn(
                        "database_unlocked_afterwards server={} recoveryPoint={} outcome=\"{}\"",
                        settings.subject(),
                        entry.recoveryPoint(),
                        outcome);
            }
            journal.remove(left.file());
        } catch (ConsistencyException | IOException e) {
            var reason = String.valueOf(e.getMessage());
            if (!reason.equals(told.put(left.file(), reason))) {
                LOG.error(
                        "database_not_unlocked server={} recoveryPoint={} file={} error=\"{}; its writers may be held:"
                                + " db.fsyncUnlock()\"",
                        subject(entry).orElse("unknown"),
                        entry.recoveryPoint(),
                        left.file(),
                        reason);
            }
        } finally {
            journal.leave(left.file());
        }
    }
}
