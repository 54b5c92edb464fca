package io.tidemark.replication.live;

import io.tidemark.replication.live.DirtyBitmap.Run;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The source of a resync, beside new writes. A block that is read for it is not written before it has been sent, and one
 * that is written is not read, so that the target gets the newer one last.
 */
final class ResyncSource {
    private final Desk desk;
    private final PrimaryPath primary;
    private final Map<Long, Run> reading = new HashMap<>();
    private final Deque<Sent> sent = new ArrayDeque<>();
    /** What the target has compared and lacks: to be sent as it is. */
    private final Deque<Run> lacking = new ArrayDeque<>();
    /** The same by the number of what was compared, until what is not lacking is durable there. */
    private final Map<Long, List<Run>> answers = new HashMap<>();

    private ResyncPace pace;
    private Optional<Run> claimed = Optional.empty();
    /** New writes wait where the first that is lacking lies. */
    private boolean isLackingClaimed;

    private Stage stage = Stage.NONE;
    private long flush;
    private long cursor;
    /** Dirty when the first was read. */
    private long begunBlocks;

    /**
     * @param isAsked it went out as digests: what the target has of it is known when it has answered
     */
    private record Sent(long number, Run run, boolean isAsked) {}

    private enum Stage {
        NONE,
        /** For the target's dirty bits. */
        WAITING,
        /** For writes that were given to the disk without the peer. */
        SETTLING,
        /** What was written before must be durable before the peer has it: else a crash here would leave it newer. */
        FLUSHING,
        SENDING,
        FINISHED
    }

    ResyncSource(Desk desk, PrimaryPath primary) {
        this.desk = desk;
        this.primary = primary;
        pace = new ResyncPace(desk.settings.resyncRate());
    }

    /** None is under way. */
    void settingsChanged() {
        pace = new ResyncPace(desk.settings.resyncRate());
    }

    boolean isReading(long offset, int length) {
        return (!reading.isEmpty() && reading.values().stream().anyMatch(run -> lies(run, offset, length)))
                || claimed.filter(run -> lies(run, offset, length)).isPresent()
                || (isLackingClaimed && lies(lacking.getFirst(), offset, length));
    }

    private boolean lies(Run run, long offset, int length) {
        return run.offset() < offset + length && offset < run.offset() + bytes(run);
    }

    void begin() {
        stage = Stage.WAITING;
        cursor = 0;
    }

    void lost() {
        stage = Stage.NONE;
        reading.clear();
        sent.clear();
        isLackingClaimed = false;
        lacking.clear();
        answers.clear();
        claimed = Optional.empty();
    }

    void dirty(LiveMessage.Dirty message) {
        if (stage != Stage.WAITING) {
            return;
        }
        for (var run : message.runs()) {
            desk.metadata.bitmap.mark(run.offset(), bytes(run));
            desk.isCounted = false;
        }
        if (message.isLast()) {
            stage = Stage.SETTLING;
        }
    }

    void advance() {
        if (stage == Stage.SETTLING && !primary.isWritingAlone()) {
            stage = Stage.FLUSHING;
            flush = primary.flushes().ask();
        }
        if (stage == Stage.FLUSHING && primary.flushes().isDone(flush)) {
            stage = Stage.SENDING;
            begunBlocks = desk.metadata.bitmap.dirtyBlocks();
            pace.begin(desk.now, desk.clientBytes);
        }
        if (stage != Stage.SENDING) {
            return;
        }
        pace.at(desk.now, desk.clientBytes);
        while (hasRoom() && readNext()) {}
        if (desk.metadata.bitmap.dirtyBlocks() == 0 && reading.isEmpty() && sent.isEmpty()) {
            stage = Stage.FINISHED;
            desk.isShared = true;
            desk.isBroughtUp = true;
            desk.metadata.want(desk.metadata.wanted().broughtUp());
            desk.send(new LiveMessage.Finished(
                    desk.nextNumber(), desk.metadata.wanted().generations()));
        }
    }

    /** From the first block that is read to the end; empty at other times. */
    Optional<LiveFigures.Resync> figures() {
        if (stage != Stage.SENDING && stage != Stage.FINISHED) {
            return Optional.empty();
        }
        long left = desk.metadata.bitmap.dirtyBlocks();
        return Optional.of(new LiveFigures.Resync(Math.max(0, begunBlocks - left), left));
    }

    /** What writes already wait for is read whatever the pace. */
    private boolean hasRoom() {
        return reading.size() + sent.size() < desk.settings.resyncWindow()
                && (pace.isOpen() || claimed.isPresent() || isLackingClaimed);
    }

    private boolean readNext() {
        var next = lacking.peekFirst();
        if (next != null) {
            // No new write begins there meanwhile: its turn comes.
            isLackingClaimed = primary.isWriting(next.offset(), (int) bytes(next));
            if (isLackingClaimed) {
                return false;
            }
            read(lacking.removeFirst(), false);
            return true;
        }
        return readDirty();
    }

    /** From the cursor on, and once round. */
    private boolean readDirty() {
        var bitmap = desk.metadata.bitmap;
        for (int round = 0; round < 2; round++) {
            for (var run = bitmap.next(cursor, desk.settings.resyncBlocks());
                    run.isPresent();
                    run = bitmap.next(cursor, desk.settings.resyncBlocks())) {
                cursor = run.get().first() + run.get().count();
                if (isFree(run.get())) {
                    read(run.get(), desk.settings.isComparing());
                    return true;
                }
            }
            cursor = 0;
        }
        return claim();
    }

    /** All that is left is being written, again and again: one run is kept free of new writes until its turn. */
    private boolean claim() {
        if (claimed.isEmpty() && reading.isEmpty() && sent.isEmpty()) {
            claimed = desk.metadata.bitmap.next(0, desk.settings.resyncBlocks());
        }
        var ready = claimed.filter(run -> !primary.isWriting(run.offset(), (int) bytes(run)));
        ready.ifPresent(run -> {
            claimed = Optional.empty();
            read(run, desk.settings.isComparing());
        });
        return ready.isPresent();
    }

    private boolean isFree(Run run) {
        return !primary.isWriting(run.offset(), (int) bytes(run))
                && !isReading(run.offset(), (int) bytes(run))
                && lacking.stream().noneMatch(run::overlaps)
                && sent.stream().noneMatch(each -> each.run().overlaps(run));
    }

    private void read(Run run, boolean isAsked) {
        long work = desk.nextWork();
        reading.put(work, run);
        int length = (int) bytes(run);
        pace.asked(length);
        desk.emit(
                isAsked
                        ? new LiveEffect.ReadDigests(work, run.offset(), length)
                        : new LiveEffect.ReadVolume(work, run.offset(), length, true));
    }

    /** Of a run of a whole volume, too: only those that are read are short. */
    private long bytes(Run run) {
        return run.bytes(desk.settings.sizeBytes());
    }

    /** @return whether it was read for the resync */
    boolean read(long work, Payload data) {
        var run = reading.remove(work);
        if (run == null) {
            return false;
        }
        long number = desk.nextNumber();
        sent.add(new Sent(number, run, false));
        desk.send(new LiveMessage.Block(number, run.offset(), (int) bytes(run), data));
        return true;
    }

    /** @return whether they were read for the resync */
    boolean read(long work, Digests digests) {
        var run = reading.remove(work);
        if (run == null) {
            return false;
        }
        long number = desk.nextNumber();
        sent.add(new Sent(number, run, true));
        desk.send(new LiveMessage.Compare(number, run.offset(), (int) bytes(run), digests));
        return true;
    }

    /**
     * The target has compared; its word that what is the same is durable comes after this.
     *
     * @return whether it tells of nothing but what it was asked
     */
    boolean differing(LiveMessage.Differing message) {
        var asked = sent.stream()
                .filter(each -> each.isAsked() && each.number() == message.number())
                .findFirst();
        if (asked.isEmpty()) {
            return true;
        }
        if (!message.isPartOf(asked.get().run())) {
            return false;
        }
        answers.put(message.number(), message.runs());
        lacking.addAll(message.runs());
        desk.moved(1);
        return true;
    }

    /**
     * @return whether the target had answered all that it confirms
     */
    boolean confirmed(long upTo) {
        while (!sent.isEmpty() && sent.peekFirst().number() <= upTo) {
            var done = sent.removeFirst();
            pace.confirmed(bytes(done.run()));
            var kept = done.isAsked() ? answers.remove(done.number()) : List.<Run>of();
            if (kept == null) {
                return false;
            }
            clear(done.run(), kept);
        }
        return true;
    }

    /**
     * @param kept parts of it that stay dirty, in order
     */
    private void clear(Run run, List<Run> kept) {
        long end = run.first() + run.count();
        long from = run.first();
        for (int part = 0; part <= kept.size(); part++) {
            long to = part == kept.size() ? end : kept.get(part).first();
            if (to > from) {
                var same = new Run(from, (int) (to - from));
                desk.metadata.bitmap.clear(same.offset(), bytes(same));
            }
            from = part == kept.size() ? end : to + kept.get(part).count();
        }
    }

    void inStep() {
        if (stage != Stage.FINISHED) {
            return;
        }
        stage = Stage.NONE;
        var metadata = desk.metadata;
        var kept = metadata.wanted().with(metadata.wanted().generations().inStepWith(desk.settings.peer()));
        desk.isMarked = false;
        metadata.want(kept.primary(kept.wasPrimary() && desk.role == Role.PRIMARY));
        desk.differs = false;
        desk.replication = ReplicationState.ESTABLISHED;
        primary.caughtUp();
    }
}
