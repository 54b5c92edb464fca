package io.tidemark.simulation;

import io.tidemark.block.ChangedBlocks;
import io.tidemark.block.ChangedRuns;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.ReplicationLink.Role;
import io.tidemark.policy.LinkEvent;
import io.tidemark.policy.LinkTransitions;
import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.provider.memory.MemoryStorage;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.protocol.ProtocolVersion;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One side of the link: a volume on storage of its own, a wall clock, the link's record, and the threads that work on
 * it. Storage and record outlive the host; each change of the record is one transaction.
 */
final class SimulatedHost {
    static final VolumeId VOLUME = new VolumeId("memory:orders");
    static final LinkId LINK = new LinkId("ln-1");
    static final HoldOwner OWNER = new HoldOwner("ln-1");
    private static final RecoveryPointId PROBE = new RecoveryPointId("rp-0probe");
    /** 2026-01-01: ids of recovery points begin with the time. */
    private static final long EPOCH_MILLIS = 1_767_225_600_000L;

    private static final int DOWN_MILLIS_MAXIMUM = 20_000;

    final World world;
    final String name;
    final MemoryStorage storage = new MemoryStorage();
    MemoryProvider provider;
    ProtocolVersion.Range versions = Hazards.PLAIN;
    boolean up = true;
    long clockOffsetMillis;
    int life;

    /** The link's record. */
    Role role;

    LinkState state = LinkState.ACTIVE;
    Optional<RecoveryPointId> underway = Optional.empty();
    Optional<RecoveryPointId> inStep = Optional.empty();
    /** Recovery points that are written down here; a snapshot alone is none. */
    final Set<RecoveryPointId> recorded = new HashSet<>();

    /** Recovery points whose snapshot an operator deleted in spite of its hold. */
    final Set<RecoveryPointId> lost = new HashSet<>();

    final SimulatedSource source;
    final SimulatedTarget target;
    final SimulatedReversal reversal;
    private final List<Worker> workers;

    SimulatedHost(World world, String name, Role role, Cast cast) {
        this.world = world;
        this.name = name;
        this.role = role;
        this.provider = newProvider();
        this.source = cast.source().apply(this);
        this.target = cast.target().apply(this);
        this.reversal = cast.reversal().apply(this);
        this.workers = List.of(source, target, target.ingest, reversal);
    }

    static SnapshotId snapshot(RecoveryPointId point) {
        return new SnapshotId(VOLUME, point);
    }

    Instant now() {
        return Instant.ofEpochMilli(EPOCH_MILLIS + world.schedule.nowMillis() + clockOffsetMillis);
    }

    /** Runs what the host may die in. */
    void atRisk(Schedule.Event event) throws ProviderException, ReplicationException {
        try {
            event.run();
        } catch (Crash e) {
            die();
        }
    }

    void die() {
        if (!up) {
            return;
        }
        // A kill leaves what the kernel has; a power cut takes what was not synced.
        boolean power = world.fragile() || world.random.nextInt(3) > 0;
        note(power ? "loses power" : "is killed");
        up = false;
        life++;
        world.network.hostDied(this);
        provider.close();
        if (power) {
            storage.crash(world.random);
            target.losesPower();
        }
        workers.forEach(Worker::died);
        provider = newProvider();
        world.schedule.in(1 + world.random.nextInt(DOWN_MILLIS_MAXIMUM), this::restart);
    }

    private void restart() throws ProviderException, ReplicationException {
        up = true;
        if (world.hazards().skew()) {
            versions = world.hazards().versions(world.random);
        }
        note("restarts, speaks " + versions);
        for (var worker : workers) {
            worker.restarted();
            worker.wake();
        }
    }

    /** As {@code control.LinkStates}: durable on return, and only what the table allows. */
    boolean move(LinkEvent event, Optional<RecoveryPointId> nowUnderway) {
        var next = LinkTransitions.next(state, event);
        note(event + " in " + state);
        if (next.isEmpty()) {
            return false;
        }
        state = next.get();
        underway = nowUnderway;
        return true;
    }

    /** As {@code ReplicationLink.reversed}: role and state in one write. */
    void become(Role newRole) {
        note("is the " + newRole + " now");
        role = newRole;
        state = LinkState.ACTIVE;
        underway = Optional.empty();
        if (newRole == Role.TARGET) {
            target.readmit();
        }
        world.checks.roles();
    }

    /** As {@code control.PauseLink}: written down, then told to what runs. */
    void pause() {
        if (!up || !move(LinkEvent.PAUSE_ASKED, underway)) {
            return;
        }
        world.mayCrash();
        if (role == Role.SOURCE) {
            source.cancel();
        } else {
            target.interrupt();
        }
    }

    void resume() {
        if (state == LinkState.PAUSED) {
            move(LinkEvent.RESUME_ASKED, Optional.empty());
        }
    }

    /** Of the volume: all snapshots there are. */
    List<RecoveryPointId> snapshots() {
        return provider.snapshots(SnapshotQuery.ofVolume(VOLUME)).snapshots().stream()
                .map(snapshot -> snapshot.id().recoveryPoint())
                .toList();
    }

    /** What it could build upon, newest first; what resyncs kept is among them, last. */
    List<RecoveryPointId> candidates(RecoveryPointId but) {
        return snapshots().stream()
                .filter(point -> !point.equals(but))
                .sorted(Comparator.comparingInt(world::sequence).reversed())
                .toList();
    }

    boolean has(RecoveryPointId point) {
        return storage.content(snapshot(point)).isPresent();
    }

    Set<RecoveryPointId> held() {
        var held = new HashSet<RecoveryPointId>();
        for (var point : snapshots()) {
            if (storage.holds(snapshot(point)).contains(OWNER)) {
                held.add(point);
            }
        }
        return held;
    }

    /** Reads what the volume has and a snapshot has not. */
    interface Reading {
        void read(ChangedRuns changed) throws ProviderException;
    }

    /** As {@code agent.VolumeComparison}. */
    void compare(RecoveryPointId base, Reading reading) throws ProviderException {
        provider.delete(snapshot(PROBE));
        provider.cut(new CutRequest(PROBE, List.of(VOLUME)));
        try (var older = provider.read(snapshot(base));
                var newer = provider.read(snapshot(PROBE));
                var changed = new ChangedBlocks(
                        provider.changedRanges(snapshot(base), snapshot(PROBE)), older, newer, World.KERNEL, 0)) {
            reading.read(changed);
        } finally {
            provider.delete(snapshot(PROBE));
        }
    }

    /** A snapshot that is gone proves nothing. */
    boolean writtenSince(RecoveryPointId point) throws ProviderException {
        if (!has(point)) {
            return true;
        }
        provider.delete(snapshot(PROBE));
        provider.cut(new CutRequest(PROBE, List.of(VOLUME)));
        try (var ranges = provider.changedRanges(snapshot(point), snapshot(PROBE))) {
            return ranges.next().isPresent();
        } finally {
            provider.delete(snapshot(PROBE));
        }
    }

    /** Cuts the volume as it is; not written down yet. */
    void cut(RecoveryPointId point) throws ProviderException {
        provider.cut(new CutRequest(point, List.of(VOLUME)));
        world.taken(point, storage.content(snapshot(point)).orElseThrow());
    }

    /** Something that the link waits for is in work. */
    boolean busy() {
        return source.sync().isPresent() || reversal.request.isPresent();
    }

    void note(Object event) {
        world.log.note(world.schedule.nowMillis(), name, event, role + " " + state);
    }

    private MemoryProvider newProvider() {
        return new MemoryProvider("memory", storage, this::now, () -> 0);
    }
}
