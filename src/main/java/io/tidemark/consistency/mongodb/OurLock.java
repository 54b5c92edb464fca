package io.tidemark.consistency.mongodb;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A lock that we have taken, or may have, and let go of once: what was said of it before is known at each further try.
 * Owned by one thread at a time.
 */
final class OurLock {
    /** How an outcome begins that is a lock let go by us; the number of those that are left ends it. */
    static final String LET_GO = "let go by this, locks left: ";

    /** Between two tries, and two looks. */
    static final Duration BETWEEN = Duration.ofMillis(200);

    /** What looking may cost before a lock that is known to be ours is let go without a look. */
    private static final Duration LOOK_LIMIT = Duration.ofSeconds(1);
    /** Looks in a row that must agree that a command which was not answered has not begun. */
    private static final int LOOKS = 10;

    private static final String NOT_OURS = "it was not locked by this any more";

    private final LockState before;
    private final boolean taken;
    private boolean begun;
    private boolean said;

    /**
     * @param before what the server told before it was taken
     * @param taken whether it is known that it was
     */
    OurLock(LockState before, boolean taken) {
        this.before = before;
        this.taken = taken;
        this.begun = taken;
    }

    /** Whoever had to let go of it before us may have said so to the server. */
    OurLock perhapsLetGo() {
        said = true;
        return this;
    }

    /**
     * Lets go of it, where there may be one, and of no other. May be tried again where it throws.
     *
     * @param limit of each answer
     * @param beforeSaying right before the server is told to
     * @return how it ended
     * @throws IOException where it may still be locked by us
     */
    String release(MongoDbSession session, Duration limit, Runnable beforeSaying) throws IOException {
        if (!begun) {
            awaitBegun(session, limit);
            begun = true;
        }
        if (!process(session, limit).equals(before.process())) {
            return "the server was started again, which unlocks it";
        }
        var now = look(session, limit);
        if (now.isPresent() && !now.get().locked()) {
            return NOT_OURS;
        }
        if (said && now.isPresent() && now.get().unlocks() != before.unlocks()) {
            throw new IOException("somebody has let go of a lock since, so whose this one is cannot be known; once it"
                    + " is unlocked nothing more is to be done");
        }
        if (now.isPresent() && !now.get().mayHaveOneMoreThan(before)) {
            // Counted when it begins: it may yet fail, and the lock stay.
            throw new IOException("somebody's fsyncUnlock is under way");
        }
        beforeSaying.run();
        return say(session, limit);
    }

    private String say(MongoDbSession session, Duration limit) throws IOException {
        boolean saidBefore = said;
        // Without an answer it may have been done: then a lock that is there afterwards is another's.
        said = true;
        try {
            return LET_GO + session.ask(FsyncLock.RELEASE, limit).number("lockCount");
        } catch (MongoDbSession.Refused e) {
            said = saidBefore || e.isForWantOfTime();
            // It says so too where nobody has locked it any more.
            if (!LockState.of(session, limit).locked()) {
                return NOT_OURS;
            }
            throw e;
        }
    }

    /**
     * A command that was not answered may be still under way: what is let go before it begins is locked after.
     *
     * @throws IOException where the server says nothing: it may begin all the later
     */
    private void awaitBegun(MongoDbSession session, Duration limit) throws IOException {
        for (int absent = 0; absent < LOOKS; absent++) {
            var now = LockState.of(session, limit);
            if (!now.isSameProcessAs(before) || now.mayHaveOneMoreThan(before)) {
                return;
            }
            pause();
        }
    }

    private static void pause() throws IOException {
        try {
            TimeUnit.NANOSECONDS.sleep(BETWEEN.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("waiting for the server was interrupted", e);
        }
    }

    private static String process(MongoDbSession session, Duration limit) throws IOException {
        return session.ask("hello", limit).printed("topologyVersion.processId");
    }

    /** Empty where it tells nothing but that it is the same process, and that is enough. */
    private Optional<LockState> look(MongoDbSession session, Duration limit) throws IOException {
        boolean known = taken && !said;
        try {
            return Optional.of(LockState.of(session, known && limit.compareTo(LOOK_LIMIT) > 0 ? LOOK_LIMIT : limit));
        } catch (MongoDbSession.Refused e) {
            throw e;
        } catch (IOException e) {
            // On another connection it may be another process by now, and the lock somebody else's.
            if (known && process(session, limit).equals(before.process())) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
