package io.tidemark.simulation.live;

import io.tidemark.replication.live.Chosen;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.Generations;
import io.tidemark.replication.live.LiveCopy;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveEvent;
import io.tidemark.replication.live.LiveMessage;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.Payload;
import io.tidemark.replication.live.SplitBrain;
import io.tidemark.replication.live.Superblock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A host with a copy: a process that is driven, and a disk that survives it. */
final class LiveHost {
    /** In a microsecond, which the world counts in; a copy's clock counts nanoseconds. */
    static final long NANOS = 1_000;

    private static final int WAITING_ONE_OF = 4;

    private final LiveWorld world;
    private final int side;
    private LiveSettings settings;
    private final LiveDisk disk = new LiveDisk();
    private final LiveStore store;
    private final LiveFault fault;

    private @Nullable LiveCopy copy;
    private LiveStatus status;
    private int life;
    private long tells;
    private Optional<LiveEffect.Persist> persisting = Optional.empty();
    private final Map<Long, LiveEffect.WriteVolume> writing = new HashMap<>();
    /** What has happened and the copy was not told yet, all at this time. */
    private final List<LiveEvent> together = new ArrayList<>();

    /** Volumes that are being kept. */
    private int keeping;
    /** The volume as it is now was kept. */
    private boolean isKept;

    private boolean hasSaidToYield;

    private Chosen chosen = Chosen.NOBODY;
    private boolean isRefused;
    /** How often a person has said that this content stays: what was being kept then is not wanted any more. */
    private int resolved;

    private long promotion;
    private long token;

    LiveHost(LiveWorld world, int side, LiveSettings settings, LiveFault fault) {
        this.world = world;
        this.side = side;
        this.settings = settings;
        this.fault = fault;
        store = new LiveStore(settings);
        status = new LiveStatus(
                LiveStatus.Role.SECONDARY,
                LiveStatus.DiskState.CONSISTENT,
                LiveStatus.ReplicationState.OFF,
                0,
                Optional.empty(),
                Optional.empty());
    }

    int side() {
        return side;
    }

    boolean isUp() {
        return copy != null;
    }

    LiveStatus status() {
        return status;
    }

    LiveDisk disk() {
        return disk;
    }

    boolean isKeeping() {
        return keeping > 0;
    }

    /** In its last Hello. */
    boolean hasSaidToYield() {
        return hasSaidToYield;
    }

    LiveStore store() {
        return store;
    }

    boolean isPrimary() {
        return copy != null && status.role() == LiveStatus.Role.PRIMARY;
    }

    /** Of the lease that it was promoted with. */
    long token() {
        return token;
    }

    /** The how manieth promotion of all made it primary. */
    long promotion() {
        return promotion;
    }

    void start() {
        fault.starts(this);
        keeping = 0;
        isKept = false;
        copy = new LiveCopy(
                settings, store.start(fault.readsActivityLog()).with(chosen), this::fresh, this::wallMillis);
        life++;
        int mine = life;
        tick(mine);
    }

    private Generation fresh() {
        world.minted(this);
        return new Generation(world.random().nextLong() | 1);
    }

    /** A host's clock, in which a microsecond of the world is a millisecond; both are apart, by less than they may be. */
    private long wallMillis() {
        return 1_000_000_000_000L + world.now() + side * (SplitBrain.CLOCKS_APART / 2);
    }

    private void tick(int of) {
        world.at(world.now() + 100_000, () -> {
            if (of == life && copy != null) {
                take(new LiveEvent.Tick());
                tick(of);
            }
        });
    }

    void crash() {
        persisting.ifPresent(each -> store.tear(each, world.random()));
        persisting = Optional.empty();
        writing.values().forEach(each -> disk.tear(each.offset(), each.length(), (Cells) each.data(), world.random()));
        writing.clear();
        disk.powerCut(world.random());
        together.clear();
        copy = null;
        status = new LiveStatus(
                LiveStatus.Role.SECONDARY,
                LiveStatus.DiskState.CONSISTENT,
                LiveStatus.ReplicationState.OFF,
                0,
                Optional.empty(),
                Optional.empty());
        world.network().ended(side);
    }

    /** Somebody, or the peer that connects, has said so; it is kept over crashes. */
    void change(LiveSettings changed) {
        if (!changed.equals(settings)) {
            settings = changed;
            take(new LiveEvent.Change(0, changed));
        }
    }

    /** A person has asked for it; kept over crashes, until they are in step. */
    void resolve(long request, boolean isKept) {
        var before = chosen;
        chosen = isKept ? Chosen.SELF : Chosen.PEER;
        isRefused = false;
        take(new LiveEvent.Resolve(request, isKept));
        if (isRefused) {
            chosen = before;
        } else if (isKept) {
            resolved++;
        }
    }

    /** By a person, since they were in step. */
    Chosen chosen() {
        return chosen;
    }

    void connected(long session) {
        take(new LiveEvent.Connected(session));
    }

    void lost(long session) {
        take(new LiveEvent.Lost(session));
    }

    void arrived(long session, LiveMessage message) {
        take(new LiveEvent.Arrived(session, message));
    }

    void take(LiveEvent event) {
        if (copy == null) {
            return;
        }
        for (var each : fault.events(this, event)) {
            world.log(side, each);
            together.add(each);
            if (mayWait(each)) {
                int mine = life;
                world.at(world.now(), () -> {
                    if (mine == life && copy != null) {
                        takeTogether();
                    }
                });
            } else {
                takeTogether();
            }
        }
    }

    /** Drivers give what happens at one time at once. Not where a fault is planted, which goes by single events. */
    private boolean mayWait(LiveEvent event) {
        boolean isOfMany = switch (event) {
            case LiveEvent.Write write -> true;
            case LiveEvent.Read read -> true;
            case LiveEvent.Written written -> true;
            case LiveEvent.ReadDone done -> true;
            case LiveEvent.Arrived arrived -> true;
            default -> false;
        };
        return isOfMany && fault.equals(LiveFault.NONE) && world.random().nextInt(WAITING_ONE_OF) == 0;
    }

    /** Each effect is done before the next event is looked at. */
    private void takeTogether() {
        if (copy == null || together.isEmpty()) {
            return;
        }
        var events = List.copyOf(together);
        together.clear();
        List<LiveEffect> effects = new ArrayList<>(copy.on(events, world.now() * NANOS));
        effects = fault.effects(this, events.getLast(), effects);
        for (var effect : effects) {
            carryOut(effect);
        }
        world.looked();
    }

    private void carryOut(LiveEffect effect) {
        world.log(side, effect);
        switch (effect) {
            case LiveEffect.Send send -> send(send.session(), send.message());
            case LiveEffect.Disconnect gone -> world.network().ended(side);
            case LiveEffect.WriteVolume write -> write(write);
            case LiveEffect.FlushVolume flush -> {
                disk.flushBegins();
                later(world.diskDelay(), () -> {
                    disk.flushEnds();
                    take(new LiveEvent.Flushed(flush.work()));
                });
            }
            case LiveEffect.ReadVolume read -> {
                Payload data = disk.read(read.offset(), read.length());
                later(world.diskDelay(), () -> take(new LiveEvent.ReadDone(read.work(), data)));
            }
            case LiveEffect.ReadDigests read -> {
                // Of any moment while it reads.
                var early = new CellDigests(disk.read(read.offset(), read.length()), read.length());
                boolean isEarly = world.random().nextBoolean();
                later(world.diskDelay(), () -> {
                    var late = new CellDigests(disk.read(read.offset(), read.length()), read.length());
                    take(new LiveEvent.DigestsRead(read.work(), isEarly ? early : late));
                });
            }
            case LiveEffect.KeepVolume keep -> keep(keep);
            case LiveEffect.Persist persist -> {
                persisting = Optional.of(persist);
                persist.superblock().ifPresent(this::givesUp);
                later(world.diskDelay(), () -> {
                    store.persist(persist);
                    persisting = Optional.empty();
                    take(new LiveEvent.Persisted(persist.ticket()));
                });
            }
            case LiveEffect.Answer answer -> world.answered(this, answer.request());
            case LiveEffect.AnswerRead answer -> world.answeredRead(this, answer.request(), (Cells) answer.data());
            case LiveEffect.Refuse refuse -> {
                isRefused = true;
                world.refused(refuse.request());
            }
            case LiveEffect.TellOutdated told -> tell(++tells, told);
            case LiveEffect.Report report -> {
                var before = status;
                status = report.status();
                if (status.replication() == LiveStatus.ReplicationState.ESTABLISHED) {
                    chosen = Chosen.NOBODY;
                }
                world.changed(this, before);
            }
        }
    }

    private void keep(LiveEffect.KeepVolume keep) {
        var before = disk.content();
        world.check(store.superblock().isConsistent(), "%s keeps an inconsistent volume", side);
        keeping++;
        int mine = resolved;
        later(world.diskDelay(), () -> {
            keeping--;
            boolean isWanted = mine == resolved;
            isKept |= isWanted;
            world.check(!isWanted || before.equals(disk.content()), "%s was written while it was being kept", side);
            take(new LiveEvent.Kept(keep.work()));
        });
    }

    private void send(long session, LiveMessage message) {
        if (message instanceof LiveMessage.Hello hello) {
            hasSaidToYield = hello.yields();
        }
        world.network().send(side, session, message);
    }

    private void givesUp(Superblock changed) {
        var before = store.superblock();
        boolean isContent =
                before.isConsistent() && before.generations().current().isPresent();
        world.check(
                !isContent || changed.isConsistent() || isKept, "%s gives up its content, and has not kept it", side);
        var peer = world.peer(this).store().superblock();
        world.check(
                !before.isConsistent() || changed.isConsistent() || peer.isConsistent(),
                "both are overwritten: %s begins, and the other is torn",
                side);
    }

    private void write(LiveEffect.WriteVolume write) {
        isKept = false;
        for (var other : writing.values()) {
            boolean overlaps = other.offset() < write.offset() + write.length()
                    && write.offset() < other.offset() + other.length();
            world.check(!overlaps, "two writes under way overlap at host %d", side);
        }
        writing.put(write.work(), write);
        world.writes(this, write);
        later(world.diskDelay(), () -> {
            writing.remove(write.work());
            disk.write(write.offset(), write.length(), (Cells) write.data());
            take(new LiveEvent.Written(write.work()));
        });
    }

    private void tell(long order, LiveEffect.TellOutdated told) {
        later(world.random().nextLong(5_000), () -> {
            if (order < tells) {
                return;
            }
            boolean isHeard = world.isKeeperReachable(side)
                    && world.keeper().tell(side, told.token(), told.generation(), world.now());
            if (isHeard) {
                take(new LiveEvent.OutdatedTold(told.generation()));
            } else {
                tell(order, told);
            }
        });
    }

    /** Unless the process has ended by then. */
    private void later(long delay, Runnable what) {
        int mine = life;
        world.at(world.now() + 1 + delay, () -> {
            if (mine == life && copy != null) {
                what.run();
            }
        });
    }

    /** For people, in a word. */
    String state() {
        return copy == null ? "down" : "%s %s %s".formatted(status.role(), status.replication(), status.disk());
    }

    LiveSettings settings() {
        return settings;
    }

    /** An event that nobody sent comes in a moment. */
    void soon(long delay, LiveEvent event) {
        later(delay, () -> take(event));
    }

    /** Something is done to the disk behind the copy's back. */
    void behindItsBack(long delay, Runnable what) {
        later(delay, what);
    }

    /** As it is now, or as a crash has left it. */
    Generations kept() {
        return copy == null ? store.superblock().generations() : copy.generations();
    }

    Generations generations() {
        return copy == null ? Generations.none() : copy.generations();
    }

    void promoted(long number, long of) {
        promotion = number;
        token = of;
    }
}
