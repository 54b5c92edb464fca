package io.tidemark.replication.live;

import io.tidemark.replication.live.DirtyBitmap.Run;
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
    private final BusyRanges busy = new BusyRanges();
    /** Comparisons whose own digests are being read. */
    private final Map<Long, Item> comparing = new HashMap<>();

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
                case LiveMessage.Compare compare -> compare.offset();
                case LiveMessage.Block block -> block.offset();
                default -> 0;
            };
        }

        int length() {
            return switch (message) {
                case LiveMessage.Write write -> write.length();
                case LiveMessage.Compare compare -> compare.length();
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

        boolean isComparison() {
            return message instanceof LiveMessage.Compare;
        }

        boolean overlaps(long offset, int length) {
            return offset() < offset + length && offset < offset() + length();
        }
    }

    SecondaryPath(Desk desk, PrimaryPath.BusyRange others) {
        this.desk = desk;
        this.others = others;
    }

    /** Whether all that arrived to be written is durable. */
    boolean isIdle() {
        for (var item : items) {
            if (!item.isComparison()) {
                return false;
            }
        }
        return true;
    }

    /** Nobody waits for what is compared any more: the session is lost, or this copy writes from here on. */
    void stopComparing() {
        int before = items.size();
        List.of(items, waiting, comparing.values(), written, flushing)
                .forEach(each -> each.removeIf(Item::isComparison));
        desk.moved(before - items.size());
    }

    /** Whether the disk is at work for the peer. */
    boolean isWriting() {
        return !onDisk.isEmpty();
    }

    boolean isWriting(long offset, int length) {
        return busy.overlap(offset, length);
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
        busy.remove(item.offset());
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
                case LiveMessage.Compare compare -> {
                    long work = desk.nextWork();
                    comparing.put(work, item);
                    desk.emit(new LiveEffect.ReadDigests(work, item.offset(), item.length()));
                }
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
            case LiveMessage.Compare compare ->
                comparing.size() < WRITES_MAXIMUM && !isBusy(item.offset(), item.length());
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
                && (desk.keeping == 0 || desk.isKeepDue)
                && onDisk.size() < WRITES_MAXIMUM
                && !isComparing(item.offset(), item.length())
                && !isBusy(item.offset(), item.length());
    }

    private boolean isComparing(long offset, int length) {
        return !comparing.isEmpty() && comparing.values().stream().anyMatch(each -> each.overlaps(offset, length));
    }

    private boolean isBusy(long offset, int length) {
        return isWriting(offset, length) || others.isBusy(offset, length);
    }

    /** @return whether they were read for a comparison */
    boolean compared(long work, Digests own) {
        var item = comparing.remove(work);
        if (item == null || !(item.message instanceof LiveMessage.Compare compare)) {
            return false;
        }
        var runs = differing(compare, own);
        desk.send(new LiveMessage.Differing(compare.number(), runs));
        if (desk.replication == ReplicationState.SYNC_TARGET) {
            // The source takes what is the same for durable once this is confirmed.
            written.add(item);
        } else {
            desk.outOfSync(runs);
            item.isDurable = true;
        }
        return true;
    }

    private static List<Run> differing(LiveMessage.Compare compare, Digests own) {
        var runs = new ArrayList<Run>();
        long first = compare.offset() / DirtyBitmap.BLOCK_BYTES;
        int from = 0;
        for (int block = 0; block <= own.count(); block++) {
            if (block == own.count() || own.isSame(block, compare.digests())) {
                if (from < block) {
                    runs.add(new Run(first + from, block - from));
                }
                from = block + 1;
            }
        }
        return runs;
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
            desk.isMarked = false;
            desk.isCounted = true;
            desk.isShared = true;
            desk.differs = false;
        }
        return metadata.durable().equals(wanted);
    }

    private void write(Item item) {
        long work = desk.nextWork();
        onDisk.put(work, item);
        busy.add(item.offset(), item.length());
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
        return next != null && !(next.message instanceof LiveMessage.Write || next.isComparison());
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
