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
        var changed = new Changed(this);
        changed.inStep = Optional.of(report.recoveryPoint());
        changed.lastReport = Optional.of(report);
        changed.underway = underway.filter(point -> !arrived || !point.equals(report.recoveryPoint()));
        return changed.link();
    }

    public ReplicationLink in(LinkState newState, Optional<RecoveryPointId> nowUnderway) {
        var changed = new Changed(this);
        changed.state = newState;
        changed.underway = nowUnderway;
        return changed.link();
    }

    /** The other way round: what was in step stays the base. Active, and nothing is under way. */
    public ReplicationLink reversed(Role newRole, GroupId newGroup, Optional<Duration> newEvery) {
        var changed = new Changed(this);
        changed.role = newRole;
        changed.group = newGroup;
        changed.every = newEvery;
        changed.state = LinkState.ACTIVE;
        changed.underway = Optional.empty();
        return changed.link();
    }

    public ReplicationLink with(Optional<Duration> newEvery, RateLimits newRates, boolean newOnArrival) {
        var changed = new Changed(this);
        changed.every = newEvery;
        changed.rates = newRates;
        changed.onArrival = newOnArrival;
        return changed.link();
    }

    /** What of a link can become another; the rest stays the link's. */
    private static final class Changed {
        private final ReplicationLink before;
        private Role role;
        private GroupId group;
        private Optional<Duration> every;
        private Optional<RecoveryPointId> inStep;
        private Optional<SyncReport> lastReport;
        private LinkState state;
        private Optional<RecoveryPointId> underway;
        private RateLimits rates;
        private boolean onArrival;

        Changed(ReplicationLink before) {
            this.before = before;
            this.role = before.role;
            this.group = before.group;
            this.every = before.every;
            this.inStep = before.inStep;
            this.lastReport = before.lastReport;
            this.state = before.state;
            this.underway = before.underway;
            this.rates = before.rates;
            this.onArrival = before.onArrival;
        }

        ReplicationLink link() {
            return new ReplicationLink(
                    before.id,
                    role,
                    before.peer,
                    before.localVolume,
                    before.peerVolume,
                    group,
                    every,
                    inStep,
                    lastReport,
                    state,
                    underway,
                    rates,
                    onArrival);
        }
    }
}
