package io.tidemark.store;

import io.tidemark.control.port.OperationStore;
import io.tidemark.control.port.Page;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.spi.RecoveryPointId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Operations in SQL. */
public final class OperationTable implements OperationStore {
    private final Database database;

    public OperationTable(Database database) {
        this.database = database;
    }

    private record Numbered(long sequence, Operation operation) {}

    private static Operation operation(ResultSet row) throws SQLException {
        return new Operation(
                new OperationId(row.getString("id")),
                row.getString("kind"),
                row.getString("subject"),
                Operation.State.valueOf(row.getString("state")),
                row.getString("request"),
                row.getString("step"),
                StoredJson.read(row.getString("progress"), Operation.Progress.class),
                Optional.ofNullable(row.getString("result")),
                Optional.ofNullable(row.getString("problem")),
                Instant.ofEpochMilli(row.getLong("created_at")),
                Instant.ofEpochMilli(row.getLong("updated_at")));
    }

    @Override
    public boolean add(Operation operation, Optional<RecoveryPointId> makes) {
        return database.write(
                "operation",
                connection -> Sql.execute(
                                connection,
                                """
                                INSERT INTO operations (id, kind, subject, state, makes, request, step, progress,
                                    result, problem, created_at, updated_at)
                                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""",
                                operation.id().value(),
                                operation.kind(),
                                operation.subject(),
                                operation.state().name(),
                                makes.map(RecoveryPointId::value).orElse(null),
                                operation.requestJson(),
                                operation.step(),
                                StoredJson.write(operation.progress()),
                                operation.resultJson().orElse(null),
                                operation.problemJson().orElse(null),
                                operation.createdAt().toEpochMilli(),
                                operation.updatedAt().toEpochMilli())
                        == 1);
    }

    @Override
    public void update(Operation operation) {
        database.write(
                "operation",
                connection -> Sql.execute(
                        connection,
                        """
                        UPDATE operations SET state = ?, step = ?, progress = ?, result = ?, problem = ?, updated_at = ?
                        WHERE id = ?""",
                        operation.state().name(),
                        operation.step(),
                        StoredJson.write(operation.progress()),
                        operation.resultJson().orElse(null),
                        operation.problemJson().orElse(null),
                        operation.updatedAt().toEpochMilli(),
                        operation.id().value()));
    }

    @Override
    public Optional<Operation> find(OperationId id) {
        return database.read(
                "operation",
                connection -> Sql.one(
                        connection, OperationTable::operation, "SELECT * FROM operations WHERE id = ?", id.value()));
    }

    @Override
    public Page<Operation> page(
            Optional<String> kind, Optional<Operation.State> state, OptionalLong before, int limit) {
        var kindValue = kind.orElse(null);
        var stateValue = state.map(Operation.State::name).orElse(null);
        return database.read(
                "operations",
                connection -> Page.cut(
                                Sql.list(
                                        connection,
                                        row -> new Numbered(row.getLong("sequence"), operation(row)),
                                        """
                                        SELECT * FROM operations
                                        WHERE sequence < ? AND (? IS NULL OR kind = ?) AND (? IS NULL OR state = ?)
                                        ORDER BY sequence DESC LIMIT ?""",
                                        before.orElse(Long.MAX_VALUE),
                                        kindValue,
                                        kindValue,
                                        stateValue,
                                        stateValue,
                                        limit + 1),
                                limit,
                                numbered -> Long.toString(numbered.sequence()))
                        .map(Numbered::operation));
    }

    @Override
    public List<Operation> unfinished() {
        return database.read(
                "operations",
                connection -> Sql.list(
                        connection,
                        OperationTable::operation,
                        "SELECT * FROM operations WHERE state IN ('PENDING', 'RUNNING') ORDER BY sequence"));
    }

    @Override
    public Optional<Operation> makerOf(RecoveryPointId id) {
        return database.read(
                "operation",
                connection -> Sql.one(
                        connection,
                        OperationTable::operation,
                        "SELECT * FROM operations WHERE makes = ? ORDER BY sequence DESC LIMIT 1",
                        id.value()));
    }

    @Override
    public List<MayHaveMade> unsuccessfulSince(Instant time) {
        return database.read(
                "operations",
                connection -> Sql.list(
                        connection,
                        row -> new MayHaveMade(
                                new RecoveryPointId(row.getString("makes")),
                                Instant.ofEpochMilli(row.getLong("updated_at"))),
                        """
                        SELECT makes, updated_at FROM operations
                        WHERE state IN ('FAILED', 'CANCELLED') AND makes IS NOT NULL AND updated_at >= ?
                        ORDER BY updated_at, sequence""",
                        time.toEpochMilli()));
    }

    @Override
    public int forgetEndedBefore(Instant time) {
        return database.write(
                "operations",
                connection -> Sql.execute(
                        connection,
                        "DELETE FROM operations WHERE state NOT IN ('PENDING', 'RUNNING') AND updated_at < ?",
                        time.toEpochMilli()));
    }
}
