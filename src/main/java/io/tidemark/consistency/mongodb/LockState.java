package io.tidemark.consistency.mongodb;

import java.io.IOException;
import java.time.Duration;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;

/**
 * What a server tells of its lock. It keeps no owner of it, and tells how often it is taken to who takes it or lets
 * it go alone; but it counts commands, and so it can be known whether anybody has let go of a lock in between.
 * Sources: MongoDB manual, "currentOp", fsyncLock and $ownOps; "serverStatus", metrics.commands.
 *
 * @param process its own name of itself; another after each start
 * @param locked whether it is locked, or about to be
 * @param fsyncs how often it was told to flush, with or without a lock, as long as that did not fail
 * @param unlocks how often a lock was let go
 */
record LockState(String process, boolean locked, long fsyncs, long unlocks) {

    /**
     * Needs no right but {@code serverStatus}.
     *
     * @param limit of all answers together
     * @throws IOException where one of them is not to be had
     */
    static LockState of(MongoDbSession session, Duration limit) throws IOException {
        long started = System.nanoTime();
        var process = session.ask("hello", limit).printed("topologyVersion.processId");
        var status = session.ask(withoutWhatIsNotAskedFor(), left(started, limit));
        var operations = new BsonDocument("currentOp", new BsonInt32(1)).append("$ownOps", BsonBoolean.TRUE);
        boolean locked = session.ask(operations, left(started, limit)).yes("fsyncLock");
        return new LockState(process, locked, done(status, FsyncLock.TAKE), done(status, FsyncLock.RELEASE));
    }

    /** Some sections of it wait for the storage engine, which may be busy with a checkpoint. */
    private static BsonDocument withoutWhatIsNotAskedFor() {
        var question = new BsonDocument("serverStatus", new BsonInt32(1));
        for (var section : new String[] {"wiredTiger", "repl", "locks", "tcmalloc", "mirroredReads"}) {
            question.append(section, new BsonInt32(0));
        }
        return question;
    }

    private static long done(Answer status, String command) {
        return Math.max(0, status.number("metrics.commands.%s.total".formatted(command)))
                - Math.max(0, status.number("metrics.commands.%s.failed".formatted(command)));
    }

    private static Duration left(long startedNanos, Duration limit) {
        return limit.minusNanos(System.nanoTime() - startedNanos);
    }

    boolean isSameProcessAs(LockState other) {
        return process.equals(other.process);
    }

    /**
     * Whether a lock that was taken after {@code before} may be there: not where the server was started again, is not
     * locked, or was told to let go as often as to flush since.
     */
    boolean mayHaveOneMoreThan(LockState before) {
        return isSameProcessAs(before) && locked && fsyncs - before.fsyncs > unlocks - before.unlocks;
    }
}
