package io.tidemark.replication.live;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * What a copy keeps beside its volume, and how far that is durable. One change is made durable at a time; what is wanted
 * meanwhile is in the next one together.
 */
final class LiveMetadata {
    /** Of the bitmap, that are made durable at once: a mebibyte. */
    static final int PAGES_MAXIMUM = 256;

    final DirtyBitmap bitmap;
    final ActivityLog log;

    private Superblock wanted;
    private Superblock durable;
    private Optional<ActivityLog.Transaction> held = Optional.empty();
    private Optional<LiveEffect.Persist> underWay = Optional.empty();
    /** Of the extents that the held transaction cools, the bits are durable or wanted. */
    private boolean isHeldReady;
    /** Pages that something waits for. */
    private final TreeSet<Integer> pagesWanted = new TreeSet<>();
    /** Pages that are made durable when nothing else is to be: without them a crash would only bring back bits. */
    private final TreeSet<Integer> pagesInTime = new TreeSet<>();

    private long tickets;

    LiveMetadata(LiveStart start, int activityLogExtents) {
        wanted = start.superblock();
        durable = wanted;
        bitmap = start.bitmap();
        log = new ActivityLog(activityLogExtents, start.nextSequence());
        // What was hot may differ: before the log forgets it, the bitmap must know.
        pagesWanted.addAll(bitmap.changedPages());
    }

    Superblock wanted() {
        return wanted;
    }

    Superblock durable() {
        return durable;
    }

    void want(Superblock changed) {
        wanted = changed;
    }

    /** Whether the superblock is durable as it is wanted, and the bitmap where that was asked for. */
    boolean isSettled() {
        return wanted.equals(durable) && pagesWanted.isEmpty();
    }

    boolean areGenerationsDurable() {
        return wanted.equals(durable) || wanted.generations().equals(durable.generations());
    }

    /** The bitmap is made durable as it is now. */
    void wantBitmap() {
        pagesWanted.addAll(bitmap.changedPages());
    }

    /** The bitmap is made durable as it is now, in time. */
    void keepBitmap() {
        pagesInTime.addAll(bitmap.changedPages());
    }

    /** What is to be made durable now; empty where nothing is, or something is under way. */
    Optional<LiveEffect.Persist> next() {
        if (underWay.isPresent()) {
            return Optional.empty();
        }
        if (held.isEmpty()) {
            held = log.next();
            isHeldReady = false;
        }
        if (held.isEmpty() && pagesWanted.isEmpty() && pagesInTime.isEmpty() && wanted.equals(durable)) {
            return Optional.empty();
        }
        var pages = pages();
        boolean isLogReady = pages.isEmpty() && pagesWanted.isEmpty();
        var transaction = isLogReady ? held : Optional.<ActivityLog.Transaction>empty();
        var superblock = Optional.of(wanted).filter(each -> !each.equals(durable));
        if (pages.isEmpty() && transaction.isEmpty() && superblock.isEmpty()) {
            return Optional.empty();
        }
        underWay = Optional.of(new LiveEffect.Persist(++tickets, superblock, pages, transaction));
        return underWay;
    }

    /** Of an extent that cools the bits come first: a crash between the two must find one or the other. */
    private Map<Integer, byte[]> pages() {
        if (held.isPresent() && !isHeldReady) {
            // Once is enough: no write is in flight in them any more.
            held.get()
                    .cooled()
                    .forEach(extent -> pagesWanted.addAll(
                            bitmap.changedPagesOf((long) extent * ActivityLog.EXTENT_BYTES, ActivityLog.EXTENT_BYTES)));
            isHeldReady = true;
        }
        var source = pagesWanted.isEmpty() && held.isEmpty() ? pagesInTime : pagesWanted;
        var pages = new LinkedHashMap<Integer, byte[]>();
        source.stream().limit(PAGES_MAXIMUM).forEach(page -> pages.put(page, bitmap.page(page)));
        return pages;
    }

    /**
     * @return writes of each extent that have become hot
     */
    Map<Integer, Integer> persisted(long ticket) {
        var done = underWay.filter(each -> each.ticket() == ticket)
                .orElseThrow(() -> new IllegalStateException("nothing of ticket " + ticket + " is under way"));
        underWay = Optional.empty();
        durable = done.superblock().orElse(durable);
        done.pages().forEach((page, bytes) -> {
            pagesWanted.remove(page);
            pagesInTime.remove(page);
            if (Arrays.equals(bytes, bitmap.page(page))) {
                bitmap.written(page);
            }
        });
        if (done.transaction().isEmpty()) {
            return Map.of();
        }
        held = Optional.empty();
        return log.durable();
    }
}
