package io.tidemark.consistency.mongodb;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;

/**
 * The lock that holds every writer of a server: it is the server's, counted, and belongs to no session. Sources:
 * MongoDB manual, "fsync" and "fsyncUnlock"; MongoDB's source, db/commands/fsync.cpp.
 */
final class FsyncLock {
    /** With or without a lock, the server counts it under this name. */
    static final String TAKE = "fsync";

    static final String RELEASE = "fsyncUnlock";
    /** The action that a user needs for {@link #RELEASE}. */
    static final String RELEASE_RIGHT = "unlock";

    /** What looking may cost before a lock that is known to be ours is let go without a look. */
    private static final Duration LOOK_LIMIT = Duration.ofSeconds(1);

    /** How an outcome begins that is a lock let go by us; the number of those that are left ends it. */
    static final String LET_GO = "let go by this, locks left: ";

    private static final String NOT_OURS = "it was not locked by this any more";

    private FsyncLock() {}

    /**
     * Waits for the writers of that moment and a checkpoint; writers that come meanwhile wait too. A server from
     * 5.0.22, 6.0.11 and 7.0.2 on gives up at the limit by itself; an older one does not read that field.
     *
     * @return how often the server is locked then
     * @throws IOException a {@link MongoDbSession.Refused} where it is not locked by us; another where it may be, now
     *     or later
     */
    static long take(MongoDbSession session, Duration limit) throws IOException {
        var command = new BsonDocument(TAKE, new BsonInt32(1)).append("lock", BsonBoolean.TRUE);
        // A number of another type is refused.
        command.append(
                "fsyncLockAcquisitionTimeoutMillis", new BsonInt32(Math.toIntExact(Math.max(1, limit.toMillis()))));
        var count = session.ask(command, limit).number("lockCount");
        if (count < 1) {
            throw new IOException("the answer to fsync does not tell how often the server is locked");
        }
        return count;
    }

    /**
     * Lets go of one lock that was taken after {@code before}, where there may be one, and of no other.
     *
     * @param taken whether it is known that it was taken: then it is let go also where the server tells nothing else
     * @param limit of each answer
     * @throws IOException where it may still be locked by us
     */
    static String release(MongoDbSession session, LockState before, boolean taken, Duration limit) throws IOException {
        if (!process(session, limit).equals(before.process())) {
            return "the server was started again, which unlocks it";
        }
        var now = look(session, before, taken, limit);
        if (now.isPresent() && !now.get().locked()) {
            return NOT_OURS;
        }
        if (now.isPresent() && !now.get().mayHaveOneMoreThan(before)) {
            // Counted when it begins: it may yet fail, and the lock stay.
            throw new IOException("somebody's fsyncUnlock is under way");
        }
        try {
            return LET_GO + session.ask(RELEASE, limit).number("lockCount");
        } catch (MongoDbSession.Refused e) {
            // It says so too where nobody has locked it any more.
            if (!LockState.of(session, limit).locked()) {
                return NOT_OURS;
            }
            throw e;
        }
    }

    private static String process(MongoDbSession session, Duration limit) throws IOException {
        return session.ask("hello", limit).printed("topologyVersion.processId");
    }

    /** Empty where it tells nothing but that it is the same process, and that is enough. */
    private static Optional<LockState> look(MongoDbSession session, LockState before, boolean taken, Duration limit)
            throws IOException {
        try {
            return Optional.of(LockState.of(session, taken && limit.compareTo(LOOK_LIMIT) > 0 ? LOOK_LIMIT : limit));
        } catch (MongoDbSession.Refused e) {
            throw e;
        } catch (IOException e) {
            // On another connection it may be another process by now, and the lock somebody else's.
            if (taken && process(session, limit).equals(before.process())) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
