package io.tidemark.simulation;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.SourceState;
import io.tidemark.replication.SourceSync;
import io.tidemark.replication.protocol.FrameType;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What must hold, asked after every effect of a host and at the end of every try. */
final class Checks {
    private static final RecoveryPointId PROBE = new RecoveryPointId("rp-0probe");
    /** Greetings, offers, commits and signs of life beside the blocks; what a broken network doubles. */
    private static final int OTHER_FRAMES = 16;

    private static final Set<FrameType> GREETINGS =
            EnumSet.of(FrameType.HELLO, FrameType.WELCOME, FrameType.REFUSED, FrameType.ALIVE);
    private static final int VERSION_AT = 4;

    private final World world;
    /** Snapshots never change: each is compared once. */
    private final Set<SnapshotId> compared = new HashSet<>();

    private Set<RecoveryPointId> heldBefore = Set.of();
    private int recorded = -1;

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

    /** After an effect of the source. */
    void source() {
        var sync = world.source.sync();
        if (sync.isEmpty()) {
            return;
        }
        var state = sync.get().state();
        if (state == SourceState.OFFERED || state == SourceState.SENDING || state == SourceState.COMMITTING) {
            requireHeld(world.source, SimulatedSource.snapshot(sync.get().task().point()), "what is being sent");
            sync.get()
                    .base()
                    .ifPresent(base ->
                            requireHeld(world.source, SimulatedSource.snapshot(base), "what is being built upon"));
        }
        if (state == SourceState.SENDING || state == SourceState.COMMITTING) {
            acknowledgedIsDurable(sync.get());
        }
        memory();
    }

    private void acknowledgedIsDurable(SourceSync sync) {
        var log = world.target.log;
        if (log != null && log.header.point().equals(sync.task().point())) {
            World.require(
                    sync.durable().frameCount() <= log.synced().frameCount(),
                    () -> "acknowledged %d frames, durable are %d"
                            .formatted(sync.durable().frameCount(), log.synced().frameCount()));
        }
    }

    /** After an effect of the target. */
    void target() throws ProviderException {
        everyCopyIsTheOriginal();
        var stands = world.target.inStep;
        if (stands.isPresent()) {
            requireHeld(world.target, copy(stands.get()), "where the target stands");
            requireHeld(world.source, SimulatedSource.snapshot(stands.get()), "the base of what comes next");
            int sequence = world.sequence(stands.get());
            World.require(sequence >= recorded, () -> "the target went back to " + stands.get());
            recorded = sequence;
        }
        theVolumeIsOldOrNew();
        memory();
    }

    private void everyCopyIsTheOriginal() throws ProviderException {
        var there = new HashSet<SnapshotId>();
        for (var snapshot : world.target
                .provider
                .snapshots(SnapshotQuery.ofVolume(SimulatedTarget.VOLUME))
                .snapshots()) {
            there.add(snapshot.id());
            if (compared.add(snapshot.id())) {
                var original = world.contents.get(snapshot.id().recoveryPoint());
                World.require(
                        Arrays.equals(snapshot(world.target, snapshot.id()), original),
                        () -> "copy of %s is not the original"
                                .formatted(snapshot.id().recoveryPoint()));
            }
        }
        compared.retainAll(there);
    }

    /** While a durable commit is carried out each block is the old one's or the new one's; else all are the old one's. */
    private void theVolumeIsOldOrNew() throws ProviderException {
        var stands = world.target.inStep;
        if (stands.isEmpty()) {
            return;
        }
        var probe = copy(PROBE);
        var provider = world.target.provider;
        provider.cut(new CutRequest(PROBE, List.of(SimulatedTarget.VOLUME)));
        try (var ranges = provider.changedRanges(copy(stands.get()), probe)) {
            if (ranges.next().isEmpty()) {
                return;
            }
            var log = world.target.log;
            World.require(
                    log != null && world.target.between(),
                    () -> "volume is not at %s, where it stands".formatted(stands.get()));
            if (log != null) {
                eachBlockIsOneOf(snapshot(world.target, probe), stands.get(), log.header.point());
            }
        } finally {
            provider.delete(probe);
        }
    }

    private void eachBlockIsOneOf(byte[] volume, RecoveryPointId older, RecoveryPointId newer) {
        byte[] before = content(older);
        byte[] after = content(newer);
        for (int offset = 0; offset < volume.length; offset += World.BLOCK_BYTES) {
            int from = offset;
            int to = Math.min(volume.length, from + World.BLOCK_BYTES);
            World.require(
                    Arrays.equals(volume, from, to, before, from, to)
                            || Arrays.equals(volume, from, to, after, from, to),
                    () -> "block at %d is neither that of %s nor that of %s".formatted(from, older, newer));
        }
    }

    private byte[] content(RecoveryPointId point) {
        return Optional.ofNullable(world.contents.get(point)).orElseThrow(() -> new Violation("unknown " + point));
    }

    /** What is on its way, and what waits at either side. */
    private void memory() {
        for (var connection : world.network.open()) {
            World.require(
                    connection.toTarget.inFlightFrames + world.target.waiting() <= World.WINDOW_FRAMES + OTHER_FRAMES,
                    () -> "%d frames are under way"
                            .formatted(connection.toTarget.inFlightFrames + world.target.waiting()));
        }
        World.require(world.source.waiting() <= OTHER_FRAMES, () -> "messages pile up at the source");
        World.require(
                world.target.unsyncedBytes() <= (long) World.SYNC_FRAMES * world.volumeBytes,
                () -> "unsynced bytes pile up at the target");
        world.source
                .sync()
                .ifPresent(sync -> World.require(
                        sync.sent().frameCount() - sync.durable().frameCount() <= World.WINDOW_FRAMES
                                && sync.spansAsked() + sync.spansQueued() <= SourceSync.SPANS_AHEAD,
                        () -> "more is under way than the windows allow"));
    }

    void tryBegins() {
        heldBefore = held(world.source, SimulatedSource.VOLUME, SimulatedSource.OWNER);
    }

    void tryEnded(boolean done, Optional<ReplicationError> why) {
        if (done) {
            var point = world.target.inStep.orElseThrow(() -> new Violation("acknowledged but not recorded"));
            World.require(world.sequence(point) == recorded, () -> "acknowledged, and the target stands elsewhere");
            World.require(
                    held(world.source, SimulatedSource.VOLUME, SimulatedSource.OWNER)
                            .equals(world.lost.contains(point) ? Set.of() : Set.of(point)),
                    () -> "the source holds %s, in step with %s"
                            .formatted(held(world.source, SimulatedSource.VOLUME, SimulatedSource.OWNER), point));
        }
        why.ifPresent(this::failedRightly);
    }

    private void failedRightly(ReplicationError error) {
        boolean wrong = switch (error) {
            case ReplicationError.Diverged diverged -> !tookItWithAClockAhead(diverged.targetNewest());
            case ReplicationError.TargetWritten _,
                    ReplicationError.ChecksumMismatch _,
                    ReplicationError.TargetSmaller _,
                    ReplicationError.LinkUnknown _ -> true;
            case ReplicationError.NoCommonBase _ -> world.lost.isEmpty();
            case ReplicationError.CorruptFrame _ -> !world.damages();
            default -> false;
        };
        World.require(!wrong, () -> "nobody did anything, and yet: " + error.message());
        if (error instanceof ReplicationError.ProtocolMismatch || error instanceof ReplicationError.PeerUnreachable) {
            var now = held(world.source, SimulatedSource.VOLUME, SimulatedSource.OWNER);
            World.require(heldBefore.containsAll(now), () -> "holds pile up for a peer that cannot be spoken to");
        }
    }

    /** A known limit: nothing tells a target that what sorts behind came before, once the source has deleted it. */
    private boolean tookItWithAClockAhead(RecoveryPointId point) {
        return world.clockJumps() && !world.pointsAtSource().contains(point);
    }

    /** All is quiet: the images are equal, and nothing is held, open or kept that nobody needs. */
    void healed() throws ProviderException {
        target();
        var stands = world.target.inStep.orElseThrow(() -> new Violation("nothing arrived"));
        World.require(
                held(world.target, SimulatedTarget.VOLUME, SimulatedTarget.OWNER)
                        .equals(Set.of(stands)),
                () -> "the target holds more than " + stands);
        World.require(world.target.log == null, () -> "an ingest log is left");
        World.require(world.target.working().isEmpty(), () -> "a session is left");
        world.target.provider.write(SimulatedTarget.VOLUME).close();
        var probe = copy(PROBE);
        world.target.provider.cut(new CutRequest(PROBE, List.of(SimulatedTarget.VOLUME)));
        World.require(
                Arrays.equals(snapshot(world.target, probe), content(stands)),
                () -> "the images differ in a healed world");
    }

    private static Set<RecoveryPointId> held(SimulatedHost host, VolumeId volume, HoldOwner owner) {
        var held = new HashSet<RecoveryPointId>();
        for (var snapshot :
                host.provider.snapshots(SnapshotQuery.ofVolume(volume)).snapshots()) {
            if (host.storage.holds(snapshot.id()).contains(owner)) {
                held.add(snapshot.id().recoveryPoint());
            }
        }
        return held;
    }

    private void requireHeld(SimulatedHost host, SnapshotId snapshot, String what) {
        boolean deletedInSpite = host == world.source && world.lost.contains(snapshot.recoveryPoint());
        World.require(
                deletedInSpite || !host.storage.holds(snapshot).isEmpty(),
                () -> "the %s does not hold %s: %s".formatted(host.name, snapshot.recoveryPoint(), what));
    }

    private static SnapshotId copy(RecoveryPointId point) {
        return new SnapshotId(SimulatedTarget.VOLUME, point);
    }

    byte[] snapshot(SimulatedHost host, SnapshotId snapshot) throws ProviderException {
        byte[] bytes = new byte[(int) world.volumeBytes];
        try (var reader = host.provider.read(snapshot)) {
            reader.read(0, ByteBuffer.wrap(bytes));
        }
        return bytes;
    }
}
