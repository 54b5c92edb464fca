package io.tidemark.replication.live;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** What the parts of a copy share while one event is dealt with: the time, the connection, and what is to be done. */
final class Desk {
    LiveSettings settings;
    final LiveMetadata metadata;
    private final Supplier<Generation> fresh;
    private final LongSupplier clock;
    private List<LiveEffect> effects = new ArrayList<>();
    private long work;
    private long sent;
    private long moved;

    long now;
    OptionalLong session = OptionalLong.empty();
    LiveStatus.ReplicationState replication = LiveStatus.ReplicationState.OFF;
    LiveStatus.Role role = LiveStatus.Role.SECONDARY;
    /** Writes of the primary that the peer does not confirm are answered until its end. */
    Lease lease = Lease.NONE;
    /** The peer may carry the current generation: before a write that it is not sent, another begins. */
    boolean isShared = true;
    /** The end of a resync of the current generation was sent. */
    boolean isBroughtUp;
    /** Dirty bits tell what may differ from a peer of the same generation. */
    boolean differs;
    /** Some of the dirty bits are what a verify has found. */
    boolean isMarked;
    /** Each dirty bit is of a client's write. After a start nobody knows, before the two are in step. */
    boolean isCounted;
    /** Who gives out leases knows that the peer is behind. */
    boolean isTold;

    /** The volume is being kept as it is: nothing of the peer's is written meanwhile. 0: it is not. */
    long keeping;

    /** That has not begun: what has arrived before is written first. */
    boolean isKeepDue;

    /** Of clients' reads and writes, since ever. */
    long clientBytes;

    Optional<String> failure = Optional.empty();

    Desk(LiveSettings settings, LiveMetadata metadata, Supplier<Generation> fresh, LongSupplier clock) {
        this.settings = settings;
        this.metadata = metadata;
        this.fresh = fresh;
        this.clock = clock;
        differs = metadata.durable().wasPrimary();
        isCounted = metadata.bitmap.dirtyBlocks() == 0
                && metadata.durable().generations().basesOf(settings.peer()).isEmpty();
    }

    void emit(LiveEffect effect) {
        effects.add(effect);
    }

    /** Grows as long as an event has consequences. */
    long movement() {
        return moved + effects.size();
    }

    /** Something went on that no effect tells of. */
    void moved(int steps) {
        moved += steps;
    }

    List<LiveEffect> taken() {
        var all = effects;
        effects = new ArrayList<>();
        return all;
    }

    /** A name for work on the own disk that no other has. */
    long nextWork() {
        return ++work;
    }

    /** The number of the next message that is confirmed. */
    long nextNumber() {
        return ++sent;
    }

    long lastNumber() {
        return sent;
    }

    void begin(long newSession) {
        session = OptionalLong.of(newSession);
        sent = 0;
    }

    void send(LiveMessage message) {
        session.ifPresent(open -> emit(new LiveEffect.Send(open, message)));
    }

    /** Whether writes go to the peer. */
    boolean isReplicating() {
        return switch (replication) {
            case ESTABLISHED, SYNC_SOURCE -> true;
            default -> false;
        };
    }

    boolean hasLease() {
        return !settings.isFenced() || now < lease.until();
    }

    /** Begins a generation that the peer does not have. */
    void mint() {
        var generations = metadata.wanted().generations();
        var peers = Set.of(settings.peer());
        var minted = fresh.get();
        metadata.want(metadata.wanted()
                .apart(generations.written(peers, minted), settings.peer(), isBroughtUp, clock.getAsLong()));
        isBroughtUp = false;
        isShared = false;
        differs = false;
        isTold = false;
        if (settings.isFenced()) {
            emit(new LiveEffect.TellOutdated(lease.token(), minted));
        }
    }

    /** A verify has found that these blocks differ: both sides keep that until a resync has ended. */
    void outOfSync(List<DirtyBitmap.Run> runs) {
        if (!runs.isEmpty()) {
            runs.forEach(run -> metadata.bitmap.mark(run.offset(), run.bytes(settings.sizeBytes())));
            metadata.wantBitmap();
            isMarked = true;
            isCounted = false;
        }
    }

    /** Whether a write that the peer does not have may be answered. */
    boolean isApart() {
        return !isShared && metadata.areGenerationsDurable() && (isTold || !settings.isFenced()) && hasLease();
    }
}
