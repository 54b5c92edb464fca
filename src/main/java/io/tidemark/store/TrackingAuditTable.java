package io.tidemark.store;

import io.tidemark.agent.TrackingAudits;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** Audits of changed-range sources in SQL. */
public final class TrackingAuditTable implements TrackingAudits {
    private final Database database;

    public TrackingAuditTable(Database database) {
        this.database = database;
    }

    private static Optional<TrackingAudit> find(Connection connection, VolumeId volume) throws SQLException {
        return Sql.one(
                connection,
                row -> StoredJson.read(row.getString("document"), TrackingAudit.class),
                "SELECT document FROM tracking_audits WHERE volume = ?",
                volume.value());
    }

    @Override
    public Optional<TrackingAudit> find(VolumeId volume) {
        return database.read("tracking audit", connection -> find(connection, volume));
    }

    @Override
    public TrackingAudit change(VolumeId volume, Function<Optional<TrackingAudit>, TrackingAudit> change) {
        return database.write("tracking audit", connection -> {
            var changed = change.apply(find(connection, volume));
            Sql.execute(
                    connection, """
                    INSERT INTO tracking_audits (volume, distrusted, document) VALUES (?, ?, ?)
                    ON CONFLICT (volume) DO UPDATE
                        SET distrusted = excluded.distrusted, document = excluded.document""", volume.value(), changed.distrust().isPresent() ? 1 : 0, StoredJson.write(changed));
            return changed;
        });
    }

    @Override
    public void remove(VolumeId volume) {
        database.write(
                "tracking audit",
                connection -> Sql.execute(connection, "DELETE FROM tracking_audits WHERE volume = ?", volume.value()));
    }

    @Override
    public int distrustedCount() {
        return database.read(
                "tracking audits",
                connection -> Sql.one(
                                connection,
                                row -> row.getInt("volumes"),
                                "SELECT count(*) AS volumes FROM tracking_audits WHERE distrusted = 1")
                        .orElse(0));
    }

    @Override
    public void transferBegan(LinkId link, RecoveryPointId point, long epoch) {
        database.write("transfer", connection -> Sql.execute(connection, """
                        INSERT INTO transfers (link, recovery_point, epoch) SELECT id, ?, ? FROM links WHERE id = ?
                        ON CONFLICT (link) DO UPDATE
                            SET recovery_point = excluded.recovery_point, epoch = excluded.epoch""", point.value(), epoch, link.value()));
    }

    @Override
    public OptionalLong transferEpoch(LinkId link, RecoveryPointId point) {
        var epoch = database.read(
                "transfer",
                connection -> Sql.one(
                        connection,
                        row -> row.getLong("epoch"),
                        "SELECT epoch FROM transfers WHERE link = ? AND recovery_point = ?",
                        link.value(),
                        point.value()));
        return epoch.isPresent() ? OptionalLong.of(epoch.get()) : OptionalLong.empty();
    }
}
