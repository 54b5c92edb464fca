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
import java.util.Optional;

/** What replication must remember beyond a restart; kept by the store. Every write is durable on return. */
public interface SiteCatalog {
    List<Peer> peers();

    Optional<Peer> peer(PeerId id);

    Optional<Peer> peerByFingerprint(String fingerprint);

    /** Adds the peer or replaces the one of that id when its fingerprint is the same. */
    void savePeer(Peer peer);

    Optional<ReplicationLink> link(LinkId id);

    /** Adds or replaces. */
    void saveLink(ReplicationLink link);

    /**
     * This side of the link becomes the source, with what it has. A group for its recovery points is made when there is
     * none with the volume. Does nothing when it is the source already.
     *
     * @param every how often it takes and sends by itself from now on
     * @return as it is after; empty when the link is not known
     */
    Optional<ReplicationLink> promote(LinkId link, Optional<Duration> every);

    /** Whether the recovery point is recorded here with a snapshot of that volume, taken or received. */
    boolean knows(RecoveryPointId point, VolumeId volume);

    /** Target side: what the volume held before a resync overwrites it. Adding it again changes nothing. */
    void recordKept(RecoveryPoint point);

    /** Target side: the recovery point is here; also moves the link's {@code inStep}, in one transaction. */
    void recordReceived(RecoveryPoint point, LinkId link, SyncReport report);

    void saveInvitation(String secretSha256Hex, PeerId peerName, Instant expiresAt);

    /** Removes it and answers its peer's name if it exists and has not expired; only one caller ever gets it. */
    Optional<PeerId> takeInvitation(String secretSha256Hex, Instant now);
}
