package io.tidemark.agent;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.SyncReport;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.RecoveryPointId;
import java.util.List;
import java.util.Optional;

/** Moves recovery points to paired sites; this host is the source. Blocks; call on a virtual thread. */
public interface Replicator {
    /** Bases that one offer holds; those behind them are not looked at. */
    int BASES_MAXIMUM = Message.Offer.CANDIDATES_MAXIMUM;

    /** Tells the peer of a new link, so that it makes the volume and accepts synchronisations over it. Idempotent. */
    void openLink(ReplicationLink link, Peer peer, long volumeBytes) throws ReplicationException;

    /**
     * Sends one recovery point's snapshot of the link's volume. The base is the newest of {@code candidateBases} that
     * the target has too. On return the target has it, durably, and the source's snapshot is held for the next one.
     * Calling again after any failure, or for a recovery point that is already there, is safe and resumes.
     *
     * @param candidateBases recovery points of the link's volume that still exist here, newest first; at most
     *     {@link #BASES_MAXIMUM} count
     */
    SyncReport sync(
            ReplicationLink link,
            Peer peer,
            RecoveryPoint point,
            List<RecoveryPointId> candidateBases,
            ProgressListener listener)
            throws ReplicationException;

    /**
     * As {@link #sync}, for a target that was written, diverged or lost its base: the target keeps what it has as a
     * recovery point of its own, then is made this one by digest.
     */
    SyncReport resync(
            ReplicationLink link,
            Peer peer,
            RecoveryPoint point,
            List<RecoveryPointId> candidateBases,
            ProgressListener listener)
            throws ReplicationException;

    /**
     * Drops what is kept here for the next synchronisation of a link that is gone or sends no more; nothing else depends
     * on it.
     */
    void forget(LinkId link);

    /**
     * How it is known that the link's volume here is no longer what its snapshot of the recovery point is, one phrase;
     * empty: it is. A snapshot that is gone proves nothing, and counts as a difference. Cuts and deletes a snapshot of
     * its own where the storage can tell what changed; reads the volume wholly where it cannot.
     */
    Optional<String> changedSince(ReplicationLink link, RecoveryPointId point) throws ReplicationException;

    /**
     * Tells the peer to be the source of the link from now on; it must be in step with the point. Twice is once.
     *
     * @return the peer's refusal: then it is still the target
     * @throws ReplicationException when there is no answer: then the peer may be the source already
     */
    Optional<ReplicationError> handOver(ReplicationLink link, Peer peer, RecoveryPointId point)
            throws ReplicationException;

    /** @throws ReplicationException unless the peer says that it is the source of the link */
    void confirmPeerIsSource(ReplicationLink link, Peer peer) throws ReplicationException;

    /**
     * Compares this side's snapshot with the target's by a checksum tree; reads both wholly. Of volumes that are files
     * their manifests are compared ({@code TreeManifest}): one of another size is ChecksumMismatch.
     */
    VerifyReport verify(ReplicationLink link, Peer peer, RecoveryPointId point, ProgressListener listener)
            throws ReplicationException;

    /**
     * @param comparedBytes size of the image, or of the manifest
     * @param differingBlocks 4 KiB blocks that are not alike; 0 when in step
     */
    record VerifyReport(RecoveryPointId recoveryPoint, long comparedBytes, long differingBlocks, String rootDigest) {}
}
