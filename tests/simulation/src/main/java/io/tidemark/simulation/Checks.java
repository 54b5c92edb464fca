package io.tidemark.simulation;

import io.tidemark.domain.LinkState;
import io.tidemark.domain.ReplicationLink.Role;
import io.tidemark.replication.KeptPoints;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.SourceState;
import io.tidemark.replication.SourceSync;
import io.tidemark.replication.protocol.FrameType;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What must hold, asked after every effect of a host and at the end of every try. */
final class Checks {
    /** Greetings, offers, commits and signs of life beside the blocks; what a broken network doubles. */
    private static final int OTHER_FRAMES = 16;

    private static final Set<FrameType> GREETINGS =
            EnumSet.of(FrameType.HELLO, FrameType.WELCOME, FrameType.REFUSED, FrameType.ALIVE);
    private static final int VERSION_AT = 4;

    private final World world;
    /** Snapshots never change: each is compared once. */
    private final Map<SimulatedHost, Set<RecoveryPointId>> compared = new HashMap<>();

    private final Map<SimulatedHost, VolumeCheck> volumes = new HashMap<>();
    private Set<RecoveryPointId> heldBefore = Set.of();
    private int recorded = -1;
    /** Whether a target was ever made the source without its peer. */
    private boolean promoted;
    /** Whether both sides last agreed on where they stand: not between a promotion and what follows it. */
    private boolean inLine = true;

    Checks(World world) {
        this.world = world;
    }

    /** Before anything of the link is told, both sides speak the newest version that they have in common. */
    void sent(SimulatedConnection connection, Message message, byte[] frame) {
        var theirs = connection.targetVersions;
        var common = connection.sourceVersions.common(theirs.oldest(), theirs.newest());
        if (GREETINGS.contains(message.type())) {
            World.require(
                    frame[VERSION_AT] == 1, () -> "%s carries version %d".formatted(message.type(), frame[VERSION_AT]));
        } else {
            World.require(
                    common.isPresent() && frame[VERSION_AT] == common.get(),
                    () -> "%s is sent in version %d between %s and %s"
                            .formatted(message.type(), frame[VERSION_AT], connection.sourceVersions, theirs));
        }
        if (message instanceof Message.Welcome welcome) {
            World.require(
                    common.isPresent() && common.get() == welcome.version(),
                    () -> "welcome names " + welcome.version());
        }
    }

    /** Its volume is what it is now; whoever changes that from now on is known. */
    void begins(SimulatedHost host) {
        volumes.put(host, new VolumeCheck(host));
    }

    /** Somebody has written to the volume. */
    void written(SimulatedHost host, long offset, byte[] block) {
        of(host).written(offset, block);
    }

    /** A reversal found that the volume is what the peer has. */
    void compared(SimulatedHost host) {
        of(host).compared();
    }

    private VolumeCheck of(SimulatedHost host) {
        return Objects.requireNonNull(volumes.get(host));
    }

    /** People count on the other side from now on. */
    void turned(boolean unplanned) {
        recorded = -1;
        promoted = promoted || unplanned;
        inLine = inLine && !unplanned;
    }

    /** A side begins to take a recovery point. */
    void receives(SimulatedHost host) {
        World.require(
                host.role == Role.TARGET && host.state == LinkState.ACTIVE,
                () -> "%s takes a recovery point, and is %s and %s".formatted(host.name, host.role, host.state));
    }

    /** A side tells its peer that it is the source. */
    void confirms(SimulatedHost host) {
        World.require(
                host.state != LinkState.HANDING_OVER,
                () -> host.name + " says that it is the source, and is handing over");
    }

    /** A side has become the source because its peer handed it over. */
    void handedOver(SimulatedHost to) {
        var from = world.other(to);
        World.require(
                of(from).writtenSinceCompared()
                        || from.storage.content(SimulatedHost.VOLUME).sameAs(to.storage.content(SimulatedHost.VOLUME)),
                () -> "%s was handed over something else than what %s has".formatted(to.name, from.name));
    }

    /** After a role has changed. */
    void roles() {
        var one = world.source;
        var two = world.other(one);
        World.require(
                one.role == Role.SOURCE || two.role == Role.SOURCE,
                () -> "both sides take the other's recovery points");
        boolean handingOver = one.state == LinkState.HANDING_OVER || two.state == LinkState.HANDING_OVER;
        boolean asked = promoted || two.reversal.request.isPresent() || one.reversal.request.isPresent();
        World.require(
                one.role != two.role || handingOver || asked,
                () -> "both sides are the source, and nobody asked for it");
    }

    /** After an effect of a side that sends. */
    void source(SimulatedHost host) throws ProviderException {
        of(host).check();
        var sync = host.source.sync();
        if (sync.isEmpty()) {
            return;
        }
        var state = sync.get().state();
        World.require(host.role == Role.SOURCE, () -> host.name + " sends, and is the target");
        if (state == SourceState.OFFERED || state == SourceState.SENDING || state == SourceState.COMMITTING) {
            requireHeld(host, sync.get().task().point(), "what is being sent");
            // Where the target's newest was deleted in spite of its hold, an older one counts that nobody holds yet.
            sync.get()
                    .base()
                    .filter(base -> world.other(host).lost.isEmpty())
                    .ifPresent(base -> requireHeld(host, base, "what is being built upon"));
        }
        if (state == SourceState.SENDING || state == SourceState.COMMITTING) {
            acknowledgedIsDurable(sync.get(), world.other(host).target.log);
        }
        memory(host);
    }

    private static void acknowledgedIsDurable(SourceSync sync, @Nullable SimulatedLog log) {
        if (log != null && log.header.point().equals(sync.task().point())) {
            World.require(
                    sync.durable().frameCount() <= log.synced().frameCount(),
                    () -> "acknowledged %d frames, durable are %d"
                            .formatted(sync.durable().frameCount(), log.synced().frameCount()));
        }
    }

    /** After an effect of a side that receives. */
    void target(SimulatedHost host) throws ProviderException {
        everyCopyIsTheOriginal(host);
        of(host).check();
        if (host.role == Role.TARGET) {
            var stands = host.inStep;
            var peer = world.other(host);
            if (stands.isPresent() && inLine) {
                requireHeld(host, stands.get(), "where the target stands");
                if (peer == world.source && peer.role == Role.SOURCE && !host.lost.contains(stands.get())) {
                    requireHeld(peer, stands.get(), "the base of what comes next");
                    int sequence = world.sequence(stands.get());
                    World.require(sequence >= recorded, () -> "the target went back to " + stands.get());
                    recorded = sequence;
                }
            }
        } else {
            World.require(host.target.log == null, () -> host.name + " is the source, and has an ingest log");
        }
        memory(world.other(host));
    }

    void everyCopyIsTheOriginal(SimulatedHost host) {
        var there = new HashSet<RecoveryPointId>();
        var done = compared.computeIfAbsent(host, _ -> new HashSet<>());
        for (var point : host.snapshots()) {
            there.add(point);
            if (done.add(point)) {
                var content =
                        host.storage.content(SimulatedHost.snapshot(point)).orElseThrow();
                if (KeptPoints.is(point)) {
                    of(host).isWhatItWas(point, content);
                } else {
                    World.require(
                            content.sameAs(world.content(point)),
                            () -> "copy of %s at %s is not the original".formatted(point, host.name));
                }
            }
        }
        done.retainAll(there);
    }

    /** What is on its way, and what waits at either side. */
    private void memory(SimulatedHost sender) {
        var receiver = world.other(sender);
        for (var connection : world.network.open()) {
            if (connection.from == sender) {
                World.require(
                        connection.toTarget.inFlightFrames + receiver.target.waiting()
                                <= World.WINDOW_FRAMES + OTHER_FRAMES,
                        () -> "%d frames are under way"
                                .formatted(connection.toTarget.inFlightFrames + receiver.target.waiting()));
            }
        }
        World.require(sender.source.waiting() <= OTHER_FRAMES, () -> "messages pile up at the source");
        World.require(
                receiver.target.unsyncedFrames() <= World.WINDOW_FRAMES, () -> "unsynced frames pile up at the target");
        sender.source
                .sync()
                .ifPresent(sync -> World.require(
                        sync.sent().frameCount() - sync.durable().frameCount() <= World.WINDOW_FRAMES
                                && sync.spansAsked() + sync.spansQueued() <= SourceSync.SPANS_AHEAD,
                        () -> "more is under way than the windows allow"));
    }

    void tryBegins(SimulatedHost host) {
        heldBefore = host.held();
    }

    void tryEnded(SimulatedHost host, boolean done, Optional<ReplicationError> why) {
        if (done && host == world.source) {
            var peer = world.other(host);
            // After a promotion the old source may have what it never heard to be in step with: sent again, it is
            // there.
            boolean agreed = inLine || host.inStep.equals(peer.inStep);
            if (peer.role == Role.TARGET && agreed) {
                var point = peer.inStep.orElseThrow(() -> new Violation("acknowledged but not recorded"));
                World.require(host.inStep.equals(peer.inStep), () -> "acknowledged, and the target stands elsewhere");
                World.require(
                        host.held().equals(host.lost.contains(point) ? Set.of() : Set.of(point)),
                        () -> "the source holds %s, in step with %s".formatted(host.held(), point));
                recorded = world.sequence(point);
                inLine = true;
            }
        }
        why.ifPresent(error -> failedRightly(host, error));
    }

    private void failedRightly(SimulatedHost host, ReplicationError error) {
        var peer = world.other(host);
        boolean wrong = switch (error) {
            case ReplicationError.Diverged diverged ->
                !promoted && !tookItWithAClockAhead(host, diverged.targetNewest());
            case ReplicationError.TargetWritten _ -> !promoted && !of(peer).wasWritten() && peer.lost.isEmpty();
            case ReplicationError.NoCommonBase _ -> !promoted && host.lost.isEmpty() && peer.lost.isEmpty();
            case ReplicationError.NoTarget _ -> !promoted && peer.state != LinkState.HANDING_OVER;
            case ReplicationError.LinkPaused _, ReplicationError.Cancelled _ -> !world.pauses();
            case ReplicationError.ChecksumMismatch _, ReplicationError.TargetSmaller _ -> true;
            case ReplicationError.LinkUnknown _ -> !promoted && peer.reversal.request.isEmpty();
            case ReplicationError.CorruptFrame _ -> !world.damages();
            default -> false;
        };
        World.require(!wrong, () -> "nobody did anything, and yet: " + error.message());
        if (error instanceof ReplicationError.ProtocolMismatch || error instanceof ReplicationError.PeerUnreachable) {
            World.require(
                    heldBefore.containsAll(host.held()), () -> "holds pile up for a peer that cannot be spoken to");
        }
    }

    /** A known limit: nothing tells a target that what sorts behind came before, once the source has deleted it. */
    private boolean tookItWithAClockAhead(SimulatedHost source, RecoveryPointId point) {
        return world.clockJumps() && !source.has(point);
    }

    /** All is quiet: the images are equal, and nothing is held, open or kept that nobody needs. */
    void healed() throws ProviderException {
        var source = world.source;
        var target = world.other(source);
        target(target);
        source(source);
        World.require(
                source.role == Role.SOURCE && target.role == Role.TARGET,
                () -> "in a healed world the sides are " + source.role + " and " + target.role);
        World.require(
                source.state == LinkState.ACTIVE && target.state == LinkState.ACTIVE,
                () -> "in a healed world the link is " + source.state + " and " + target.state);
        var stands = target.inStep.orElseThrow(() -> new Violation("nothing arrived"));
        World.require(target.held().equals(Set.of(stands)), () -> "the target holds " + target.held());
        World.require(target.target.log == null, () -> "an ingest log is left");
        World.require(target.target.working().isEmpty(), () -> "a session is left");
        World.require(
                target.storage.content(SimulatedHost.VOLUME).sameAs(world.content(stands)),
                () -> "the images differ in a healed world");
        target.provider.write(SimulatedHost.VOLUME).close();
    }

    private static void requireHeld(SimulatedHost host, RecoveryPointId point, String what) {
        World.require(
                host.lost.contains(point)
                        || !host.storage.holds(SimulatedHost.snapshot(point)).isEmpty(),
                () -> "%s does not hold %s: %s".formatted(host.name, point, what));
    }
}
