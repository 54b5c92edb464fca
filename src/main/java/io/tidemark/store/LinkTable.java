package io.tidemark.store;

import io.tidemark.control.port.LinkStore;
import io.tidemark.control.port.Page;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.ReplicationLink;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Replication links and their schedules in SQL. */
public final class LinkTable implements LinkStore {
    private static final Sql.Row<ReplicationLink> LINK =
            row -> StoredJson.read(row.getString("document"), ReplicationLink.class);

    private final Database database;

    public LinkTable(Database database) {
        this.database = database;
    }

    static Optional<ReplicationLink> find(Connection connection, LinkId id) throws SQLException {
        return Sql.one(connection, LINK, "SELECT document FROM links WHERE id = ?", id.value());
    }

    static void save(Connection connection, ReplicationLink link) throws SQLException {
        Sql.execute(
                connection,
                """
                INSERT INTO links (id, role, peer, local_volume, group_id, document) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET role = excluded.role, peer = excluded.peer,
                    local_volume = excluded.local_volume, group_id = excluded.group_id, document = excluded.document""",
                link.id().value(),
                link.role().name(),
                link.peer().value(),
                link.localVolume().value(),
                link.group().value(),
                StoredJson.write(link));
    }

    @Override
    public Page<ReplicationLink> page(Optional<String> after, int limit) {
        return database.read(
                "links",
                connection -> Page.cut(
                        Sql.list(
                                connection,
                                LINK,
                                "SELECT document FROM links WHERE id > ? ORDER BY id LIMIT ?",
                                after.orElse(""),
                                limit + 1),
                        limit,
                        link -> link.id().value()));
    }

    @Override
    public List<ReplicationLink> all() {
        return database.read(
                "links", connection -> Sql.list(connection, LINK, "SELECT document FROM links ORDER BY id"));
    }

    @Override
    public Optional<ReplicationLink> find(LinkId id) {
        return database.read("link", connection -> find(connection, id));
    }

    @Override
    public void save(ReplicationLink link) {
        database.write("link", connection -> {
            save(connection, link);
            return true;
        });
    }

    @Override
    public Optional<ReplicationLink> change(LinkId id, UnaryOperator<ReplicationLink> change) {
        return database.write("link", connection -> {
            var changed = find(connection, id).map(change);
            if (changed.isPresent()) {
                save(connection, changed.orElseThrow());
            }
            return changed;
        });
    }

    @Override
    public boolean remove(LinkId id) {
        return database.write(
                "link", connection -> Sql.execute(connection, "DELETE FROM links WHERE id = ?", id.value()) == 1);
    }

    @Override
    public Optional<Due> due(LinkId id) {
        return database.read("schedule", connection -> due(connection, id));
    }

    private static Optional<Due> due(Connection connection, LinkId id) throws SQLException {
        return Sql.one(
                connection,
                row -> new Due(id, Instant.ofEpochMilli(row.getLong("due_at")), row.getInt("failures")),
                "SELECT due_at, failures FROM link_schedules WHERE link = ?",
                id.value());
    }

    @Override
    public void saveDue(Due due) {
        database.write("schedule", connection -> saveDue(connection, due));
    }

    private static int saveDue(Connection connection, Due due) throws SQLException {
        return Sql.execute(
                connection,
                """
                INSERT INTO link_schedules (link, due_at, failures)
                SELECT id, ?, ? FROM links WHERE id = ?
                ON CONFLICT (link) DO UPDATE SET due_at = excluded.due_at, failures = excluded.failures""",
                due.dueAt().toEpochMilli(),
                due.failures(),
                due.link().value());
    }

    @Override
    public void moveDue(LinkId id, Optional<Due> before, Function<ReplicationLink, Due> next) {
        database.write("schedule", connection -> {
            var link = find(connection, id);
            if (link.isEmpty() || !due(connection, id).equals(before)) {
                return 0;
            }
            return saveDue(connection, next.apply(link.orElseThrow()));
        });
    }
}
