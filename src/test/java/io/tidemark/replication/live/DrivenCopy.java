package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.live.LiveMessage.Hello;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/** One copy whose disk, peer and clients a test plays. */
class DrivenCopy {
    static final CopyId A = new CopyId("a");
    static final CopyId B = new CopyId("b");
    static final long GIB = 1L << 30;
    static final Generation OLD = new Generation(0x0A);
    static final Generation NEW = new Generation(0x0B);
    static final long SESSION = 1;
    static final Payload DATA = new Payload() {
        @Override
        public Payload slice(int from, int length) {
            return this;
        }
    };

    final List<LiveEffect> effects = new ArrayList<>();
    final Deque<LiveEffect> disk = new ArrayDeque<>();
    final Deque<LiveEffect.ReadVolume> reads = new ArrayDeque<>();
    boolean isComparing;
    ResyncRate rate = ResyncRate.NONE;
    AfterSplitBrain afterSplitBrain = AfterSplitBrain.DISCONNECT;
    Chosen chosen = Chosen.NOBODY;

    LiveCopy copy = copy(5 * GIB, Protocol.C, NEW, UnaryOperator.identity());
    /** What all blocks have. */
    int content = 1;

    long fresh = 100;
    long now;
    /** Milliseconds since 1970. */
    long wall = 1_000_000;

    LiveCopy copy(long size, Protocol protocol, Generation current, UnaryOperator<Superblock> changed) {
        return copy(size, protocol, current, changed, Set.of());
    }

    /** @param hot extents of its activity log when it ended */
    LiveCopy copy(
            long size, Protocol protocol, Generation current, UnaryOperator<Superblock> changed, Set<Integer> hot) {
        var settings = new LiveSettings(
                A,
                B,
                size,
                protocol,
                Congestion.BLOCK,
                1 << 20,
                7,
                16,
                2,
                1_000,
                false,
                isComparing,
                rate,
                afterSplitBrain);
        var generations = new Generations(
                Optional.of(current),
                current.equals(NEW) ? Map.of(B, List.of(OLD)) : Map.of(),
                current.equals(NEW) ? List.of(OLD) : List.of());
        var superblock = changed.apply(new Superblock(generations, true, false, false));
        var start = LiveStart.of(superblock, new DirtyBitmap(size), size, hot, 0);
        return new LiveCopy(settings, start.with(chosen), () -> new Generation(++fresh), () -> wall);
    }

    void happens(LiveEvent event) {
        for (var effect : copy.on(event, now)) {
            effects.add(effect);
            switch (effect) {
                case LiveEffect.WriteVolume write -> disk.add(write);
                case LiveEffect.FlushVolume flush -> disk.add(flush);
                case LiveEffect.Persist persist -> disk.add(persist);
                case LiveEffect.KeepVolume keep -> disk.add(keep);
                case LiveEffect.ReadDigests read -> disk.add(read);
                case LiveEffect.ReadVolume read -> reads.add(read);
                default -> {}
            }
        }
    }

    /** The disk ends all that it was given, and what follows from it. */
    void diskEnds() {
        while (!disk.isEmpty()) {
            happens(
                    switch (disk.removeFirst()) {
                        case LiveEffect.WriteVolume write -> new LiveEvent.Written(write.work());
                        case LiveEffect.FlushVolume flush -> new LiveEvent.Flushed(flush.work());
                        case LiveEffect.Persist persist -> new LiveEvent.Persisted(persist.ticket());
                        case LiveEffect.KeepVolume keep -> new LiveEvent.Kept(keep.work());
                        case LiveEffect.ReadDigests read ->
                            new LiveEvent.DigestsRead(read.work(), new NumberedDigests(content, read.length()));
                        default -> throw new IllegalStateException();
                    });
        }
    }

    void peerSays(LiveMessage message) {
        happens(new LiveEvent.Arrived(SESSION, message));
    }

    Hello hello(Generation current, Map<CopyId, List<Generation>> bases, long size) {
        var history = bases.isEmpty() ? List.<Generation>of() : List.of(OLD);
        return new Hello(
                B,
                size,
                Protocol.C,
                new Generations(Optional.of(current), bases, history),
                Role.SECONDARY,
                false,
                true,
                false);
    }

    void becomesSource() {
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(OLD, Map.of(), 5 * GIB));
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.SYNC_SOURCE);
    }

    void isPromoted() {
        happens(new LiveEvent.Promote(1, Lease.NONE));
        diskEnds();
        assertThat(copy.status().role()).isEqualTo(Role.PRIMARY);
        effects.clear();
    }

    LiveEvent.Write write(long request, long offset) {
        return new LiveEvent.Write(request, offset, 4_096, DATA, false);
    }

    <T> List<T> all(Class<T> kind) {
        return effects.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    void isSecondaryBeside(Role peers) {
        copy = copy(GIB, Protocol.C, OLD, UnaryOperator.identity());
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(OLD, Map.of(), GIB));
        peerSays(new LiveMessage.RoleChanged(peers));
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.ESTABLISHED);
        effects.clear();
    }

    /** Of blocks that all have the same content. */
    record NumberedDigests(int content, int bytes) implements Digests {
        @Override
        public int count() {
            return Math.ceilDiv(bytes, DirtyBitmap.BLOCK_BYTES);
        }

        @Override
        public boolean isSame(int block, Digests other) {
            return content == ((NumberedDigests) other).content();
        }
    }
}
