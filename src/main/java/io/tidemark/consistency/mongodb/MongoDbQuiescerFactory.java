package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Makes quiescers of kind {@code mongodb}. */
public final class MongoDbQuiescerFactory implements QuiescerFactory {
    /** Source: MongoDB manual, "Privilege Actions"; each is on the cluster resource. */
    private static final String LEAST_RIGHTS = """
            use admin
            // either, for a member of a replica set
            db.createRole({role: "tidemark", roles: [], privileges: [{resource: {cluster: true}, actions: [
                "serverStatus", "getCmdLineOpts", "replSetGetStatus"]}]})
            // or, for a server in none; who may fsync may also lock the server, which Tidemark does not in this mode
            db.createRole({role: "tidemark", roles: [], privileges: [{resource: {cluster: true}, actions: [
                "serverStatus", "getCmdLineOpts", "fsync"]}]})
            // or, for either with mode=fsyncLock; replSetGetStatus for a member alone
            db.createRole({role: "tidemark", roles: [], privileges: [{resource: {cluster: true}, actions: [
                "serverStatus", "getCmdLineOpts", "replSetGetStatus", "fsync", "unlock"]}]})
            db.createUser({user: "tidemark", pwd: passwordPrompt(), roles: ["tidemark"], mechanisms: ["SCRAM-SHA-256"]})
            // optional: the plan then tells whether writers are answered before their writes are journaled
            db.grantPrivilegesToRole("tidemark", [{resource: {cluster: true}, actions: [
                "getDefaultRWConcern", "replSetGetConfig"]}])
            // with router, and the same user on the mongos: balancerStatus
            db.grantPrivilegesToRole("tidemark", [{resource: {db: "config", collection: "settings"}, actions: ["find"]}])
            """;

    private static final String PLAN =
            "plan: version, role, storage engine and journal are asked for; dbPath, and all that its links and mounts lead"
                    + " to, must lie on the group's volumes";
    private static final String WRITTEN_OUT = "file systems are written out meanwhile";
    private static final String CUT = "file systems are frozen, the volumes are cut, file systems are thawed";

    private static final List<String> JOURNAL_STEPS = List.of(
            PLAN,
            "freeze: a server in no replica set writes a checkpoint (fsync, without lock); a member is only asked for its"
                    + " role",
            WRITTEN_OUT,
            "hold: within half of the freeze limit the journal must have what was acknowledged by then: of a member"
                    + " durableOpTime must reach appliedOpTime (replSetGetStatus), another server must answer fsync. Writers"
                    + " go on",
            CUT,
            "thaw: hello must tell the topologyVersion of before: the same process in the same role; nothing is to be"
                    + " undone");

    private static final List<String> LOCK_STEPS = List.of(
            PLAN,
            "freeze: a keeper process is started and logs in; the server must not be locked, and writes a checkpoint (fsync,"
                    + " without lock)",
            WRITTEN_OUT,
            "hold: a journal entry is written, then the keeper says fsync with lock, which takes at most half of the freeze"
                    + " limit. Writers wait; reads behind a waiting writer may",
            CUT,
            "thaw: the keeper says fsyncUnlock, once. The server's count of such commands must tell that nobody else did"
                    + " since, hello that it is the same process in the same role");

    private static final List<String> JOURNAL_FAILURES = List.of(
            "the journal is not written in time, or there is no answer: FreezeFailed; nobody was held",
            "the server is started again, or its role changes, until the cut is done: not held, so not APPLICATION",
            "the service is killed or stopped: nothing of it is held at the server",
            "writes acknowledged without being journaled (w: 1 without j: true) between hold and cut, which is within the"
                    + " freeze limit, may be missing; journaled ones never are");

    private static final List<String> LOCK_FAILURES = List.of(
            "it is locked by somebody else: FreezeFailed; theirs is never undone",
            "it is not locked in time: FreezeFailed; what the server still grants the keeper lets go at once",
            "the service is killed: the keeper unlocks at once; stopped: at the freeze limit",
            "the keeper is killed: the service unlocks at the thaw, and tries on until the server answers",
            "both are killed: locked until the service starts again, which unlocks by its journal",
            "the server is started again: nothing is locked any more; not held, so not APPLICATION");

    private final LockJournal journal;
    private final UnlockAfterwards afterwards;

    public MongoDbQuiescerFactory(Path stateFolder) {
        this(stateFolder, UnlockAfterwards.LOOK_EVERY);
    }

    /** @param lookEvery between two looks at what a process before this one left locked */
    MongoDbQuiescerFactory(Path stateFolder, Duration lookEvery) {
        this.journal = new LockJournal(stateFolder.resolve("held-mongodb"));
        this.afterwards = new UnlockAfterwards(journal, lookEvery);
    }

    @Override
    public String kind() {
        return MongoDbSettings.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return new MongoDbQuiescer(MongoDbSettings.of(spec), spec.settings(), journal, afterwards);
    }

    /** Only where service and keeper both died is there anything left to unlock; what cannot be now is tried again. */
    @Override
    public void sweep() {
        new LeftLocked(journal).unlockAll();
        afterwards.lookAgain();
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }

    @Override
    public Explanation explain(QuiescerSpec spec) throws ConsistencyException {
        boolean locks = MongoDbSettings.of(spec).locks();
        return new Explanation(
                kind(),
                locks
                        ? "Holds all writers of MongoDB 5 to 8 for the cut, by fsync with lock, which a process beside the"
                                + " service lets go."
                        : "Has the journal of MongoDB 5 to 8 written right before the cut; holds no writer.",
                locks ? LOCK_STEPS : JOURNAL_STEPS,
                leastRights(),
                MongoDbSettings.ALL,
                locks ? LOCK_FAILURES : JOURNAL_FAILURES);
    }
}
