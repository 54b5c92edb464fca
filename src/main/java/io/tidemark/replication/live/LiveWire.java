package io.tidemark.replication.live;

import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.LiveStatus.Role;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Messages between two copies as bytes, one after the other, big-endian; docs/formats/frames.md has the layout. */
public final class LiveWire {
    /** Of a write or of a block of a resync: who drives a copy gives it no longer ones. */
    public static final int DATA_MAXIMUM = 256 << 10;
    /** Of the messages of one frame. */
    public static final int FRAME_MAXIMUM = DATA_MAXIMUM + (16 << 10);

    private static final int HEAD_BYTES = 1 + Long.BYTES + Long.BYTES + Integer.BYTES + 1;
    private static final int RUN_BYTES = Long.BYTES + Integer.BYTES;
    /** Ids, and all lists of generations at their limits, with room to spare. */
    private static final int HELLO_BYTES = 2_048;

    private static final byte HELLO = 1;
    private static final byte DIRTY = 2;
    private static final byte WRITE = 3;
    private static final byte BLOCK = 4;
    private static final byte BARRIER = 5;
    private static final byte FINISHED = 6;
    private static final byte AHEAD = 7;
    private static final byte RECEIVED = 8;
    private static final byte DURABLE = 9;
    private static final byte IN_STEP = 10;
    private static final byte ROLE_CHANGED = 11;
    private static final byte COMPARE = 12;
    private static final byte DIFFERING = 13;
    private static final byte OUT_OF_SYNC = 14;
    private static final byte ASK_INVALIDATE = 15;
    private static final byte ASK_VERIFY = 16;

    private static final byte ZEROS = 0;
    private static final byte DATA = 1;

    private static final byte DIFFERS = 1;
    private static final byte CONSISTENT = 2;
    private static final byte YIELDS = 4;
    private static final byte UNCOUNTED = 8;

    private static final byte DISCARD_SECONDARY = 16;

    private LiveWire() {}

    /** Bytes that it needs at most. */
    public static int bytesMaximum(LiveMessage message) {
        return switch (message) {
            case LiveMessage.Hello hello -> HELLO_BYTES;
            case LiveMessage.Finished finished -> HELLO_BYTES;
            case LiveMessage.Dirty dirty -> HEAD_BYTES + dirty.runs().size() * RUN_BYTES;
            case LiveMessage.Differing differing ->
                HEAD_BYTES + differing.runs().size() * RUN_BYTES;
            case LiveMessage.Compare compare ->
                HEAD_BYTES + Integer.BYTES + compare.digests().count() * BlockDigests.DIGEST_BYTES;
            case LiveMessage.Write write -> HEAD_BYTES + write.length();
            case LiveMessage.Block block -> HEAD_BYTES + block.length();
            default -> HEAD_BYTES;
        };
    }

    public static void put(LiveMessage message, ByteBuffer into) {
        switch (message) {
            case LiveMessage.Hello hello -> put(hello, into.put(HELLO));
            case LiveMessage.Dirty dirty -> {
                into.put(DIRTY).put(flag(dirty.isLast(), (byte) 1));
                put(dirty.runs(), into);
            }
            case LiveMessage.Write write ->
                data(into.put(WRITE), write.number(), write.offset(), write.length(), write.data());
            case LiveMessage.Block block ->
                data(into.put(BLOCK), block.number(), block.offset(), block.length(), block.data());
            case LiveMessage.Compare compare -> {
                into.put(COMPARE)
                        .putLong(compare.number())
                        .putLong(compare.offset())
                        .putInt(compare.length());
                var digests = ((BlockDigests) compare.digests()).bytes();
                into.putInt(digests.remaining()).put(digests);
            }
            case LiveMessage.Differing differing -> {
                into.put(DIFFERING).putLong(differing.number());
                put(differing.runs(), into);
            }
            case LiveMessage.OutOfSync outOfSync -> into.put(OUT_OF_SYNC);
            case LiveMessage.Ask ask ->
                into.put(
                        switch (ask.what()) {
                            case INVALIDATE -> ASK_INVALIDATE;
                            case VERIFY -> ASK_VERIFY;
                        });
            case LiveMessage.Barrier barrier -> into.put(BARRIER).putLong(barrier.number());
            case LiveMessage.Finished finished ->
                GenerationsFormat.put(into.put(FINISHED).putLong(finished.number()), finished.generations());
            case LiveMessage.Ahead ahead -> into.put(AHEAD).putLong(ahead.number());
            case LiveMessage.Received received -> into.put(RECEIVED).putLong(received.upTo());
            case LiveMessage.Durable durable -> into.put(DURABLE).putLong(durable.upTo());
            case LiveMessage.InStep inStep -> into.put(IN_STEP);
            case LiveMessage.RoleChanged changed -> into.put(ROLE_CHANGED).put(role(changed.role()));
        }
    }

    private static void put(LiveMessage.Hello hello, ByteBuffer into) {
        GenerationsFormat.put(into, hello.id());
        into.putLong(hello.sizeBytes()).put((byte) hello.protocol().name().charAt(0));
        GenerationsFormat.put(into, hello.generations());
        into.put(role(hello.role()));
        into.put((byte) (flag(hello.differs(), DIFFERS)
                | flag(hello.isConsistent(), CONSISTENT)
                | flag(hello.yields(), YIELDS)
                | flag(!hello.apart().isCounted(), UNCOUNTED)));
        into.putLong(hello.apart().dirtyBlocks()).putLong(hello.apart().since());
        into.put(code(hello.apart().policy()));
    }

    private static void data(ByteBuffer into, long number, long offset, int length, Payload payload) {
        var data = ((Bytes) payload).data();
        into.putLong(number).putLong(offset).putInt(length).put(data.isPresent() ? DATA : ZEROS);
        data.ifPresent(into::put);
    }

    private static byte code(AfterSplitBrain policy) {
        byte noPrimary = switch (policy.noPrimary()) {
            case DISCONNECT -> 0;
            case DISCARD_ZERO_CHANGES -> 1;
            case DISCARD_LEAST_CHANGES -> 2;
            case DISCARD_YOUNGER -> 3;
        };
        return (byte) (noPrimary | flag(policy.onePrimary() == OnePrimary.DISCARD_SECONDARY, DISCARD_SECONDARY));
    }

    private static AfterSplitBrain policy(byte code) {
        var noPrimary = switch (code & ~DISCARD_SECONDARY) {
            case 0 -> NoPrimary.DISCONNECT;
            case 1 -> NoPrimary.DISCARD_ZERO_CHANGES;
            case 2 -> NoPrimary.DISCARD_LEAST_CHANGES;
            case 3 -> NoPrimary.DISCARD_YOUNGER;
            default -> throw new IllegalArgumentException("no policy after a split brain has the code " + code);
        };
        boolean isSecondaryDiscarded = (code & DISCARD_SECONDARY) != 0;
        return new AfterSplitBrain(
                noPrimary, isSecondaryDiscarded ? OnePrimary.DISCARD_SECONDARY : OnePrimary.DISCONNECT);
    }

    private static byte flag(boolean isSet, byte value) {
        return isSet ? value : 0;
    }

    private static byte role(Role role) {
        return (byte) (role == Role.PRIMARY ? 1 : 0);
    }

    /**
     * All messages of a frame; their data is copied.
     *
     * @throws IllegalArgumentException where the bytes are none
     */
    public static List<LiveMessage> read(ByteBuffer from) {
        var messages = new ArrayList<LiveMessage>();
        try {
            while (from.hasRemaining()) {
                messages.add(next(from));
            }
        } catch (BufferUnderflowException | NegativeArraySizeException e) {
            throw new IllegalArgumentException("a message between live copies ends too soon", e);
        }
        return messages;
    }

    private static LiveMessage next(ByteBuffer from) {
        byte kind = from.get();
        return switch (kind) {
            case HELLO -> hello(from);
            case DIRTY -> dirty(from);
            case WRITE -> {
                long number = from.getLong();
                long offset = from.getLong();
                int length = length(from);
                yield new LiveMessage.Write(number, offset, length, payload(from, length));
            }
            case BLOCK -> {
                long number = from.getLong();
                long offset = from.getLong();
                int length = length(from);
                yield new LiveMessage.Block(number, offset, length, payload(from, length));
            }
            case BARRIER -> new LiveMessage.Barrier(from.getLong());
            case FINISHED -> new LiveMessage.Finished(from.getLong(), GenerationsFormat.read(from));
            case AHEAD -> new LiveMessage.Ahead(from.getLong());
            case RECEIVED -> new LiveMessage.Received(from.getLong());
            case DURABLE -> new LiveMessage.Durable(from.getLong());
            case IN_STEP -> new LiveMessage.InStep();
            case ROLE_CHANGED -> new LiveMessage.RoleChanged(role(from));
            case COMPARE -> compare(from);
            case DIFFERING -> new LiveMessage.Differing(from.getLong(), runs(from));
            case OUT_OF_SYNC -> new LiveMessage.OutOfSync();
            case ASK_INVALIDATE -> new LiveMessage.Ask(LiveMessage.Ask.What.INVALIDATE);
            case ASK_VERIFY -> new LiveMessage.Ask(LiveMessage.Ask.What.VERIFY);
            default -> throw new IllegalArgumentException("no message between live copies has the code " + kind);
        };
    }

    private static LiveMessage hello(ByteBuffer from) {
        var id = GenerationsFormat.id(from);
        long sizeBytes = from.getLong();
        var protocol = Protocol.valueOf(String.valueOf((char) from.get()));
        var generations = GenerationsFormat.read(from);
        var role = role(from);
        byte flags = from.get();
        return new LiveMessage.Hello(
                id,
                sizeBytes,
                protocol,
                generations,
                role,
                (flags & DIFFERS) != 0,
                (flags & CONSISTENT) != 0,
                (flags & YIELDS) != 0,
                new LiveMessage.Apart(from.getLong(), (flags & UNCOUNTED) == 0, from.getLong(), policy(from.get())));
    }

    private static LiveMessage dirty(ByteBuffer from) {
        boolean isLast = from.get() != 0;
        return new LiveMessage.Dirty(runs(from), isLast);
    }

    private static void put(List<DirtyBitmap.Run> runs, ByteBuffer into) {
        into.putInt(runs.size());
        runs.forEach(run -> into.putLong(run.first()).putInt(run.count()));
    }

    private static List<DirtyBitmap.Run> runs(ByteBuffer from) {
        int count = from.getInt();
        if (count < 0 || count > LiveMessage.Dirty.RUNS_MAXIMUM) {
            throw new IllegalArgumentException(
                    "%d runs of dirty blocks, %d at most".formatted(count, LiveMessage.Dirty.RUNS_MAXIMUM));
        }
        var runs = new ArrayList<DirtyBitmap.Run>();
        for (int run = 0; run < count; run++) {
            runs.add(new DirtyBitmap.Run(from.getLong(), from.getInt()));
        }
        return runs;
    }

    private static LiveMessage compare(ByteBuffer from) {
        long number = from.getLong();
        long offset = from.getLong();
        int length = length(from);
        int bytes = from.getInt();
        if (bytes != Math.ceilDiv(length, DirtyBitmap.BLOCK_BYTES) * BlockDigests.DIGEST_BYTES) {
            throw new IllegalArgumentException("%d bytes of digests of %d bytes".formatted(bytes, length));
        }
        var digests = new byte[bytes];
        from.get(digests);
        return new LiveMessage.Compare(number, offset, length, new BlockDigests(ByteBuffer.wrap(digests)));
    }

    private static int length(ByteBuffer from) {
        int length = from.getInt();
        if (length < 1 || length > DATA_MAXIMUM) {
            throw new IllegalArgumentException("a write of %d bytes, 1 to %d".formatted(length, DATA_MAXIMUM));
        }
        return length;
    }

    private static Bytes payload(ByteBuffer from, int length) {
        byte kind = from.get();
        if (kind == ZEROS) {
            return Bytes.zeros(length);
        }
        if (kind != DATA) {
            throw new IllegalArgumentException("no data has the code " + kind);
        }
        var data = new byte[length];
        from.get(data);
        return Bytes.of(ByteBuffer.wrap(data));
    }

    private static Role role(ByteBuffer from) {
        return from.get() == 1 ? Role.PRIMARY : Role.SECONDARY;
    }
}
