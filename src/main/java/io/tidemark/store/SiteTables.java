package io.tidemark.store;

import io.tidemark.agent.SiteCatalog;
import io.tidemark.control.port.LinkStore;
import io.tidemark.control.port.PeerStore;
import io.tidemark.control.port.RecoveryPointStore;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Invitations, and what replication must remember across peers, links and recovery points. */
public final class SiteTables implements SiteCatalog {
    private static final String SAVE_PEER = """
            INSERT INTO peers (id, fingerprint, document) VALUES (?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET document = excluded.document""";

    private final Database database;
    private final PeerStore peers;
    private final LinkStore links;
    private final RecoveryPointStore points;

    public SiteTables(Database database, PeerStore peers, LinkStore links, RecoveryPointStore points) {
        this.database = database;
        this.peers = peers;
        this.links = links;
        this.points = points;
    }

    @Override
    public List<Peer> peers() {
        return peers.page(Optional.empty(), PeerTable.PEERS_MAXIMUM).items();
    }

    @Override
    public Optional<Peer> peer(PeerId id) {
        return peers.find(id);
    }

    @Override
    public Optional<Peer> peerByFingerprint(String fingerprint) {
        return database.read(
                "peer",
                connection -> Sql.one(
                        connection, PeerTable.PEER, "SELECT document FROM peers WHERE fingerprint = ?", fingerprint));
    }

    /** @throws StoreException when the id belongs to another key, or the key to another id */
    @Override
    public void savePeer(Peer peer) {
        database.write("peer " + peer.id(), connection -> {
            var known = Sql.one(
                    connection,
                    PeerTable.PEER,
                    "SELECT document FROM peers WHERE id = ?",
                    peer.id().value());
            if (known.isPresent() && !known.orElseThrow().fingerprint().equals(peer.fingerprint())) {
                throw new StoreException("peer %s has another key already".formatted(peer.id()));
            }
            return Sql.execute(connection, SAVE_PEER, peer.id().value(), peer.fingerprint(), StoredJson.write(peer));
        });
    }

    @Override
    public Optional<ReplicationLink> link(LinkId id) {
        return links.find(id);
    }

    @Override
    public void saveLink(ReplicationLink link) {
        links.save(link);
    }

    @Override
    public Optional<ReplicationLink> promote(LinkId id, Optional<Duration> every) {
        return database.write("promotion of link " + id, connection -> {
            var known = LinkTable.find(connection, id);
            if (known.isEmpty() || known.orElseThrow().role() == ReplicationLink.Role.SOURCE) {
                return known;
            }
            var group = GroupTable.groupFor(connection, known.orElseThrow());
            var promoted = known.orElseThrow().reversed(ReplicationLink.Role.SOURCE, group, every);
            LinkTable.save(connection, promoted);
            return Optional.of(promoted);
        });
    }

    @Override
    public boolean knows(RecoveryPointId point, VolumeId volume) {
        return points.find(point)
                .map(known -> known.members().stream()
                        .anyMatch(member -> member.volume().equals(volume)))
                .orElse(false);
    }

    @Override
    public void recordKept(RecoveryPoint point) {
        database.write("kept recovery point", connection -> RecoveryPointTable.insert(connection, point));
    }

    @Override
    public void recordReceived(RecoveryPoint point, LinkId link, SyncReport report) {
        database.write("received recovery point", connection -> {
            RecoveryPointTable.insertReceived(connection, point);
            var known = LinkTable.find(connection, link);
            if (known.isEmpty()) {
                throw new StoreException("link %s is not known".formatted(link));
            }
            LinkTable.save(connection, known.orElseThrow().inStepWith(report));
            return true;
        });
    }

    @Override
    public void saveInvitation(String secretSha256Hex, PeerId peerName, Instant expiresAt) {
        database.write(
                "invitation",
                connection -> Sql.execute(
                        connection,
                        "INSERT INTO invitations (secret_sha256, peer, expires_at) VALUES (?, ?, ?)",
                        secretSha256Hex,
                        peerName.value(),
                        expiresAt.toEpochMilli()));
    }

    @Override
    public Optional<PeerId> takeInvitation(String secretSha256Hex, Instant now) {
        return database.write("invitation", connection -> {
            forgetExpired(connection, now);
            var peer = Sql.one(
                    connection,
                    row -> new PeerId(row.getString("peer")),
                    "SELECT peer FROM invitations WHERE secret_sha256 = ?",
                    secretSha256Hex);
            Sql.execute(connection, "DELETE FROM invitations WHERE secret_sha256 = ?", secretSha256Hex);
            return peer;
        });
    }

    private static void forgetExpired(Connection connection, Instant now) throws SQLException {
        Sql.execute(connection, "DELETE FROM invitations WHERE expires_at <= ?", now.toEpochMilli());
    }
}
