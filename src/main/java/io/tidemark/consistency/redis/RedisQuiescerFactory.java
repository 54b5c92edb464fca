package io.tidemark.consistency.redis;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.QuiescerSpec;

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
}
