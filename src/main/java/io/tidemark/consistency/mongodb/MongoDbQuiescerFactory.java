package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.QuiescerSpec;
import java.util.List;

/** Makes quiescers of kind {@code mongodb}. */
public final class MongoDbQuiescerFactory implements QuiescerFactory {
    /** Source: MongoDB manual, "Privilege Actions"; each is on the cluster resource. */
    private static final String LEAST_RIGHTS = """
            use admin
            // either, for a member of a replica set
            db.createRole({role: "tidemark", roles: [], privileges: [{resource: {cluster: true}, actions: [
                "serverStatus", "getCmdLineOpts", "replSetGetStatus"]}]})
            // or, for a server in none; who may fsync may also lock the server, which Tidemark does not
            db.createRole({role: "tidemark", roles: [], privileges: [{resource: {cluster: true}, actions: [
                "serverStatus", "getCmdLineOpts", "fsync"]}]})
            db.createUser({user: "tidemark", pwd: passwordPrompt(), roles: ["tidemark"], mechanisms: ["SCRAM-SHA-256"]})
            // optional: the plan then tells whether writers are answered before their writes are journaled
            db.grantPrivilegesToRole("tidemark", [{resource: {cluster: true}, actions: [
                "getDefaultRWConcern", "replSetGetConfig"]}])
            """;

    @Override
    public String kind() {
        return MongoDbSettings.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return new MongoDbQuiescer(MongoDbSettings.of(spec));
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }

    @Override
    public Explanation explain(QuiescerSpec spec) throws ConsistencyException {
        // Read for its errors alone.
        var unused = MongoDbSettings.of(spec);
        return new Explanation(
                kind(),
                "Has the journal of MongoDB 5 to 8 written right before the cut; holds no writer.",
                List.of(
                        "plan: version, role, storage engine and journal are asked for; dbPath, and all that its links"
                                + " and mounts lead to, must lie on the group's volumes",
                        "freeze: a server in no replica set writes a checkpoint (fsync, without lock); a member is only"
                                + " asked for its role",
                        "file systems are written out meanwhile",
                        "hold: within half of the freeze limit the journal must have what was acknowledged by then: of"
                                + " a member durableOpTime must reach appliedOpTime (replSetGetStatus), another server"
                                + " must answer fsync. Writers go on",
                        "file systems are frozen, the volumes are cut, file systems are thawed",
                        "thaw: hello must tell the topologyVersion of before: the same process in the same role; nothing"
                                + " is to be undone"),
                leastRights(),
                MongoDbSettings.ALL,
                List.of(
                        "the journal is not written in time, or there is no answer: FreezeFailed; nobody was held",
                        "the server is started again, or its role changes, until the cut is done: not held, so not"
                                + " APPLICATION",
                        "the service is killed or stopped: nothing of it is held at the server",
                        "writes acknowledged without being journaled (w: 1 without j: true) between hold and cut, which is"
                                + " within the freeze limit, may be missing; journaled ones never are"));
    }
}
