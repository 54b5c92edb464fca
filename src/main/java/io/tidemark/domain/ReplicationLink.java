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
 * @param state what it may do
 * @param underway recovery point that a pause stopped on its way, or that a reversal hands over
 * @param rates how fast this side may send over it
 * @param onArrival whether the source sends on what the volume has received over another link, as soon as it is here
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
        Optional<SyncReport> lastReport,
        LinkState state,
        Optional<RecoveryPointId> underway,
        RateLimits rates,
        boolean onArrival) {

    public enum Role {
        SOURCE,
        TARGET
    }

    /** A link as it is made: active, without limits. */
    public ReplicationLink(
            LinkId id,
            Role role,
            PeerId peer,
            VolumeId localVolume,
            VolumeId peerVolume,
            GroupId group,
            Optional<Duration> every,
            Optional<RecoveryPointId> inStep,
            Optional<SyncReport> lastReport) {
        this(
                id,
                role,
                peer,
                localVolume,
                peerVolume,
                group,
                every,
                inStep,
                lastReport,
                LinkState.ACTIVE,
                Optional.empty(),
                RateLimits.NONE,
                false);
    }

    /** What was under way has arrived when it is this one. */
    public ReplicationLink inStepWith(SyncReport report) {
        boolean arrived = state != LinkState.DRAINING && state != LinkState.HANDING_OVER;
        return new ReplicationLink(
                id,
                role,
                peer,
                localVolume,
                peerVolume,
                group,
                every,
                Optional.of(report.recoveryPoint()),
                Optional.of(report),
                state,
                underway.filter(point -> !arrived || !point.equals(report.recoveryPoint())),
                rates,
                onArrival);
    }

    public ReplicationLink in(LinkState newState, Optional<RecoveryPointId> nowUnderway) {
        return new ReplicationLink(
                id,
                role,
                peer,
                localVolume,
                peerVolume,
                group,
                every,
                inStep,
                lastReport,
                newState,
                nowUnderway,
                rates,
                onArrival);
    }

    /** The other way round: what was in step stays the base. Active, and nothing is under way. */
    public ReplicationLink reversed(Role newRole, GroupId newGroup, Optional<Duration> newEvery) {
        return new ReplicationLink(
                id,
                newRole,
                peer,
                localVolume,
                peerVolume,
                newGroup,
                newEvery,
                inStep,
                lastReport,
                LinkState.ACTIVE,
                Optional.empty(),
                rates,
                onArrival);
    }

    public ReplicationLink with(Optional<Duration> newEvery, RateLimits newRates, boolean newOnArrival) {
        return new ReplicationLink(
                id,
                role,
                peer,
                localVolume,
                peerVolume,
                group,
                newEvery,
                inStep,
                lastReport,
                state,
                underway,
                newRates,
                newOnArrival);
    }
}
