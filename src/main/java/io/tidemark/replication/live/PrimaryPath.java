package io.tidemark.replication.live;

import io.tidemark.replication.live.LiveStatus.ReplicationState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Writes of the primary: from the client over the activity log to the own disk and the peer, and back. A write is cut at
 * the extents of the activity log, so that none holds one while it waits for another.
 */
final class PrimaryPath {
    /** Writes that were begun and are not durable on both: small ones are many before the send buffer is full of them. */
    private static final int BEGUN_MAXIMUM = 1 << 14;

    private final Desk desk;
    private final BusyRange others;
    private final FlushPath flushes;

    /** Not begun in the activity log yet. */
    private final Deque<WritePart> arrived = new ArrayDeque<>();

    private final Map<Integer, List<WritePart>> cold = new HashMap<>();
    /** Begun in the activity log, in order of arrival. */
    private final List<WritePart> admitted = new ArrayList<>();

    private final Map<Long, WritePart> onDisk = new HashMap<>();
    private final BusyRanges busy = new BusyRanges();
    /** Sent and not durable at the peer, by number. */
    private final Deque<WritePart> unconfirmed = new ArrayDeque<>();

    private final Deque<WritePart> unreceived = new ArrayDeque<>();
    /** Not answered, and it is no word of the peer nor of the disk that they wait for: a generation, or a lease. */
    private final Set<WritePart> held = new LinkedHashSet<>();

    private long unconfirmedBytes;
    private long lastBarrier;
    private long receivedUpTo;
    private long confirmedUpTo;
    private long aheadAt;
    /** The flush that has to end before what was answered is durable here, where a protocol before did not see to that. */
    private long looseUntil;

    private int open;
    private int unanswered;
    /** With the disk or the peer. */
    private int begun;

    /** Whether somebody else is at work on a range of the volume. */
    interface BusyRange {
        boolean isBusy(long offset, int length);
    }

    PrimaryPath(Desk desk, BusyRange others) {
        this.desk = desk;
        this.others = others;
        flushes = new FlushPath(desk);
    }

    FlushPath flushes() {
        return flushes;
    }

    /** How full the send buffer is. */
    long unconfirmedBytes() {
        return unconfirmedBytes;
    }

    /** Whether every write has ended, here and at the peer, and is durable. */
    boolean isIdle() {
        return open == 0 && flushes.isIdle();
    }

    /** The peer that was left behind has all that it was sent. */
    boolean hasDrained() {
        return unconfirmed.isEmpty() && confirmedUpTo >= aheadAt;
    }

    /** Whether the disk is at work on a write that the peer was not sent. */
    boolean isWritingAlone() {
        return onDisk.values().stream().anyMatch(each -> each.isLeft);
    }

    boolean isWriting(long offset, int length) {
        return busy.overlap(offset, length);
    }

    void write(LiveEvent.Write event) {
        if (unanswered >= LiveSettings.REQUESTS_MAXIMUM) {
            desk.emit(new LiveEffect.Refuse(
                    event.request(), "more than %d writes are under way".formatted(LiveSettings.REQUESTS_MAXIMUM)));
            return;
        }
        if (event.length() == 0) {
            desk.emit(new LiveEffect.Answer(event.request()));
            return;
        }
        boolean isForced = event.isForced() || desk.settings.protocol() == Protocol.C;
        var request = new WritePart.Request(event.request());
        for (int from = 0; from < event.length(); ) {
            long offset = event.offset() + from;
            int length =
                    (int) Math.min(event.length() - from, ActivityLog.EXTENT_BYTES - offset % ActivityLog.EXTENT_BYTES);
            arrived.add(new WritePart(request, offset, length, event.data().slice(from, length), isForced));
            request.parts++;
            open++;
            unanswered++;
            from += length;
        }
    }

    void flush(long request) {
        boolean isKnown = desk.isReplicating() || desk.metadata.areGenerationsDurable();
        if (desk.settings.protocol() == Protocol.C && flushes.isDone(looseUntil) && isKnown) {
            // What was answered is durable wherever it was to be.
            desk.emit(new LiveEffect.Answer(request));
            return;
        }
        if (!flushes.hasRoom()) {
            desk.emit(new LiveEffect.Refuse(
                    request, "more than %d flushes are under way".formatted(LiveSettings.REQUESTS_MAXIMUM)));
            return;
        }
        if (desk.isReplicating()) {
            barrier();
        }
        boolean waits = desk.isReplicating() && desk.settings.protocol() == Protocol.B;
        flushes.flush(request, waits ? lastBarrier : 0);
    }

    /**
     * Begins what has become possible.
     *
     * @param isHeld the two are meeting: nothing is written before it is known what they are to each other
     */
    void advance(boolean isHeld) {
        admit();
        if (!isHeld) {
            start();
            mintForHeld();
        }
        bound();
        flushes.advance(receivedUpTo);
        if (!held.isEmpty()) {
            List.copyOf(held).forEach(this::progress);
        }
    }

    private void admit() {
        while (!arrived.isEmpty() && !desk.metadata.log.isStarving()) {
            var part = arrived.removeFirst();
            admitted.add(part);
            if (desk.metadata.log.begin(part.extent())) {
                part.isHot = true;
            } else {
                cold.computeIfAbsent(part.extent(), none -> new ArrayList<>()).add(part);
            }
        }
    }

    /** Extents have become hot. */
    void hot(Set<Integer> extents) {
        for (int extent : extents) {
            var parts = cold.remove(extent);
            if (parts == null) {
                continue;
            }
            parts.forEach(part -> part.isHot = true);
            parts.stream().filter(part -> part.isAnswered).forEach(this::end);
        }
    }

    private void start() {
        if (admitted.isEmpty()) {
            return;
        }
        var passed = new ArrayList<WritePart>();
        for (Iterator<WritePart> each = admitted.iterator(); each.hasNext(); ) {
            var part = each.next();
            if (!part.isHot || isBusy(part) || passed.stream().anyMatch(part::overlaps)) {
                passed.add(part);
                continue;
            }
            if (begun >= BEGUN_MAXIMUM || !isGenerationReady() || !hasRoom(part)) {
                return;
            }
            each.remove();
            start(part);
        }
    }

    private boolean isBusy(WritePart part) {
        return isWriting(part.offset, part.length) || others.isBusy(part.offset, part.length);
    }

    /** Before a write that the peer gets, what tells of a crash must be durable; before one that it lacks, a generation. */
    private boolean isGenerationReady() {
        var metadata = desk.metadata;
        if (desk.isReplicating()) {
            if (!metadata.wanted().wasPrimary()) {
                metadata.want(metadata.wanted().primary(true));
            }
            return metadata.durable().wasPrimary();
        }
        if (desk.isShared && desk.hasLease()) {
            desk.mint();
        }
        return !desk.isShared && metadata.areGenerationsDurable();
    }

    private boolean hasRoom(WritePart part) {
        boolean isFull = desk.isReplicating()
                && !unconfirmed.isEmpty()
                && unconfirmedBytes + part.length > desk.settings.bufferBytes();
        if (isFull
                && desk.settings.congestion() == Congestion.PULL_AHEAD
                && desk.replication == ReplicationState.ESTABLISHED) {
            aheadAt = desk.nextNumber();
            desk.send(new LiveMessage.Ahead(aheadAt));
            desk.replication = ReplicationState.AHEAD;
        }
        return !isFull;
    }

    private void start(WritePart part) {
        part.work = desk.nextWork();
        begun++;
        onDisk.put(part.work, part);
        busy.add(part.offset, part.length);
        desk.clientBytes += part.length;
        var data = part.takeData();
        desk.emit(new LiveEffect.WriteVolume(part.work, part.offset, part.length, data));
        if (!desk.isReplicating()) {
            leave(part);
            return;
        }
        part.number = desk.nextNumber();
        desk.send(new LiveMessage.Write(part.number, part.offset, part.length, data));
        unconfirmed.add(part);
        unreceived.add(part);
        unconfirmedBytes += part.length;
        if (part.isForced && desk.settings.protocol() != Protocol.C) {
            barrier();
        }
    }

    /** The peer lacks it. */
    private void leave(WritePart part) {
        part.isLeft = true;
        desk.metadata.bitmap.mark(part.offset, part.length);
        if (!part.isAnswered) {
            held.add(part);
        }
    }

    /** @return whether it was a write of a client */
    boolean written(long work) {
        var part = onDisk.remove(work);
        if (part == null) {
            return false;
        }
        busy.remove(part.offset);
        part.isWritten = true;
        flushes.written(part);
        progress(part);
        return true;
    }

    boolean flushed(long work) {
        var parts = flushes.flushed(work);
        parts.ifPresent(all -> all.forEach(this::progress));
        return parts.isPresent();
    }

    void received(long upTo) {
        receivedUpTo = Math.max(receivedUpTo, upTo);
        take(unreceived, upTo, part -> part.isReceived = true);
    }

    void confirmed(long upTo) {
        received(upTo);
        confirmedUpTo = Math.max(confirmedUpTo, upTo);
        take(unconfirmed, upTo, part -> {
            part.isConfirmed = true;
            unconfirmedBytes -= part.length;
        });
    }

    private void take(Deque<WritePart> waiting, long upTo, Consumer<WritePart> told) {
        while (!waiting.isEmpty() && waiting.peekFirst().number <= upTo) {
            var part = waiting.removeFirst();
            told.accept(part);
            progress(part);
        }
    }

    private void progress(WritePart part) {
        if (!part.isAnswered && part.isHere()) {
            if (isPeerReady(part)) {
                part.isAnswered = true;
                unanswered--;
                if (part.request.answered()) {
                    desk.emit(new LiveEffect.Answer(part.request.id));
                }
            } else if (part.isLeft || desk.settings.protocol() == Protocol.A) {
                held.add(part);
            }
        }
        if (part.isAnswered) {
            held.remove(part);
            end(part);
        }
    }

    private boolean isPeerReady(WritePart part) {
        if (part.isLeft) {
            return desk.isApart();
        }
        return switch (desk.settings.protocol()) {
            case A -> part.isConfirmed || desk.hasLease();
            case B -> part.isReceived;
            case C -> part.isConfirmed;
        };
    }

    /** Its extent may cool once a crash here can make no difference between the copies. */
    private void end(WritePart part) {
        boolean isBegun = part.work != 0;
        boolean isDone = part.isLeft ? part.isWritten : part.isDurable && part.isConfirmed;
        if (!part.isEnded && part.isHot && (isDone || !isBegun)) {
            part.isEnded = true;
            desk.metadata.log.end(part.extent());
            open--;
            begun -= isBegun ? 1 : 0;
        }
    }

    /** The peer and the own disk are made to confirm before the buffer is full, or the activity log. */
    private void bound() {
        boolean isHalf = unconfirmedBytes > desk.settings.bufferBytes() / 2 || begun > BEGUN_MAXIMUM / 2;
        if (isHalf || desk.metadata.log.isStarving()) {
            confirmSoon();
        }
    }

    /** What is under way is made durable, though nobody has asked. */
    void confirmSoon() {
        boolean isAsked = desk.settings.protocol() == Protocol.C;
        if (!isAsked && !unconfirmed.isEmpty() && desk.lastNumber() > lastBarrier && desk.isReplicating()) {
            barrier();
        }
        flushes.want();
    }

    private void barrier() {
        lastBarrier = desk.nextNumber();
        desk.send(new LiveMessage.Barrier(lastBarrier));
    }

    /** What a process before this one has answered, under whatever protocol, is durable with the next flush. */
    void promoted() {
        looseUntil = flushes.ask();
    }

    /** No session is there. Under protocol C nothing more is answered before it is durable. */
    void settingsChanged(Protocol before) {
        if (desk.settings.protocol() == Protocol.C && before != Protocol.C) {
            arrived.forEach(part -> part.isForced = true);
            admitted.forEach(part -> part.isForced = true);
            onDisk.values().forEach(part -> part.isForced = true);
            looseUntil = flushes.ask();
            flushes.forceAll();
        }
    }

    /** The connection is gone: what the peer has not confirmed it lacks. */
    void lost() {
        boolean wasPromised = unconfirmed.stream().anyMatch(part -> part.isAnswered);
        desk.differs |= !unconfirmed.isEmpty() && desk.isShared;
        var left = List.copyOf(unconfirmed);
        left.forEach(this::leave);
        unconfirmed.clear();
        unreceived.clear();
        unconfirmedBytes = 0;
        lastBarrier = 0;
        receivedUpTo = 0;
        confirmedUpTo = 0;
        aheadAt = 0;
        flushes.lost();
        if (desk.isShared && wasPromised) {
            desk.mint();
        }
        left.forEach(this::progress);
    }

    /** Writes that were under way when the peer was lost are answered as writes of another generation. */
    private void mintForHeld() {
        if (!held.isEmpty() && desk.isShared && !desk.isReplicating() && desk.hasLease()) {
            if (held.stream().anyMatch(part -> part.isLeft)) {
                desk.mint();
            }
        }
    }

    /** A resync has ended: the peer has all that it lacked. */
    void caughtUp() {
        for (var part : List.copyOf(held)) {
            if (part.isLeft) {
                part.isLeft = false;
                part.isReceived = true;
                part.isConfirmed = true;
                progress(part);
            }
        }
    }

    /** Nobody who waits is answered any more. */
    void refuseAll(String why) {
        open -= arrived.size();
        var all = new ArrayList<>(arrived);
        arrived.clear();
        all.addAll(admitted);
        admitted.clear();
        all.addAll(onDisk.values());
        all.addAll(held);
        all.addAll(unconfirmed);
        flushes.writtenParts(all::add);
        for (var part : all) {
            if (!part.isAnswered) {
                part.isAnswered = true;
                unanswered--;
                if (part.request.refused()) {
                    desk.emit(new LiveEffect.Refuse(part.request.id, why));
                }
            }
            held.remove(part);
            end(part);
        }
        flushes.refuseAll(why);
    }
}
