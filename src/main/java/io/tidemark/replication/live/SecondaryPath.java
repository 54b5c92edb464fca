package io.tidemark.replication.live;

import io.tidemark.replication.live.LiveMessage.Numbered;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a peer sends to be written here: in any order between two barriers, never across one, so that what a crash leaves
 * is all up to a barrier and some of what came after it. What arrived is written, though the session has ended since.
 */
final class SecondaryPath {
    /** Writes to the own disk under way at once. */
    static final int WRITES_MAXIMUM = 128;

    private final Desk desk;
    private final PrimaryPath.BusyRange others;
    /** All that is not durable, in order. */
    private final Deque<Item> items = new ArrayDeque<>();
    /** Of those, what has not been begun. */
    private final Deque<Item> waiting = new ArrayDeque<>();

    private final Map<Long, Item> onDisk = new HashMap<>();
    private List<Item> written = new ArrayList<>();
    private List<Item> flushing = new ArrayList<>();
    private boolean isFlushing;
    private boolean isFlushWanted;
    private long flush;
    private long receivedUpTo;
    private long toldReceived;

    private static final class Item {
        final long session;
        final Numbered message;
        boolean isDurable;

        Item(long session, Numbered message) {
            this.session = session;
            this.message = message;
        }

        long offset() {
            return switch (message) {
                case LiveMessage.Write write -> write.offset();
                case LiveMessage.Block block -> block.offset();
                default -> 0;
            };
        }

        int length() {
            return switch (message) {
                case LiveMessage.Write write -> write.length();
                case LiveMessage.Block block -> block.length();
                default -> 0;
            };
        }

        Payload data() {
            return switch (message) {
                case LiveMessage.Write write -> write.data();
                case LiveMessage.Block block -> block.data();
                default -> throw new IllegalStateException("no data in " + message);
            };
        }

        boolean overlaps(long offset, int length) {
            return offset() < offset + length && offset < offset() + length();
        }
    }

    SecondaryPath(Desk desk, PrimaryPath.BusyRange others) {
        this.desk = desk;
        this.others = others;
    }

    /** Whether all that arrived is durable. */
    boolean isIdle() {
        return items.isEmpty();
    }

    /** Whether the disk is at work for the peer. */
    boolean isWriting() {
        return !onDisk.isEmpty();
    }

    boolean isWriting(long offset, int length) {
        return onDisk.values().stream().anyMatch(each -> each.overlaps(offset, length));
    }

    void begun() {
        receivedUpTo = 0;
        toldReceived = 0;
    }

    void arrived(long session, Numbered message) {
        var item = new Item(session, message);
        items.add(item);
        waiting.add(item);
        receivedUpTo = message.number();
    }

    /** All that has arrived is made durable soon. */
    void drain() {
        isFlushWanted = !items.isEmpty();
    }

    boolean written(long work) {
        var item = onDisk.remove(work);
        if (item == null) {
            return false;
        }
        written.add(item);
        return true;
    }

    boolean flushed(long work) {
        if (!isFlushing || work != flush) {
            return false;
        }
        isFlushing = false;
        flushing.forEach(item -> {
            item.isDurable = true;
            if (item.message instanceof LiveMessage.Block block) {
                desk.metadata.bitmap.clear(block.offset(), block.length());
            }
        });
        flushing = new ArrayList<>();
        return true;
    }

    void advance() {
        do {
            begin();
            flush();
        } while (end());
        boolean isTold = desk.settings.protocol() == Protocol.B && receivedUpTo > toldReceived;
        if (isTold) {
            toldReceived = receivedUpTo;
            desk.send(new LiveMessage.Received(receivedUpTo));
        }
    }

    private void begin() {
        while (!waiting.isEmpty() && mayBegin(waiting.peekFirst())) {
            var item = waiting.removeFirst();
            switch (item.message) {
                case LiveMessage.Write write -> write(item);
                case LiveMessage.Block block -> write(item);
                case LiveMessage.Barrier barrier -> item.isDurable = true;
                case LiveMessage.Ahead ahead -> {
                    desk.metadata.want(desk.metadata.wanted().outdated(true));
                    desk.replication = ReplicationState.BEHIND;
                    item.isDurable = true;
                }
                case LiveMessage.Finished finished -> item.isDurable = true;
            }
        }
    }

    private boolean mayBegin(Item item) {
        return switch (item.message) {
            case LiveMessage.Write write -> mayWrite(item);
            case LiveMessage.Block block -> mayWrite(item);
            case LiveMessage.Barrier barrier -> isFirst(item);
            case LiveMessage.Ahead ahead -> isFirst(item);
            case LiveMessage.Finished finished -> isFirst(item) && hasAdopted(finished);
        };
    }

    private boolean mayWrite(Item item) {
        // A resync makes it a volume of no moment: that is durable before its first block.
        boolean isTold = desk.metadata.wanted().isConsistent()
                || !desk.metadata.durable().isConsistent();
        return isTold
                && desk.keeping == 0
                && onDisk.size() < WRITES_MAXIMUM
                && !isWriting(item.offset(), item.length())
                && !others.isBusy(item.offset(), item.length());
    }

    private boolean isFirst(Item item) {
        return items.peekFirst() == item;
    }

    /** All before is durable: this copy is what the source is. */
    private boolean hasAdopted(LiveMessage.Finished finished) {
        var metadata = desk.metadata;
        var adopted = Generations.adopted(finished.generations(), desk.settings.self());
        var wanted = new Superblock(adopted, true, false, false);
        if (!metadata.wanted().equals(wanted)) {
            metadata.bitmap.clear(0, desk.settings.sizeBytes());
            metadata.want(wanted);
            desk.isShared = true;
            desk.differs = false;
        }
        return metadata.durable().equals(wanted);
    }

    private void write(Item item) {
        long work = desk.nextWork();
        onDisk.put(work, item);
        desk.emit(new LiveEffect.WriteVolume(work, item.offset(), item.length(), item.data()));
    }

    /** Whatever is to be confirmed, or waits behind a barrier, asks for a flush; one has all that was written by then. */
    private void flush() {
        boolean isAsked = isFlushWanted
                || desk.settings.protocol() == Protocol.C
                || desk.replication == ReplicationState.SYNC_TARGET
                || isBarrierNext();
        if (isAsked && !isFlushing && !written.isEmpty()) {
            isFlushing = true;
            flush = desk.nextWork();
            flushing = written;
            written = new ArrayList<>();
            desk.emit(new LiveEffect.FlushVolume(flush));
        }
    }

    private boolean isBarrierNext() {
        var next = waiting.peekFirst();
        return next != null && !(next.message instanceof LiveMessage.Write);
    }

    /** @return whether anything has ended, which another may have waited for */
    private boolean end() {
        int before = items.size();
        long confirmed = 0;
        boolean isInStep = false;
        while (!items.isEmpty() && items.peekFirst().isDurable) {
            var item = items.removeFirst();
            if (desk.session.isPresent() && desk.session.getAsLong() == item.session) {
                confirmed = item.message.number();
                isInStep |= item.message instanceof LiveMessage.Finished;
            }
        }
        if (confirmed > 0) {
            desk.send(new LiveMessage.Durable(confirmed));
        }
        if (isInStep) {
            desk.replication = ReplicationState.ESTABLISHED;
            desk.send(new LiveMessage.InStep());
        }
        isFlushWanted &= !items.isEmpty();
        desk.moved(before - items.size());
        return items.size() < before;
    }
}
