package io.tidemark.agent;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** A site's memory that is durable at once. */
public final class MemoryCatalog implements SiteCatalog {
    public final Map<PeerId, Peer> peers = new ConcurrentHashMap<>();
    final Map<LinkId, ReplicationLink> links = new ConcurrentHashMap<>();
    final Map<RecoveryPointId, RecoveryPoint> kept = new ConcurrentHashMap<>();
    final Map<RecoveryPointId, RecoveryPoint> received = new ConcurrentHashMap<>();
    private final Map<String, Invited> invitations = new ConcurrentHashMap<>();

    private record Invited(PeerId peer, Instant expiresAt) {}

    @Override
    public List<Peer> peers() {
        return List.copyOf(peers.values());
    }

    @Override
    public Optional<Peer> peer(PeerId id) {
        return Optional.ofNullable(peers.get(id));
    }

    @Override
    public Optional<Peer> peerByFingerprint(String fingerprint) {
        return peers.values().stream()
                .filter(peer -> peer.fingerprint().equals(fingerprint))
                .findFirst();
    }

    @Override
    public void savePeer(Peer peer) {
        peers.put(peer.id(), peer);
    }

    @Override
    public Optional<ReplicationLink> link(LinkId id) {
        return Optional.ofNullable(links.get(id));
    }

    @Override
    public void saveLink(ReplicationLink link) {
        links.put(link.id(), link);
    }

    @Override
    public boolean knows(RecoveryPointId point, VolumeId volume) {
        return received.containsKey(point) || kept.containsKey(point);
    }

    @Override
    public Optional<ReplicationLink> promote(LinkId link, Optional<Duration> every) {
        return Optional.ofNullable(links.computeIfPresent(
                link,
                (id, known) -> known.role() == ReplicationLink.Role.SOURCE
                        ? known
                        : known.reversed(ReplicationLink.Role.SOURCE, known.group(), every)));
    }

    @Override
    public void recordKept(RecoveryPoint point) {
        kept.put(point.id(), point);
    }

    @Override
    public void recordReceived(RecoveryPoint point, LinkId link, SyncReport report) {
        received.put(point.id(), point);
        links.computeIfPresent(link, (id, known) -> known.inStepWith(report));
    }

    @Override
    public void saveInvitation(String secretSha256Hex, PeerId peerName, Instant expiresAt) {
        invitations.put(secretSha256Hex, new Invited(peerName, expiresAt));
    }

    @Override
    public Optional<PeerId> takeInvitation(String secretSha256Hex, Instant now) {
        var invited = invitations.remove(secretSha256Hex);
        return invited == null || invited.expiresAt().isBefore(now) ? Optional.empty() : Optional.of(invited.peer());
    }
}
