package io.tidemark.consistency.mongodb;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Unlocks, for as long as the service lives, what could not be unlocked when it should have been: each owed server on a
 * thread of its own, which ends with that, and what was left in the journal on one more, which ends once nothing is.
 */
final class UnlockAfterwards {
    private static final Logger LOG = LoggerFactory.getLogger(UnlockAfterwards.class);
    /** A server that is owed an unlock is not frozen again: one for each. What is above is left to the journal. */
    private static final int OWED_MAXIMUM = 64;

    /** Between two looks at what was left in the journal. */
    static final Duration LOOK_EVERY = Duration.ofMinutes(1);

    private final LockJournal journal;
    private final Duration lookEvery;
    /** Guarded by this. */
    private final Set<OwedUnlock> owed = new HashSet<>();
    /** Guarded by this. */
    private @Nullable Thread looker;

    UnlockAfterwards(LockJournal journal, Duration lookEvery) {
        this.journal = journal;
        this.lookEvery = lookEvery;
    }

    /** Takes it over, to its end; false where there are too many: then it is the caller's still. */
    synchronized boolean add(OwedUnlock unlock, String failure) {
        if (owed.size() >= OWED_MAXIMUM) {
            return false;
        }
        owed.add(unlock);
        Thread.ofPlatform()
                .name("tidemark-mongodb-unlock-" + unlock.subject())
                .daemon()
                .start(() -> {
                    try (unlock) {
                        unlock.run(failure);
                    } finally {
                        remove(unlock);
                        lookAgain();
                    }
                });
        return true;
    }

    private synchronized void remove(OwedUnlock unlock) {
        owed.remove(unlock);
    }

    /** Whether the server of that name may still be locked by this process, or be locked later. */
    synchronized boolean owes(String subject) {
        return owed.stream().anyMatch(unlock -> unlock.subject().equals(subject));
    }

    /** Looks at what was left in the journal now and then, until nothing is that could be unlocked. */
    synchronized void lookAgain() {
        if (looker == null || !looker.isAlive()) {
            looker = Thread.ofPlatform().name("tidemark-mongodb-left").daemon().start(this::look);
        }
    }

    private void look() {
        var left = new LeftLocked(journal);
        // One for each file of the journal at most.
        var told = new HashMap<Path, String>();
        try {
            while (someIsLeft()) {
                TimeUnit.NANOSECONDS.sleep(lookEvery.toNanos());
                left.unlockReadable(told);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Where nothing is, the looking ends in one step with that: whoever leaves something after it begins anew. */
    private synchronized boolean someIsLeft() {
        try {
            if (journal.left().stream().anyMatch(left -> left.entry().isPresent())) {
                return true;
            }
            looker = null;
            return false;
        } catch (IOException e) {
            LOG.error("mongodb_journal_unreadable error={}", e.getMessage());
            return true;
        }
    }
}
