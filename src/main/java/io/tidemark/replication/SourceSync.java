package io.tidemark.replication;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moment;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.ProtocolVersion;
import io.tidemark.replication.protocol.SyncCost;
import io.tidemark.spi.RecoveryPointId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One scheduled synchronisation as the source sees it: {@code (state, input) -> (state, effects)}. Immutable. Reads no
 * clock: how long to wait for whom is its host's business, who then tells it {@link SourceInput.Failed}.
 */
public record SourceSync(
        Task task,
        SourceState state,
        Optional<RecoveryPointId> base,
        boolean byDigest,
        IngestTotals resumed,
        IngestTotals sent,
        IngestTotals durable,
        long digestsAskedBytes,
        int spansAsked,
        int spansQueued,
        boolean reading,
        SyncCost cost,
        Optional<ReplicationError> failure) {

    /**
     * Payload sent and not yet durable at the target: fills a 10 Gbit/s link with 40 ms of delay and syncs together.
     * With a frame more it is what a cut may make to be sent again, which 64 MiB bound.
     */
    public static final long WINDOW_BYTES = 48L << 20;

    /** Frames likewise; bounds transfers of zeros, whose frames are small. Four times the target's habit of syncing. */
    public static final int WINDOW_FRAMES = 1_024;

    /** Spans of digests asked ahead: the target reads and hashes while the source compares. 64 MiB of volume. */
    public static final int SPANS_AHEAD = 4;

    static final int BLOCK_BYTES = 4 << 10;

    /**
     * What is to be done.
     *
     * @param candidates newest first, without the point itself
     * @param volumeBytes {@link Message.Offer#STREAM_BYTES} where the storage's own stream of the snapshot is sent
     * @param metadata of the recovery point, JSON
     * @param purpose SYNC, SYNC_ANEW or RESYNC
     */
    public record Task(
            LinkId link,
            RecoveryPointId point,
            List<RecoveryPointId> candidates,
            long volumeBytes,
            String metadata,
            String software,
            Message.Purpose purpose,
            Terms terms) {
        public Task {
            candidates = candidates.stream()
                    .filter(candidate -> !candidate.equals(point))
                    .limit(Message.Offer.CANDIDATES_MAXIMUM)
                    .toList();
        }

        /** A synchronisation that overwrites nothing. */
        public Task(
                LinkId link,
                RecoveryPointId point,
                List<RecoveryPointId> candidates,
                long volumeBytes,
                String metadata,
                String software) {
            this(link, point, candidates, volumeBytes, metadata, software, Message.Purpose.SYNC, Terms.USUAL);
        }

        /** The same, and nothing that an interrupted try left is gone on with. */
        public Task anew() {
            return new Task(link, point, candidates, volumeBytes, metadata, software, Message.Purpose.SYNC_ANEW, terms);
        }

        boolean stream() {
            return volumeBytes == Message.Offer.STREAM_BYTES;
        }

        int blockBytes() {
            return stream() ? Message.Offer.STREAM_BLOCK_BYTES : BLOCK_BYTES;
        }

        /** What there is to send, as far as it is known; 0: it is not. */
        public long progressBytes() {
            return stream() ? 0 : volumeBytes;
        }
    }

    /**
     * What a synchronisation keeps to. Others than the usual ones are for a simulation, whose transfers are small and
     * whose hosts are of several versions.
     *
     * @param windowFrames frames sent and not yet durable at the target; more than the target takes between two syncs
     * @param spanBytes asked for by digest at once; whole blocks
     */
    public record Terms(ProtocolVersion.Range versions, int windowFrames, int spanBytes) {
        public static final Terms USUAL =
                new Terms(ProtocolVersion.SPOKEN, WINDOW_FRAMES, Message.DigestsWanted.LENGTH_BYTES_MAXIMUM);
    }

    /** The state after, and what to do now. */
    public record Step(SourceSync sync, List<SourceEffect> effects) {
        public Step {
            effects = List.copyOf(effects);
        }
    }

    public static SourceSync of(Task task) {
        return new SourceSync(
                task,
                SourceState.NEW,
                Optional.empty(),
                false,
                IngestTotals.NOTHING,
                IngestTotals.NOTHING,
                IngestTotals.NOTHING,
                0,
                0,
                0,
                false,
                SyncCost.NONE,
                Optional.empty());
    }

    /** Payload bytes the target may lose if it dies now; never above {@link #WINDOW_BYTES} and a frame. */
    public long inFlightBytes() {
        return sent.payloadBytes() - durable.payloadBytes();
    }

    public Step step(SourceInput input) {
        if (state.ended()) {
            return new Step(this, List.of());
        }
        var event = eventOf(input);
        var next = event == null ? Optional.<SourceState>empty() : SourceTransitions.next(state, event);
        if (next.isEmpty()) {
            String what = input instanceof SourceInput.Received received
                    ? received.message().type().toString()
                    : input.getClass().getSimpleName();
            return fail(new ReplicationError.CorruptFrame("%s has no meaning in %s".formatted(what, state)));
        }
        return switch (input) {
            case SourceInput.Start _ -> to(next.get(), new SourceEffect.Connect());
            case SourceInput.Connected _ ->
                to(
                        next.get(),
                        send(new Message.Hello(
                                task.terms().versions().oldest(),
                                task.terms().versions().newest(),
                                task.purpose(),
                                task.software())));
            case SourceInput.Held _ -> to(next.get(), reached(Moment.SYNC_BASE_HELD), send(offer()));
            case SourceInput.BlocksRead blocks -> send(blocks);
            case SourceInput.NothingLeft end -> nothingLeft(end.cost());
            case SourceInput.HoldsMoved _ -> holdsMoved(next.get());
            case SourceInput.Failed failed -> fail(failed.error());
            case SourceInput.Received received -> received(next.get(), received.message());
        };
    }

    private @Nullable SourceEvent eventOf(SourceInput input) {
        return switch (input) {
            case SourceInput.Start _ -> SourceEvent.STARTED;
            case SourceInput.Connected _ -> SourceEvent.CONNECTED;
            case SourceInput.Held _ -> SourceEvent.HELD;
            case SourceInput.BlocksRead _ -> SourceEvent.BLOCKS_READ;
            case SourceInput.NothingLeft _ ->
                byDigest && !lastSpan() ? SourceEvent.SPAN_ENDED : SourceEvent.IMAGE_ENDED;
            case SourceInput.HoldsMoved _ -> SourceEvent.HOLDS_MOVED;
            case SourceInput.Failed _ -> SourceEvent.FAILED;
            case SourceInput.Received received -> eventOf(received.message());
        };
    }

    private @Nullable SourceEvent eventOf(Message message) {
        return switch (message) {
            case Message.Welcome _ -> SourceEvent.WELCOMED;
            case Message.Accept accept -> accept.there() ? SourceEvent.THERE_ALREADY : SourceEvent.ACCEPTED;
            case Message.Digests _ -> SourceEvent.DIGESTS_ARRIVED;
            case Message.Acknowledged _ -> SourceEvent.ACKNOWLEDGED;
            case Message.Committed _ -> SourceEvent.COMMITTED;
            case Message.Refused refused ->
                state == SourceState.OFFERED && isConflict(refused.error()) ? SourceEvent.CONFLICT : SourceEvent.FAILED;
            default -> null;
        };
    }

    /** The target has looked, wholly, and does not have the recovery point. */
    private static boolean isConflict(ReplicationError error) {
        return error instanceof ReplicationError.NoCommonBase
                || error instanceof ReplicationError.Diverged
                || error instanceof ReplicationError.TargetWritten
                || error instanceof ReplicationError.TargetSmaller;
    }

    private Step received(SourceState next, Message message) {
        return switch (message) {
            case Message.Welcome welcome -> welcomed(next, welcome);
            case Message.Accept accept -> accept.there() ? thereAlready(next, accept) : accepted(next, accept);
            case Message.Digests digests -> digests(digests);
            case Message.Acknowledged acknowledged -> acknowledged(acknowledged.durable());
            case Message.Committed committed ->
                committed.point().equals(task.point())
                        ? to(next, reached(Moment.SYNC_ACKNOWLEDGED), new SourceEffect.MoveHolds(task.candidates()))
                        : fail(new ReplicationError.CorruptFrame("committed is " + committed.point()));
            case Message.Refused refused -> refused(next, refused.error());
            default -> throw new AssertionError("no transition is made for " + message.type());
        };
    }

    private Step welcomed(SourceState next, Message.Welcome welcome) {
        var ours = task.terms().versions();
        if (!ours.contains(welcome.version())) {
            return fail(new ReplicationError.ProtocolMismatch(ours.toString(), Integer.toString(welcome.version())));
        }
        return to(next, reached(Moment.SYNC_CONNECTED), new SourceEffect.Hold(task.point()));
    }

    private Message.Offer offer() {
        return new Message.Offer(
                task.link(), task.point(), task.candidates(), task.volumeBytes(), task.blockBytes(), task.metadata());
    }

    private Step thereAlready(SourceState next, Message.Accept accept) {
        // An older one that was asked for again: the newer ones keep their holds, this one needs none.
        var letGo = accept.newest() ? task.candidates() : List.of(task.point());
        return to(next, new SourceEffect.MoveHolds(letGo));
    }

    private Step accepted(SourceState next, Message.Accept accept) {
        if (accept.base().isPresent()
                && !task.candidates().contains(accept.base().get())) {
            return fail(new ReplicationError.CorruptFrame(
                    "base was not offered: " + accept.base().get()));
        }
        long from = accept.resume().throughBytes();
        if (from > task.volumeBytes()) {
            return fail(new ReplicationError.CorruptFrame("resumes past the end at " + from));
        }
        // The target stands at the base. Whatever else an interrupted try held, nothing depends on it now.
        var letGo = accept.base().isEmpty()
                ? List.<RecoveryPointId>of()
                : task.candidates().stream()
                        .filter(candidate -> !candidate.equals(accept.base().get()))
                        .toList();
        var sending = new SourceSync(
                task,
                next,
                accept.base(),
                accept.base().isEmpty() && !task.stream(),
                accept.resume(),
                accept.resume(),
                accept.resume(),
                from,
                0,
                0,
                false,
                cost,
                failure);
        return sending.pump(List.of(new SourceEffect.OpenImage(accept.base(), letGo, from)));
    }

    private Step digests(Message.Digests digests) {
        if (!byDigest || spansAsked == 0) {
            return fail(new ReplicationError.CorruptFrame("digests that nobody asked for"));
        }
        return with(sent, durable, digestsAskedBytes, spansAsked - 1, spansQueued + 1, reading, cost)
                .pump(List.of(new SourceEffect.UseDigests(digests)));
    }

    private Step acknowledged(IngestTotals through) {
        if (through.payloadBytes() < durable.payloadBytes() || through.frameCount() > sent.frameCount()) {
            return fail(new ReplicationError.CorruptFrame("acknowledged is what was not sent"));
        }
        return with(sent, through, digestsAskedBytes, spansAsked, spansQueued, reading, cost)
                .pump(List.of());
    }

    private Step send(SourceInput.BlocksRead read) {
        var blocks = new Message.Blocks(read.extents(), read.data());
        var totals = sent.plus(blocks);
        return with(totals, durable, digestsAskedBytes, spansAsked, spansQueued, false, cost)
                .pump(List.of(send(blocks), reached(Moment.SYNC_PARTLY_SENT)));
    }

    private boolean lastSpan() {
        return digestsAskedBytes >= task.volumeBytes() && spansAsked == 0 && spansQueued <= 1;
    }

    private Step nothingLeft(SyncCost now) {
        if (byDigest && !lastSpan()) {
            return with(sent, durable, digestsAskedBytes, spansAsked, spansQueued - 1, false, now)
                    .pump(List.of());
        }
        var committing = new SourceSync(
                task,
                SourceState.COMMITTING,
                base,
                byDigest,
                resumed,
                sent,
                durable,
                digestsAskedBytes,
                0,
                0,
                false,
                now,
                failure);
        return new Step(committing, List.of(send(new Message.Commit(sent, now)), reached(Moment.SYNC_COMMIT_SENT)));
    }

    private Step holdsMoved(SourceState next) {
        return next == SourceState.DONE
                ? to(next, reached(Moment.SYNC_OLD_BASE_RELEASED), new SourceEffect.Finish())
                : to(next, new SourceEffect.Fail(failure.orElseThrow()));
    }

    private Step refused(SourceState next, ReplicationError error) {
        if (next != SourceState.LETTING_GO) {
            return fail(error);
        }
        var remembered = new SourceSync(
                task,
                next,
                base,
                byDigest,
                resumed,
                sent,
                durable,
                digestsAskedBytes,
                spansAsked,
                spansQueued,
                reading,
                cost,
                Optional.of(error));
        return new Step(remembered, List.of(new SourceEffect.MoveHolds(List.of(task.point()))));
    }

    /** Adds what can be asked and read now, within the windows. */
    private Step pump(List<SourceEffect> first) {
        if (state != SourceState.SENDING) {
            return new Step(this, first);
        }
        var effects = new ArrayList<>(first);
        long asked = digestsAskedBytes;
        int asking = spansAsked;
        while (byDigest && asked < task.volumeBytes() && asking + spansQueued < SPANS_AHEAD) {
            int length = (int) Math.min(task.terms().spanBytes(), task.volumeBytes() - asked);
            effects.add(send(new Message.DigestsWanted(asked, length)));
            asked += length;
            asking++;
        }
        boolean windowOpen = inFlightBytes() < WINDOW_BYTES
                && sent.frameCount() - durable.frameCount() < task.terms().windowFrames();
        boolean somethingToRead = !byDigest || spansQueued > 0 || (asked >= task.volumeBytes() && asking == 0);
        boolean read = !reading && windowOpen && somethingToRead;
        if (read) {
            effects.add(new SourceEffect.ReadBlocks());
        }
        return new Step(with(sent, durable, asked, asking, spansQueued, reading || read, cost), effects);
    }

    private SourceSync with(
            IngestTotals newSent,
            IngestTotals newDurable,
            long newAskedBytes,
            int newAsked,
            int newQueued,
            boolean newReading,
            SyncCost newCost) {
        return new SourceSync(
                task,
                state,
                base,
                byDigest,
                resumed,
                newSent,
                newDurable,
                newAskedBytes,
                newAsked,
                newQueued,
                newReading,
                newCost,
                failure);
    }

    private Step to(SourceState next, SourceEffect... effects) {
        return new Step(
                new SourceSync(
                        task,
                        next,
                        base,
                        byDigest,
                        resumed,
                        sent,
                        durable,
                        digestsAskedBytes,
                        spansAsked,
                        spansQueued,
                        reading,
                        cost,
                        failure),
                List.of(effects));
    }

    private Step fail(ReplicationError error) {
        return to(SourceState.FAILED, new SourceEffect.Fail(error));
    }

    private static SourceEffect send(Message message) {
        return new SourceEffect.Send(message);
    }

    private static SourceEffect reached(Moment moment) {
        return new SourceEffect.Reached(moment);
    }
}
