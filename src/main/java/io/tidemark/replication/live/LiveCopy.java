package io.tidemark.replication.live;

import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * One of two copies of a volume that is replicated live: what happens to it goes in, what is to be done comes out. It
 * knows neither clocks nor disks nor sockets, and of the same events makes the same effects. Of one thread.
 *
 * <p>Protocols, generations, activity log, dirty bitmap and their names are DRBD's (users' guide 9); how it differs from
 * DRBD, and the moments of failure that it stands, are told in docs/design/live-replication.md.
 */
public final class LiveCopy {
    /** Rounds in which one event's consequences must come to rest. */
    private static final int ROUNDS_MAXIMUM = 64;

    private final Desk desk;
    private final PrimaryPath primary;
    private final SecondaryPath secondary;
    private final ResyncSource resync;
    private final Admission admission;
    private final Meeting meeting;
    private final Invalidation invalidation;
    private final Verify verify;
    private final Map<Long, Long> reads = new HashMap<>();
    /** Read, and not to be told before the lease is renewed. */
    private final Map<Long, Payload> heldReads = new LinkedHashMap<>();

    private Optional<LiveEvent.Promote> promotion = Optional.empty();
    private OptionalLong demotion = OptionalLong.empty();
    private boolean isDemotionForced;
    private Optional<LiveStatus> reported = Optional.empty();

    /**
     * A copy whose process has just started: secondary, without a connection.
     *
     * @param fresh draws generations, at random
     */
    public LiveCopy(LiveSettings settings, LiveStart start, Supplier<Generation> fresh) {
        this(settings, start, fresh, () -> 0);
    }

    /**
     * As above.
     *
     * @param clock milliseconds since 1970, asked when a generation begins and for nothing but to tell people and {@link
     *     AfterSplitBrain} since when the peer lacks something; 0: not known
     */
    public LiveCopy(LiveSettings settings, LiveStart start, Supplier<Generation> fresh, LongSupplier clock) {
        desk = new Desk(settings, new LiveMetadata(start, settings.activityLogExtents()), fresh, clock);
        // Each waits for what the others are doing on the same range.
        primary = new PrimaryPath(desk, this::isBusyForPrimary);
        resync = new ResyncSource(desk, primary);
        secondary = new SecondaryPath(desk, primary::isWriting);
        admission = new Admission(desk);
        meeting = new Meeting(desk, primary, secondary, resync, start.chosen());
        invalidation = new Invalidation(desk, meeting);
        verify = new Verify(
                desk,
                meeting,
                (offset, length) -> primary.isWriting(offset, length) || secondary.isWriting(offset, length));
    }

    private boolean isBusyForPrimary(long offset, int length) {
        return resync.isReading(offset, length)
                || verify.isReading(offset, length)
                || secondary.isWriting(offset, length);
    }

    /**
     * Something has happened.
     *
     * @param now a clock that never goes back, the lease's
     * @return what is to be done, in this order
     */
    public List<LiveEffect> on(LiveEvent event, long now) {
        return on(List.of(event), now);
    }

    /**
     * Several things have happened, in this order. Of reads and writes in a row what follows is found once, for all: the
     * more there is to do, the less each costs.
     */
    public List<LiveEffect> on(List<LiveEvent> events, long now) {
        desk.now = now;
        boolean isSettled = true;
        for (var event : events) {
            boolean isOfMany = isOfMany(event);
            if (!isOfMany && !isSettled) {
                settle();
            }
            if (desk.failure.isEmpty()) {
                take(event);
            }
            if (desk.failure.isPresent()) {
                refuse(event);
            }
            if (!isOfMany) {
                settle();
            }
            isSettled = !isOfMany;
        }
        if (!isSettled) {
            settle();
        }
        report();
        return desk.taken();
    }

    /** Whether it makes this copy nothing else than it was: neither role, state nor session. */
    private static boolean isOfMany(LiveEvent event) {
        return switch (event) {
            case LiveEvent.Write write -> true;
            case LiveEvent.Read read -> true;
            case LiveEvent.Written written -> true;
            case LiveEvent.ReadDone done -> true;
            case LiveEvent.Arrived arrived ->
                arrived.message() instanceof LiveMessage.Write
                        || arrived.message() instanceof LiveMessage.Received
                        || arrived.message() instanceof LiveMessage.Durable;
            default -> false;
        };
    }

    private void take(LiveEvent event) {
        switch (event) {
            case LiveEvent.Connected connected -> meeting.connected(connected.session());
            case LiveEvent.Lost lost -> meeting.lost(lost.session());
            case LiveEvent.Arrived arrived -> arrived(arrived);
            case LiveEvent.Write write ->
                client(write.request(), write.offset(), write.length(), () -> primary.write(write));
            case LiveEvent.Flush flush -> client(flush.request(), 0, 0, () -> primary.flush(flush.request()));
            case LiveEvent.Read read -> client(read.request(), read.offset(), read.length(), () -> read(read));
            case LiveEvent.Written written -> {
                if (!primary.written(written.work())) {
                    secondary.written(written.work());
                }
            }
            case LiveEvent.Flushed flushed -> {
                if (!primary.flushed(flushed.work())) {
                    secondary.flushed(flushed.work());
                }
            }
            case LiveEvent.ReadDone done -> readDone(done);
            case LiveEvent.DigestsRead read -> {
                boolean isTaken =
                        secondary.compared(read.work(), read.digests()) || resync.read(read.work(), read.digests());
                if (!isTaken) {
                    verify.read(read.work(), read.digests());
                }
            }
            case LiveEvent.Kept kept -> meeting.kept(kept.work());
            case LiveEvent.DiskFailed failed -> failed(failed.what());
            case LiveEvent.Persisted persisted ->
                primary.hot(desk.metadata.persisted(persisted.ticket()).keySet());
            case LiveEvent.Promote promote -> {
                promotion.ifPresent(before ->
                        desk.emit(new LiveEffect.Refuse(before.request(), "another promotion has taken its place")));
                promotion = Optional.of(promote);
            }
            case LiveEvent.Demote demote -> demote(demote);
            case LiveEvent.LeaseRenewed renewed -> renewed(renewed.lease());
            case LiveEvent.OutdatedTold told ->
                desk.isTold |= desk.metadata.wanted().generations().current().equals(Optional.of(told.generation()));
            case LiveEvent.Resolve resolve -> meeting.resolve(resolve);
            case LiveEvent.Verify asked -> verify.ask(asked);
            case LiveEvent.StopVerify asked -> verify.stop(asked);
            case LiveEvent.Invalidate invalidate -> invalidation.ask(invalidate);
            case LiveEvent.Change change -> change(change);
            case LiveEvent.Tick tick -> {
                meeting.tick();
                primary.confirmSoon();
                desk.metadata.keepBitmap();
            }
        }
    }

    private void arrived(LiveEvent.Arrived arrived) {
        if (desk.session.isEmpty() || desk.session.getAsLong() != arrived.session()) {
            return;
        }
        if (arrived.message() instanceof LiveMessage.Compare && desk.role == Role.PRIMARY) {
            // Asked by a secondary that has not heard of this role; from here on it compares no more.
            return;
        }
        var refusal = admission.refusal(arrived.message());
        if (refusal.isPresent()) {
            meeting.disconnect(refusal.get());
            return;
        }
        switch (arrived.message()) {
            case LiveMessage.Hello hello -> meeting.hello(hello);
            case LiveMessage.Dirty dirty -> resync.dirty(dirty);
            case LiveMessage.Numbered numbered -> secondary.arrived(arrived.session(), numbered);
            case LiveMessage.Received received -> primary.received(received.upTo());
            case LiveMessage.Durable durable -> {
                primary.confirmed(durable.upTo());
                if (!resync.confirmed(durable.upTo())) {
                    meeting.disconnect("the peer confirms a comparison that it has not answered");
                }
            }
            case LiveMessage.InStep inStep -> resync.inStep();
            case LiveMessage.OutOfSync outOfSync -> meeting.outOfSync();
            case LiveMessage.Differing differing -> {
                if (!verify.differing(differing) || !resync.differing(differing)) {
                    meeting.disconnect("the peer tells of blocks that it was not asked to compare");
                }
            }
            case LiveMessage.Ask ask -> askedByPeer(ask.what());
            case LiveMessage.RoleChanged changed -> meeting.peerRole(changed.role());
        }
    }

    private void askedByPeer(LiveMessage.Ask.What what) {
        switch (what) {
            case INVALIDATE -> invalidation.askedByPeer();
            case VERIFY -> verify.askedByPeer();
        }
    }

    private void client(long request, long offset, int length, Runnable begun) {
        boolean isInside = offset >= 0
                && length >= 0
                && length <= LiveSettings.REQUEST_MAXIMUM
                && offset <= desk.settings.sizeBytes() - length;
        if (desk.role != Role.PRIMARY || demotion.isPresent()) {
            desk.emit(new LiveEffect.Refuse(request, "this copy is not primary"));
        } else if (!isInside) {
            desk.emit(new LiveEffect.Refuse(
                    request,
                    "%d bytes at %d: a request is within the volume's %d and has %d at most"
                            .formatted(length, offset, desk.settings.sizeBytes(), LiveSettings.REQUEST_MAXIMUM)));
        } else {
            begun.run();
        }
    }

    private void read(LiveEvent.Read read) {
        if (reads.size() + heldReads.size() >= LiveSettings.REQUESTS_MAXIMUM) {
            desk.emit(new LiveEffect.Refuse(
                    read.request(), "more than %d reads are under way".formatted(LiveSettings.REQUESTS_MAXIMUM)));
            return;
        }
        long work = desk.nextWork();
        reads.put(work, read.request());
        desk.clientBytes += read.length();
        desk.emit(new LiveEffect.ReadVolume(work, read.offset(), read.length(), false));
    }

    private void readDone(LiveEvent.ReadDone done) {
        var request = reads.remove(done.work());
        if (request != null && demotion.isPresent() && isDemotionForced) {
            desk.emit(new LiveEffect.Refuse(request, "this copy is primary no more"));
        } else if (request != null) {
            heldReads.put(request, done.data());
        } else {
            resync.read(done.work(), done.data());
        }
    }

    private void demote(LiveEvent.Demote demote) {
        if (desk.role != Role.PRIMARY) {
            desk.emit(new LiveEffect.Refuse(demote.request(), "this copy is not primary"));
            return;
        }
        demotion.ifPresent(before -> desk.emit(new LiveEffect.Refuse(before, "another demotion has taken its place")));
        demotion = OptionalLong.of(demote.request());
        isDemotionForced = demote.isForced();
        if (demote.isForced()) {
            primary.refuseAll("this copy is primary no more");
            refuseReads();
        }
        primary.confirmSoon();
    }

    private void change(LiveEvent.Change change) {
        var before = desk.settings;
        if (!change.settings().follows(before)) {
            throw new IllegalArgumentException("%s cannot follow %s".formatted(change.settings(), before));
        }
        meeting.disconnect("it is replicated in another way from here on");
        desk.settings = change.settings();
        primary.settingsChanged(before.protocol());
        resync.settingsChanged();
        desk.emit(new LiveEffect.Answer(change.request()));
    }

    private void renewed(Lease lease) {
        if (lease.token() == desk.lease.token() && lease.until() > desk.lease.until()) {
            desk.lease = lease;
        }
    }

    private void refuseReads() {
        heldReads.keySet().forEach(each -> desk.emit(new LiveEffect.Refuse(each, "this copy is primary no more")));
        heldReads.clear();
    }

    private void failed(String what) {
        desk.failure = Optional.of(what);
        meeting.disconnect("the disk has failed: " + what);
        primary.refuseAll(what);
        refuseReads();
        reads.values().forEach(each -> desk.emit(new LiveEffect.Refuse(each, what)));
        reads.clear();
        promotion.ifPresent(each -> desk.emit(new LiveEffect.Refuse(each.request(), what)));
        promotion = Optional.empty();
        invalidation.refuse(what);
        verify.stop(LiveStatus.VerifyState.CUT_OFF);
        demotion.ifPresent(each -> desk.emit(new LiveEffect.Refuse(each, what)));
        demotion = OptionalLong.empty();
        desk.role = Role.SECONDARY;
    }

    private void refuse(LiveEvent event) {
        var why = desk.failure.orElseThrow();
        switch (event) {
            case LiveEvent.Connected connected -> desk.emit(new LiveEffect.Disconnect(connected.session(), why));
            case LiveEvent.Write write -> desk.emit(new LiveEffect.Refuse(write.request(), why));
            case LiveEvent.Flush flush -> desk.emit(new LiveEffect.Refuse(flush.request(), why));
            case LiveEvent.Read read -> desk.emit(new LiveEffect.Refuse(read.request(), why));
            case LiveEvent.Promote promote -> desk.emit(new LiveEffect.Refuse(promote.request(), why));
            case LiveEvent.Demote demote -> desk.emit(new LiveEffect.Refuse(demote.request(), why));
            case LiveEvent.Resolve resolve -> desk.emit(new LiveEffect.Refuse(resolve.request(), why));
            case LiveEvent.Verify asked -> desk.emit(new LiveEffect.Refuse(asked.request(), why));
            case LiveEvent.StopVerify asked -> desk.emit(new LiveEffect.Refuse(asked.request(), why));
            case LiveEvent.Invalidate asked -> desk.emit(new LiveEffect.Refuse(asked.request(), why));
            case LiveEvent.Change asked -> desk.emit(new LiveEffect.Refuse(asked.request(), why));
            default -> {}
        }
    }

    /** Until nothing follows from what has followed. */
    private void settle() {
        if (desk.failure.isPresent()) {
            return;
        }
        for (int round = 0; round < ROUNDS_MAXIMUM; round++) {
            long before = desk.movement();
            var state = desk.replication;
            meeting.advance();
            secondary.advance();
            primary.advance(meeting.isUnderWay());
            resync.advance();
            verify.advance();
            invalidation.advance();
            roles();
            if (desk.hasLease() && !heldReads.isEmpty()) {
                heldReads.forEach((request, data) -> desk.emit(new LiveEffect.AnswerRead(request, data)));
                heldReads.clear();
            }
            desk.metadata.next().ifPresent(desk::emit);
            if (desk.movement() == before && desk.replication == state) {
                return;
            }
        }
        throw new IllegalStateException("a live copy does not come to rest");
    }

    private void roles() {
        if (promotion.isPresent() && !meeting.isUnderWay()) {
            promote(promotion.get());
        }
        if (demotion.isPresent() && !meeting.isUnderWay()) {
            endDemotion();
        }
    }

    private void promote(LiveEvent.Promote asked) {
        var refusal = meeting.refusalToPromote();
        if (refusal.isPresent()) {
            promotion = Optional.empty();
            desk.emit(new LiveEffect.Refuse(asked.request(), refusal.get()));
            return;
        }
        if (!asked.isForced() && !isPeerThere()) {
            if (desk.replication != ReplicationState.MEETING) {
                promotion = Optional.empty();
                desk.emit(
                        new LiveEffect.Refuse(
                                asked.request(),
                                "whether the peer is newer is not known, for it is not there: promote by force where it is dead for sure"));
            }
            return;
        }
        secondary.drain();
        if (!secondary.isIdle() || !desk.metadata.isSettled() || desk.keeping != 0) {
            return;
        }
        if (generations().current().isEmpty()) {
            // The first of two copies that were just made: what it has is the volume from here on, the other's is not.
            desk.mint();
            meeting.again();
            return;
        }
        promotion = Optional.empty();
        desk.lease = asked.lease();
        desk.role = Role.PRIMARY;
        primary.promoted();
        meeting.written();
        secondary.stopComparing();
        desk.send(new LiveMessage.RoleChanged(Role.PRIMARY));
        desk.emit(new LiveEffect.Answer(asked.request()));
    }

    private boolean isPeerThere() {
        return desk.replication == ReplicationState.ESTABLISHED || desk.replication == ReplicationState.SYNC_SOURCE;
    }

    private void endDemotion() {
        var metadata = desk.metadata;
        if (!primary.isIdle() || !reads.isEmpty() || !heldReads.isEmpty()) {
            primary.confirmSoon();
            return;
        }
        if (desk.role == Role.PRIMARY && metadata.wanted().wasPrimary() && !desk.differs) {
            metadata.want(metadata.wanted().primary(false));
            metadata.wantBitmap();
        }
        if (metadata.isSettled()) {
            desk.role = Role.SECONDARY;
            desk.send(new LiveMessage.RoleChanged(Role.SECONDARY));
            desk.emit(new LiveEffect.Answer(demotion.getAsLong()));
            demotion = OptionalLong.empty();
        }
    }

    private void report() {
        var now = status();
        if (!reported.equals(Optional.of(now))) {
            reported = Optional.of(now);
            desk.emit(new LiveEffect.Report(now));
        }
    }

    public LiveStatus status() {
        return new LiveStatus(
                desk.role,
                diskState(),
                desk.replication,
                desk.metadata.bitmap.dirtyBlocks(),
                desk.failure.or(meeting::whyAlone),
                verify.progress(),
                meeting.isSplitBrain());
    }

    /** As it is now; of the thread that drives the copy. */
    public LiveFigures figures() {
        return new LiveFigures(generations().current(), primary.unconfirmedBytes(), resync.figures(), meeting.apart());
    }

    private DiskState diskState() {
        var kept = desk.metadata.wanted();
        if (desk.failure.isPresent()) {
            return DiskState.FAILED;
        }
        if (!kept.isConsistent()) {
            return DiskState.INCONSISTENT;
        }
        if (kept.isOutdated()) {
            return DiskState.OUTDATED;
        }
        boolean isKnown = desk.role == Role.PRIMARY
                || desk.replication == ReplicationState.ESTABLISHED
                || desk.replication == ReplicationState.SYNC_SOURCE;
        return isKnown ? DiskState.UP_TO_DATE : DiskState.CONSISTENT;
    }

    /** Generations as they are now, durable or about to be. */
    public Generations generations() {
        return desk.metadata.wanted().generations();
    }
}
