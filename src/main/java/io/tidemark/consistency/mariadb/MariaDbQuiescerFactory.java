package io.tidemark.consistency.mariadb;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.QuiescerSpec;

/** Makes quiescers of kind {@code mariadb}. */
public final class MariaDbQuiescerFactory implements QuiescerFactory {
    private static final String LEAST_RIGHTS = """
            CREATE USER tidemark@localhost IDENTIFIED BY '***';
            GRANT RELOAD ON *.* TO tidemark@localhost;
            -- optional: the recovery point then tells the binary log's file and position
            GRANT BINLOG MONITOR ON *.* TO tidemark@localhost;
            -- optional: lets Tidemark name the session that a backup stage waited for
            GRANT PROCESS ON *.* TO tidemark@localhost;
            -- optional: lets Tidemark see which engines the tables have, but none of their rows
            GRANT SHOW VIEW ON *.* TO tidemark@localhost;
            """;

    @Override
    public String kind() {
        return MariaDbSettings.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return new MariaDbQuiescer(MariaDbSettings.of(spec));
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }
}
