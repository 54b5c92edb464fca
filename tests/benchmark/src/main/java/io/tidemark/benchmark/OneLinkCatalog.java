package io.tidemark.benchmark;

import io.tidemark.agent.SiteCatalog;
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

/** Knows one peer, whose key it was told, and remembers links as long as the process lives. */
final class OneLinkCatalog implements SiteCatalog {
    private final Peer peer;
    private final Map<LinkId, ReplicationLink> links = new ConcurrentHashMap<>();

    OneLinkCatalog(String peerFingerprint) {
        this.peer = new Peer(new PeerId("source"), "127.0.0.1:1", peerFingerprint, Instant.EPOCH);
    }

    @Override
    public List<Peer> peers() {
        return List.of(peer);
    }

    @Override
    public Optional<Peer> peer(PeerId id) {
        return peers().stream().filter(known -> known.id().equals(id)).findFirst();
    }

    @Override
    public Optional<Peer> peerByFingerprint(String fingerprint) {
        return peers().stream()
                .filter(known -> known.fingerprint().equals(fingerprint))
                .findFirst();
    }

    @Override
    public void savePeer(Peer added) {
        throw new UnsupportedOperationException("nobody pairs here");
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
        throw new UnsupportedOperationException("nothing is let go of here");
    }

    @Override
    public void recordKept(RecoveryPoint point) {
        throw new UnsupportedOperationException("nothing is overwritten here");
    }

    @Override
    public Optional<ReplicationLink> promote(LinkId link, Optional<Duration> every) {
        throw new UnsupportedOperationException("nobody is promoted here");
    }

    @Override
    public void recordReceived(RecoveryPoint point, LinkId link, SyncReport report) {
        links.computeIfPresent(link, (id, known) -> known.inStepWith(report));
    }

    @Override
    public void saveInvitation(String secretSha256Hex, PeerId peerName, Instant expiresAt) {
        throw new UnsupportedOperationException("nobody pairs here");
    }

    @Override
    public Optional<PeerId> takeInvitation(String secretSha256Hex, Instant now) {
        return Optional.empty();
    }
}
