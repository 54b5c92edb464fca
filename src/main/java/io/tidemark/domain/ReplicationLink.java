package io.tidemark.domain;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.Optional;

/**
 * One volume kept in step with its copy on a peer.
 *
 * @param localVolume this site's volume, {@code peerVolume} the other's
 * @param group the source's group whose recovery points travel
 * @param every how often the source takes and sends a recovery point by itself; empty: only when asked
 * @param inStep newest recovery point known to be safely on both sides
 * @param lastReport of the newest finished synchronisation
 */
public record ReplicationLink(
        LinkId id,
        Role role,
        PeerId peer,
        VolumeId localVolume,
        VolumeId peerVolume,
        GroupId group,
        Optional<Duration> every,
        Optional<RecoveryPointId> inStep,
        Optional<SyncReport> lastReport) {

    public enum Role {
        SOURCE,
        TARGET
    }

    public ReplicationLink inStepWith(SyncReport report) {
        return new ReplicationLink(
                id,
                role,
                peer,
                localVolume,
                peerVolume,
                group,
                every,
                Optional.of(report.recoveryPoint()),
                Optional.of(report));
    }
}
