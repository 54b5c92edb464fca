package io.tidemark.store;

import io.tidemark.control.port.IdempotencyStore;
import java.time.Instant;
import java.util.Optional;

/** Idempotency keys in SQL. */
public final class IdempotencyTable implements IdempotencyStore {
    private final Database database;

    public IdempotencyTable(Database database) {
        this.database = database;
    }

    @Override
    public Reservation reserve(String key, String requestHash, String idBody, Instant now, Instant expiresAt) {
        return database.write("idempotency key", connection -> {
            Sql.execute(
                    connection,
                    "DELETE FROM idempotency_keys WHERE key = ? AND expires_at <= ?",
                    key,
                    now.toEpochMilli());
            int added = Sql.execute(connection, """
                    INSERT INTO idempotency_keys (key, request_hash, id_body, expires_at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (key) DO NOTHING""", key, requestHash, idBody, expiresAt.toEpochMilli());
            return Sql.one(
                            connection,
                            row -> new Reservation(
                                    row.getString("request_hash"),
                                    row.getString("id_body"),
                                    Optional.ofNullable(row.getString("answer")),
                                    added == 1),
                            "SELECT request_hash, id_body, answer FROM idempotency_keys WHERE key = ?",
                            key)
                    .orElseThrow();
        });
    }

    @Override
    public void answered(String key, String answer) {
        database.write(
                "idempotency key",
                connection ->
                        Sql.execute(connection, "UPDATE idempotency_keys SET answer = ? WHERE key = ?", answer, key));
    }

    @Override
    public void release(String key) {
        database.write(
                "idempotency key",
                connection ->
                        Sql.execute(connection, "DELETE FROM idempotency_keys WHERE key = ? AND answer IS NULL", key));
    }

    @Override
    public int forgetExpired(Instant now) {
        return database.write(
                "idempotency keys",
                connection -> Sql.execute(
                        connection, "DELETE FROM idempotency_keys WHERE expires_at <= ?", now.toEpochMilli()));
    }
}
