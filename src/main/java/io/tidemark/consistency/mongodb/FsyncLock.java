package io.tidemark.consistency.mongodb;

import java.io.IOException;
import java.time.Duration;
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
}
