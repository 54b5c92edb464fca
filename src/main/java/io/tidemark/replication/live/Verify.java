package io.tidemark.replication.live;

import io.tidemark.replication.live.DirtyBitmap.Run;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.LiveStatus.VerifyState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares both copies by the digests of their blocks, beside new writes. Of two of which one is primary that one drives it:
 * no write begins where it reads, and its digests go out before the next write there, so that the peer, which does all in
 * order, reads at the same moment of the volume's history.
 */
final class Verify {
    private final Desk desk;
    private final Meeting meeting;
    private final PrimaryPath.BusyRange writes;
    private final Map<Long, Run> reading = new HashMap<>();
    private final Map<Long, Run> sent = new HashMap<>();
    private Optional<Run> claimed = Optional.empty();
    private Optional<LiveStatus.Verify> progress = Optional.empty();
    private long cursor;

    /**
     * @param writes whether the disk is at work on a write of this range
     */
    Verify(Desk desk, Meeting meeting, PrimaryPath.BusyRange writes) {
        this.desk = desk;
        this.meeting = meeting;
        this.writes = writes;
    }

    /** Of the last one that this side drove; empty where there was none. */
    Optional<LiveStatus.Verify> progress() {
        return progress;
    }

    void ask(LiveEvent.Verify asked) {
        var refusal = refusal();
        if (refusal.isPresent()) {
            desk.emit(new LiveEffect.Refuse(asked.request(), refusal.get()));
            return;
        }
        if (isDrivenByPeer()) {
            desk.send(new LiveMessage.Ask(LiveMessage.Ask.What.VERIFY));
        } else {
            begin();
        }
        desk.emit(new LiveEffect.Answer(asked.request()));
    }

    /** Digests under way are compared by the peer all the same; what those find is dirty there, and known when they meet. */
    void stop(LiveEvent.StopVerify asked) {
        if (isRunning()) {
            stop(VerifyState.STOPPED);
            desk.emit(new LiveEffect.Answer(asked.request()));
            return;
        }
        var driver = isDrivenByPeer() ? "; the peer is primary, and drives what there may be: stop it there" : "";
        desk.emit(new LiveEffect.Refuse(asked.request(), "this side drives no verify now" + driver));
    }

    /** The peer asks for it; where it cannot be, nothing is done. */
    void askedByPeer() {
        if (refusal().isEmpty() && !isDrivenByPeer()) {
            begin();
        }
    }

    private Optional<String> refusal() {
        if (desk.replication != ReplicationState.ESTABLISHED) {
            return Optional.of("only copies that are in step are compared, and this one is %s: connect it first"
                    .formatted(desk.replication));
        }
        if (desk.metadata.wanted().generations().current().isEmpty()) {
            return Optional.of("both copies were just made: promote one first");
        }
        return isRunning() ? Optional.of("a verify is under way already") : Optional.empty();
    }

    private boolean isDrivenByPeer() {
        return desk.role == Role.SECONDARY && meeting.isPeerPrimary();
    }

    private boolean isRunning() {
        return progress.filter(now -> now.state() == VerifyState.RUNNING).isPresent();
    }

    private void begin() {
        cursor = 0;
        progress = Optional.of(new LiveStatus.Verify(0, 0, VerifyState.RUNNING));
        desk.moved(1);
    }

    boolean isReading(long offset, int length) {
        return (!reading.isEmpty() && reading.values().stream().anyMatch(run -> lies(run, offset, length)))
                || claimed.filter(run -> lies(run, offset, length)).isPresent();
    }

    private boolean lies(Run run, long offset, int length) {
        return run.offset() < offset + length && offset < run.offset() + length(run);
    }

    private int length(Run run) {
        return (int) run.bytes(desk.settings.sizeBytes());
    }

    void advance() {
        if (!isRunning()) {
            return;
        }
        if (desk.replication != ReplicationState.ESTABLISHED || isDrivenByPeer()) {
            stop(VerifyState.CUT_OFF);
            return;
        }
        while (reading.size() + sent.size() < desk.settings.resyncWindow() && readNext()) {}
        if (cursor == blocks() && reading.isEmpty() && sent.isEmpty()) {
            stop(VerifyState.ENDED);
        }
    }

    void stop(VerifyState state) {
        if (isRunning()) {
            reading.clear();
            sent.clear();
            claimed = Optional.empty();
            desk.moved(1);
            progress = progress.map(now -> new LiveStatus.Verify(now.comparedBlocks(), now.outOfSyncBlocks(), state));
        }
    }

    private long blocks() {
        return Math.ceilDiv(desk.settings.sizeBytes(), DirtyBitmap.BLOCK_BYTES);
    }

    private boolean readNext() {
        if (cursor == blocks()) {
            return false;
        }
        var run = new Run(cursor, (int) Math.min(desk.settings.resyncBlocks(), blocks() - cursor));
        if (writes.isBusy(run.offset(), length(run))) {
            // New writes wait here from now on, else one that is written all the time would never be compared.
            claimed = Optional.of(run);
            return false;
        }
        claimed = Optional.empty();
        cursor += run.count();
        long work = desk.nextWork();
        reading.put(work, run);
        desk.emit(new LiveEffect.ReadDigests(work, run.offset(), length(run)));
        return true;
    }

    /** @return whether they were read for this */
    boolean read(long work, Digests digests) {
        var run = reading.remove(work);
        if (run == null) {
            return false;
        }
        long number = desk.nextNumber();
        sent.put(number, run);
        desk.send(new LiveMessage.Compare(number, run.offset(), length(run), digests));
        return true;
    }

    /**
     * The peer has compared.
     *
     * @return whether it tells of nothing but what it was asked
     */
    boolean differing(LiveMessage.Differing message) {
        var run = sent.remove(message.number());
        if (run == null) {
            return true;
        }
        if (!message.isPartOf(run)) {
            return false;
        }
        desk.outOfSync(message.runs());
        long found = count(message.runs());
        progress = progress.map(now ->
                new LiveStatus.Verify(now.comparedBlocks() + run.count(), now.outOfSyncBlocks() + found, now.state()));
        desk.moved(1);
        return true;
    }

    private static long count(List<Run> runs) {
        return runs.stream().mapToLong(Run::count).sum();
    }
}
