package io.tidemark.consistency.postgresql;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.domain.QuiescerSpec;

/** Makes quiescers of kind {@code postgresql}. */
public final class PostgresQuiescerFactory implements QuiescerFactory {
    private static final String LEAST_RIGHTS = """
            CREATE ROLE tidemark LOGIN PASSWORD '***';
            GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean) TO tidemark;
            GRANT EXECUTE ON FUNCTION pg_backup_stop(boolean) TO tidemark;
            -- PostgreSQL 14 instead: pg_start_backup(text, boolean, boolean), pg_stop_backup(boolean, boolean)
            -- optional: lets Tidemark check that the data directory lies on the group's volumes
            GRANT pg_read_all_settings TO tidemark;
            """;

    @Override
    public String kind() {
        return PostgresSettings.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        return new PostgresQuiescer(PostgresSettings.of(spec));
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }
}
