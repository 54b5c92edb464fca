package io.tidemark.store;

import io.tidemark.agent.TrackingAudits;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.spi.VolumeId;
import java.util.Optional;

/** Audits of changed-range sources in SQL. */
public final class TrackingAuditTable implements TrackingAudits {
    private final Database database;

    public TrackingAuditTable(Database database) {
        this.database = database;
    }

    @Override
    public Optional<TrackingAudit> find(VolumeId volume) {
        return database.read(
                "tracking audit",
                connection -> Sql.one(
                        connection,
                        row -> StoredJson.read(row.getString("document"), TrackingAudit.class),
                        "SELECT document FROM tracking_audits WHERE volume = ?",
                        volume.value()));
    }

    @Override
    public void save(TrackingAudit audit) {
        database.write(
                "tracking audit",
                connection -> Sql.execute(
                        connection,
                        """
                        INSERT INTO tracking_audits (volume, distrusted, document) VALUES (?, ?, ?)
                        ON CONFLICT (volume) DO UPDATE
                            SET distrusted = excluded.distrusted, document = excluded.document""",
                        audit.volume().value(),
                        audit.distrust().isPresent() ? 1 : 0,
                        StoredJson.write(audit)));
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
}
