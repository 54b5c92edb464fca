package io.tidemark.store;

import io.tidemark.control.port.GroupStore;
import io.tidemark.control.port.Page;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.VolumeId;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** Consistency groups in SQL. */
public final class GroupTable implements GroupStore {
    private static final Sql.Row<ConsistencyGroup> GROUP =
            row -> StoredJson.read(row.getString("document"), ConsistencyGroup.class);

    private final Database database;

    public GroupTable(Database database) {
        this.database = database;
    }

    @Override
    public boolean add(ConsistencyGroup group) {
        return database.write("group", connection -> {
            int added = Sql.execute(
                    connection,
                    "INSERT INTO groups (id, document) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    group.id().value(),
                    StoredJson.write(group));
            if (added == 1) {
                addVolumes(connection, group);
            }
            return added == 1;
        });
    }

    @Override
    public boolean replace(ConsistencyGroup group) {
        return database.write("group", connection -> {
            int replaced = Sql.execute(
                    connection,
                    "UPDATE groups SET document = ? WHERE id = ?",
                    StoredJson.write(group),
                    group.id().value());
            if (replaced == 1) {
                Sql.execute(
                        connection,
                        "DELETE FROM group_volumes WHERE group_id = ?",
                        group.id().value());
                addVolumes(connection, group);
            }
            return replaced == 1;
        });
    }

    /**
     * A group for the recovery points of a link whose volume this site takes over: the one of the link's name when it
     * has the volume, or is free; else one named after the link. Made plain: what is to be frozen is its user's to say.
     */
    static GroupId groupFor(Connection connection, ReplicationLink link) throws SQLException {
        for (var name : List.of(link.group(), new GroupId(link.id().value()))) {
            var known = Sql.one(connection, GROUP, "SELECT document FROM groups WHERE id = ?", name.value());
            if (known.isPresent() && known.orElseThrow().volumes().contains(link.localVolume())) {
                return name;
            }
            if (known.isEmpty()) {
                var group = new ConsistencyGroup(
                        name,
                        List.of(link.localVolume()),
                        List.of(),
                        true,
                        ConsistencyGroup.FREEZE_LIMIT_DEFAULT,
                        Consistency.CRASH);
                Sql.execute(
                        connection,
                        "INSERT INTO groups (id, document) VALUES (?, ?)",
                        name.value(),
                        StoredJson.write(group));
                addVolumes(connection, group);
                return name;
            }
        }
        throw new StoreException(
                "groups %s and %s exist without volume %s".formatted(link.group(), link.id(), link.localVolume()));
    }

    private static void addVolumes(Connection connection, ConsistencyGroup group) throws SQLException {
        for (var volume : group.volumes()) {
            Sql.execute(
                    connection,
                    "INSERT INTO group_volumes (group_id, volume) VALUES (?, ?)",
                    group.id().value(),
                    volume.value());
        }
    }

    @Override
    public Optional<ConsistencyGroup> find(GroupId id) {
        return database.read(
                "group",
                connection -> Sql.one(connection, GROUP, "SELECT document FROM groups WHERE id = ?", id.value()));
    }

    @Override
    public Page<ConsistencyGroup> page(Optional<String> after, int limit) {
        return database.read(
                "groups",
                connection -> Page.cut(
                        Sql.list(
                                connection,
                                GROUP,
                                "SELECT document FROM groups WHERE id > ? ORDER BY id LIMIT ?",
                                after.orElse(""),
                                limit + 1),
                        limit,
                        group -> group.id().value()));
    }

    @Override
    public List<GroupId> ofVolume(VolumeId volume) {
        return database.read(
                "groups",
                connection -> Sql.list(
                        connection,
                        row -> new GroupId(row.getString("group_id")),
                        "SELECT group_id FROM group_volumes WHERE volume = ? ORDER BY group_id",
                        volume.value()));
    }

    @Override
    public boolean remove(GroupId id) {
        return database.write(
                "group", connection -> Sql.execute(connection, "DELETE FROM groups WHERE id = ?", id.value()) == 1);
    }
}
