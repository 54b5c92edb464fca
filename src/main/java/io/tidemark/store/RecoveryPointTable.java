package io.tidemark.store;

import io.tidemark.control.port.Page;
import io.tidemark.control.port.RecoveryPointStore;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Recovery points in SQL. */
public final class RecoveryPointTable implements RecoveryPointStore {
    private static final Sql.Row<RecoveryPoint> POINT =
            row -> StoredJson.read(row.getString("document"), RecoveryPoint.class);

    private static final String ADD_MEMBER = """
            INSERT INTO recovery_point_members (sequence, volume)
            SELECT sequence, ? FROM recovery_points WHERE id = ?
            ON CONFLICT DO NOTHING""";

    private final Database database;

    public RecoveryPointTable(Database database) {
        this.database = database;
    }

    private record Numbered(long sequence, RecoveryPoint point) {}

    @Override
    public void add(RecoveryPoint point) {
        database.write("recovery point", connection -> {
            insert(connection, point);
            return true;
        });
    }

    /** Of a group of several volumes each link brings one member: what is there already gets those it lacks. */
    static void insertReceived(Connection connection, RecoveryPoint point) throws SQLException {
        if (insert(connection, point)) {
            return;
        }
        var known = Sql.one(
                        connection,
                        POINT,
                        "SELECT document FROM recovery_points WHERE id = ?",
                        point.id().value())
                .orElseThrow();
        if (known.receivedOver().isEmpty() || !known.group().equals(point.group())) {
            return;
        }
        var lacking = point.members().stream()
                .filter(member -> known.snapshotOf(member.volume()).isEmpty())
                .toList();
        if (lacking.isEmpty()) {
            return;
        }
        Sql.execute(
                connection,
                "UPDATE recovery_points SET document = ? WHERE id = ?",
                StoredJson.write(known.with(lacking)),
                point.id().value());
        insertMembers(connection, point.id(), lacking);
    }

    /** @return whether it was not there */
    static boolean insert(Connection connection, RecoveryPoint point) throws SQLException {
        int added = Sql.execute(
                connection,
                """
                INSERT INTO recovery_points (id, group_id, created_at, consistency, received_over, document)
                VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""",
                point.id().value(),
                point.group().value(),
                point.createdAt().toEpochMilli(),
                point.consistency().name(),
                point.receivedOver().map(LinkId::value).orElse(null),
                StoredJson.write(point));
        if (added == 0) {
            return false;
        }
        insertMembers(connection, point.id(), point.members());
        return true;
    }

    private static void insertMembers(Connection connection, RecoveryPointId id, List<RecoveryPoint.Member> members)
            throws SQLException {
        for (var member : members) {
            Sql.execute(connection, ADD_MEMBER, member.volume().value(), id.value());
        }
    }

    @Override
    public Optional<RecoveryPoint> find(RecoveryPointId id) {
        return database.read(
                "recovery point",
                connection -> Sql.one(
                        connection,
                        POINT,
                        "SELECT document FROM recovery_points WHERE id = ? AND deleting = 0",
                        id.value()));
    }

    @Override
    public boolean knows(RecoveryPointId id) {
        return database.read(
                "recovery point",
                connection -> Sql.one(
                                connection,
                                row -> row.getLong(1),
                                "SELECT 1 FROM recovery_points WHERE id = ?",
                                id.value())
                        .isPresent());
    }

    @Override
    public Page<RecoveryPoint> page(Optional<GroupId> group, OptionalLong before, int limit) {
        var groupValue = group.map(GroupId::value).orElse(null);
        return database.read(
                "recovery points",
                connection -> Page.cut(
                                Sql.list(
                                        connection,
                                        row -> new Numbered(row.getLong("sequence"), POINT.of(row)),
                                        """
                                        SELECT sequence, document FROM recovery_points
                                        WHERE deleting = 0 AND sequence < ? AND (? IS NULL OR group_id = ?)
                                        ORDER BY sequence DESC LIMIT ?""",
                                        before.orElse(Long.MAX_VALUE),
                                        groupValue,
                                        groupValue,
                                        limit + 1),
                                limit,
                                numbered -> Long.toString(numbered.sequence()))
                        .map(Numbered::point));
    }

    @Override
    public List<RecoveryPoint> ofVolume(VolumeId volume) {
        return database.read("recovery points", connection -> Sql.list(connection, POINT, """
                        SELECT document FROM recovery_points JOIN recovery_point_members USING (sequence)
                        WHERE volume = ? AND deleting = 0 ORDER BY sequence DESC""", volume.value()));
    }

    @Override
    public Optional<RecoveryPointId> newestReceived(VolumeId volume) {
        return database.read(
                "recovery point",
                connection ->
                        Sql.one(connection, row -> new RecoveryPointId(row.getString("id")), """
                        SELECT id FROM recovery_points JOIN recovery_point_members USING (sequence)
                        WHERE volume = ? AND deleting = 0 AND received_over IS NOT NULL
                        ORDER BY sequence DESC LIMIT 1""", volume.value()));
    }

    @Override
    public void markDeleting(RecoveryPointId id, boolean deleting) {
        database.write(
                "recovery point",
                connection -> Sql.execute(
                        connection,
                        "UPDATE recovery_points SET deleting = ? WHERE id = ?",
                        deleting ? 1 : 0,
                        id.value()));
    }

    @Override
    public List<RecoveryPoint> deleting() {
        return database.read(
                "recovery points",
                connection -> Sql.list(
                        connection,
                        POINT,
                        "SELECT document FROM recovery_points WHERE deleting = 1 ORDER BY sequence"));
    }

    @Override
    public void remove(RecoveryPointId id) {
        database.write(
                "recovery point",
                connection -> Sql.execute(connection, "DELETE FROM recovery_points WHERE id = ?", id.value()));
    }
}
