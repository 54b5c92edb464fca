package io.tidemark.replication.live;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a copy keeps beside its volume, and how far that is durable. One change is made durable at a time; what is wanted
 * meanwhile is in the next one together.
 */
final class LiveMetadata {
    final DirtyBitmap bitmap;
    final ActivityLog log;

    private Superblock wanted;
    private Superblock durable;
    private Optional<ActivityLog.Transaction> held = Optional.empty();
    private Optional<LiveEffect.Persist> underWay = Optional.empty();
    private boolean isBitmapWanted;
    private long tickets;

    LiveMetadata(LiveStart start, int activityLogExtents) {
        wanted = start.superblock();
        durable = wanted;
        bitmap = start.bitmap();
        log = new ActivityLog(activityLogExtents, start.nextSequence());
        // What was hot may differ: before the log forgets it, the bitmap must know.
        isBitmapWanted = !bitmap.changedPages().isEmpty();
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
        return wanted.equals(durable) && !isBitmapWanted;
    }

    boolean areGenerationsDurable() {
        return wanted.generations().equals(durable.generations());
    }

    /** The bitmap is made durable as it is now. */
    void wantBitmap() {
        isBitmapWanted = !bitmap.changedPages().isEmpty();
    }

    /** What is to be made durable now; empty where nothing is, or something is under way. */
    Optional<LiveEffect.Persist> next() {
        if (underWay.isPresent()) {
            return Optional.empty();
        }
        if (held.isEmpty()) {
            held = log.next();
        }
        boolean needsBits =
                isBitmapWanted || held.filter(each -> !each.cooled().isEmpty()).isPresent();
        var pages = needsBits ? changedPages() : Map.<Integer, byte[]>of();
        // Of an extent that cools the bits come first: a crash between the two must find one or the other.
        var transaction = pages.isEmpty() ? held : Optional.<ActivityLog.Transaction>empty();
        var superblock = Optional.of(wanted).filter(each -> !each.equals(durable));
        isBitmapWanted = false;
        if (pages.isEmpty() && transaction.isEmpty() && superblock.isEmpty()) {
            return Optional.empty();
        }
        underWay = Optional.of(new LiveEffect.Persist(++tickets, superblock, pages, transaction));
        return underWay;
    }

    private Map<Integer, byte[]> changedPages() {
        var pages = new LinkedHashMap<Integer, byte[]>();
        for (int page : bitmap.changedPages()) {
            pages.put(page, bitmap.page(page));
        }
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
