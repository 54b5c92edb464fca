package io.tidemark.replication.live;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which extents of 4 MiB may have writes in flight: DRBD's activity log. An extent is hot from the transaction that names
 * it on, until another takes its slot; before a write to a cold one that transaction must be durable. After a crash the hot
 * ones are all that may differ between the copies of one generation. Of one thread.
 *
 * <p>One transaction is under way at a time; what becomes cold-written meanwhile is in the next one together.
 */
public final class ActivityLog {
    public static final int EXTENT_BYTES = 4 << 20;
    /** Of DRBD's al-extents. */
    public static final int SLOTS_MINIMUM = 7;

    public static final int SLOTS_MAXIMUM = 65_534;
    /** Extents that one transaction makes hot. */
    public static final int UPDATES_MAXIMUM = 64;

    private final ActivityLogRing ring;
    private final int[] extentOf;
    private final int[] writesIn;
    private final Map<Integer, Integer> slotOf = new HashMap<>();
    /** Slots without a write in flight, of the one used longest ago on. */
    private final LinkedHashMap<Integer, Boolean> idle = new LinkedHashMap<>();

    /** Writes that wait for their extent to become hot, a count an extent, in order of arrival. */
    private final LinkedHashMap<Integer, Integer> waiting = new LinkedHashMap<>();

    private Optional<Transaction> underWay = Optional.empty();

    /**
     * A block of {@link ActivityLogRing#BLOCK_BYTES}, to be written and synced.
     *
     * @param position in the ring, blocks
     * @param extents that are hot once it is durable
     * @param cooled that are no longer: their dirty bits must be durable before this is written
     */
    public record Transaction(int position, ByteBuffer block, Set<Integer> extents, Set<Integer> cooled) {}

    /**
     * A log in which nothing is hot: what was when the process before died is dirty bits by now.
     *
     * @param slots extents that are hot at once, {@link #SLOTS_MINIMUM} to {@link #SLOTS_MAXIMUM}: the more, the fewer
     *     transactions while writing, and the more there is to resync after a crash
     * @param nextSequence of the ring's next transaction: 0 where it is all zeros, as it has to be where it was of another
     *     number of slots, else what {@link ActivityLogRing#recover} found
     */
    public ActivityLog(int slots, long nextSequence) {
        if (slots < SLOTS_MINIMUM || slots > SLOTS_MAXIMUM) {
            throw new IllegalArgumentException(
                    "an activity log has %d to %d extents, not %d".formatted(SLOTS_MINIMUM, SLOTS_MAXIMUM, slots));
        }
        ring = new ActivityLogRing(slots, nextSequence);
        extentOf = new int[slots];
        writesIn = new int[slots];
        for (int slot = 0; slot < slots; slot++) {
            extentOf[slot] = ActivityLogRing.NONE;
            idle.put(slot, true);
        }
    }

    /**
     * A write to an extent wants to begin.
     *
     * @return whether it may: else it waits until {@link #durable} names its extent, and counts as begun then
     */
    public boolean begin(int extent) {
        var slot = slotOf.get(extent);
        if (slot == null || isBeingMade(extent)) {
            waiting.merge(extent, 1, Integer::sum);
            return false;
        }
        enter(slot, 1);
        return true;
    }

    private boolean isBeingMade(int extent) {
        return underWay.isPresent() && underWay.get().extents().contains(extent);
    }

    private void enter(int slot, int writes) {
        idle.remove(slot);
        writesIn[slot] += writes;
    }

    /** A write that was begun has ended, on all copies or as dirty bits. */
    public void end(int extent) {
        var slot = slotOf.get(extent);
        if (slot == null || writesIn[slot] == 0) {
            throw new IllegalStateException("no write is in flight in extent " + extent);
        }
        if (--writesIn[slot] == 0) {
            idle.put(slot, true);
        }
    }

    /**
     * What is to be written next; empty where nothing waits, one is under way, or every slot has writes in flight, in which
     * case {@link #end} makes room.
     */
    public Optional<Transaction> next() {
        if (underWay.isPresent() || waiting.isEmpty()) {
            return Optional.empty();
        }
        var updates = new LinkedHashMap<Integer, Integer>();
        var cooled = new TreeSet<Integer>();
        Deque<Integer> free = new ArrayDeque<>(idle.keySet());
        for (var extent : waiting.keySet()) {
            if (updates.size() == UPDATES_MAXIMUM || free.isEmpty()) {
                break;
            }
            int slot = free.removeFirst();
            if (extentOf[slot] != ActivityLogRing.NONE) {
                slotOf.remove(extentOf[slot]);
                cooled.add(extentOf[slot]);
            }
            extentOf[slot] = extent;
            slotOf.put(extent, slot);
            updates.put(slot, extent);
        }
        if (updates.isEmpty()) {
            return Optional.empty();
        }
        // Neither the next transaction nor anybody else takes them meanwhile.
        updates.keySet().forEach(idle::remove);
        underWay = Optional.of(new Transaction(
                ring.position(),
                ByteBuffer.wrap(ring.transaction(updates, extentOf)).asReadOnlyBuffer(),
                new TreeSet<>(updates.values()),
                cooled));
        return underWay;
    }

    /**
     * The transaction is durable: the writes to its extents have begun.
     *
     * @return how many writes of each extent go on now
     */
    public Map<Integer, Integer> durable() {
        var done = underWay.orElseThrow(() -> new IllegalStateException("no transaction is under way"));
        underWay = Optional.empty();
        var begun = new LinkedHashMap<Integer, Integer>();
        for (var extent : done.extents()) {
            int writes = Optional.ofNullable(waiting.remove(extent)).orElse(0);
            var slot = slotOf.get(extent);
            if (slot == null || writes == 0) {
                throw new IllegalStateException("nobody waits for extent " + extent);
            }
            enter(slot, writes);
            begun.put(extent, writes);
        }
        return begun;
    }

    /**
     * Whether a cold extent waits and every slot has writes in flight: no more writes are to begin then, not to hot ones
     * either, or the cold one might wait for ever. DRBD's LC_STARVING.
     */
    public boolean isStarving() {
        return underWay.isEmpty() && !waiting.isEmpty() && idle.isEmpty();
    }

    /** Extents that a crash now would leave to be resynced, in order. */
    public List<Integer> hot() {
        var all = new ArrayList<Integer>();
        for (int extent : extentOf) {
            if (extent != ActivityLogRing.NONE) {
                all.add(extent);
            }
        }
        all.sort(null);
        return all;
    }
}
