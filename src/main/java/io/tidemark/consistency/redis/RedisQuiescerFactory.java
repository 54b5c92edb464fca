package io.tidemark.consistency.redis;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.QuiescerSpec;
import java.util.List;

/** Makes quiescers of kind {@code redis}. */
public final class RedisQuiescerFactory implements QuiescerFactory {
    private static final String LEAST_RIGHTS = """
            ACL SETUSER tidemark on >*** resetkeys resetchannels -@all +info +client|pause +client|unpause
            # optional: lets Tidemark check that the data lies on the group's volumes
            ACL SETUSER tidemark +config|get
            # only with withoutAppendOnlyFile=holdForSave
            ACL SETUSER tidemark +bgsave
            """;

    @Override
    public String kind() {
        return RedisSettings.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return new RedisQuiescer(RedisSettings.of(spec));
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }

    @Override
    public Explanation explain(QuiescerSpec spec) throws ConsistencyException {
        var settings = RedisSettings.of(spec);
        return new Explanation(
                kind(),
                "Pauses the writers of Redis 6.2 to 8, for the cut alone, until all that it has acknowledged is in its file.",
                List.of(
                        "plan: version, role and persistence are asked for, a pause of 0 ms is tried, and the data must lie"
                                + " on the group's volumes",
                        "freeze: waits until no rewrite and no save is under way; holds nobody",
                        "file systems are written out meanwhile",
                        "hold: CLIENT PAUSE WRITE for the freeze limit; then waits until nothing is left to be written to"
                                + " the append-only file"
                                + (settings.holdForSave()
                                        ? "; where there is none, BGSAVE is made under the pause and waited for"
                                        : "; where there is none, the plan refuses"),
                        "file systems are frozen, the volumes are cut, file systems are thawed",
                        "thaw: INFO must show the same server with not a byte more written; then CLIENT UNPAUSE"),
                leastRights(),
                RedisSettings.ALL,
                List.of(
                        "what is acknowledged is not written within half of the freeze limit: FreezeFailed; nothing stays"
                                + " held",
                        "somebody lifts the pause and writes, or the server restarts: not held, so not APPLICATION",
                        "the service is killed or stopped: the server ends the pause at the freeze limit"));
    }
}
