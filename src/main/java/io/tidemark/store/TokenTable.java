package io.tidemark.store;

import io.tidemark.security.TokenStore;
import java.time.Instant;
import java.util.List;

/** Hashes of API tokens in SQL. */
public final class TokenTable implements TokenStore {
    private static final String ADD = """
            INSERT INTO api_tokens (sha256, name, created_at) VALUES (?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, created_at = excluded.created_at""";

    private final Database database;

    public TokenTable(Database database) {
        this.database = database;
    }

    @Override
    public void add(String sha256Hex, String name, Instant createdAt) {
        database.write(
                "api token", connection -> Sql.execute(connection, ADD, sha256Hex, name, createdAt.toEpochMilli()));
    }

    @Override
    public List<Known> all() {
        return database.read(
                "api tokens",
                connection -> Sql.list(
                        connection,
                        row -> new Known(row.getString("sha256"), row.getString("name")),
                        "SELECT sha256, name FROM api_tokens ORDER BY name"));
    }
}
