package io.tidemark.replication;

import io.tidemark.domain.Moment;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.ProtocolVersion;
import io.tidemark.spi.RecoveryPointId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One scheduled synchronisation as the target sees it: {@code (state, input) -> (state, effects)}. Immutable.
 *
 * @param syncFrames frames after which the log is synced
 * @param versions that this side speaks
 * @param purpose that the source has named
 * @param received what arrived and was appended
 * @param asked what the log has been asked to make durable; the answers may come while more arrives
 * @param durable what of it is in the log for good, and acknowledged
 */
public record TargetSync(
        TargetState state,
        String software,
        int syncFrames,
        ProtocolVersion.Range versions,
        Message.Purpose purpose,
        Optional<Message.Offer> offer,
        boolean byDigest,
        IngestTotals received,
        IngestTotals asked,
        IngestTotals durable,
        Optional<RecoveryPointId> point) {

    /** Payload between two syncs of the log: a quarter of the source's window, so that the stream never stands still. */
    public static final long SYNC_BYTES = 8L << 20;

    /** Frames between two syncs, for transfers of zeros. */
    public static final int SYNC_FRAMES = 256;

    /** The state after, and what to do now. */
    public record Step(TargetSync sync, List<TargetEffect> effects) {
        public Step {
            effects = List.copyOf(effects);
        }
    }

    /** A connection was made. */
    public static TargetSync of(String software) {
        return of(software, SYNC_FRAMES, ProtocolVersion.SPOKEN);
    }

    /**
     * @param syncFrames {@link #SYNC_FRAMES} but in a simulation, where transfers are small
     * @param versions {@link ProtocolVersion#SPOKEN} but in a simulation of several versions
     */
    public static TargetSync of(String software, int syncFrames, ProtocolVersion.Range versions) {
        return new TargetSync(
                TargetState.NEW,
                software,
                syncFrames,
                versions,
                Message.Purpose.SYNC,
                Optional.empty(),
                false,
                IngestTotals.NOTHING,
                IngestTotals.NOTHING,
                IngestTotals.NOTHING,
                Optional.empty());
    }

    /** Bytes that arrived and would be lost if this host died now. */
    public long unsyncedBytes() {
        return received.payloadBytes() - durable.payloadBytes();
    }

    /** Whether what stands in the way is overwritten, as its user has asked for. */
    public boolean resync() {
        return purpose == Message.Purpose.RESYNC;
    }

    public Step step(TargetInput input) {
        if (state.ended()) {
            return new Step(this, List.of());
        }
        return switch (input) {
            case TargetInput.Looked looked -> looked(looked.view());
            case TargetInput.LogSynced synced ->
                go(TargetEvent.LOG_SYNCED)
                        .durable(synced.durable())
                        .with(reached(Moment.INGEST_PARTLY_SYNCED), send(new Message.Acknowledged(synced.durable())));
            case TargetInput.CommitDurable _ ->
                go(TargetEvent.COMMIT_DURABLE).with(reached(Moment.INGEST_COMMITTED), new TargetEffect.ApplyLog());
            case TargetInput.CommitFound found ->
                go(TargetEvent.COMMIT_FOUND).point(found.point()).with(new TargetEffect.ApplyLog());
            case TargetInput.StepDone _ -> stepDone();
            case TargetInput.LinkLost lost ->
                state.committed()
                        ? go(TargetEvent.LINK_LOST).with()
                        : go(TargetEvent.LINK_LOST).with(new TargetEffect.Fail(lost.error()));
            case TargetInput.Failed failed -> refuse(failed.error());
            case TargetInput.Received received -> received(received.message());
        };
    }

    private Step received(Message message) {
        var event = eventOf(message);
        if (event == null || TargetTransitions.next(state, event).isEmpty()) {
            return refuse(
                    new ReplicationError.CorruptFrame("%s has no meaning in %s".formatted(message.type(), state)));
        }
        return switch (message) {
            case Message.Hello hello -> greeted(hello);
            case Message.Offer offered -> go(TargetEvent.OFFERED).offer(offered).with(new TargetEffect.Look(offered));
            case Message.DigestsWanted wanted -> digestsWanted(wanted);
            case Message.Blocks blocks -> blocks(blocks);
            case Message.Commit commit -> commit(commit);
            case Message.Refused refused -> go(TargetEvent.LINK_LOST).with(new TargetEffect.Fail(refused.error()));
            default -> throw new AssertionError("no transition is made for " + message.type());
        };
    }

    private static @Nullable TargetEvent eventOf(Message message) {
        return switch (message) {
            case Message.Hello _ -> TargetEvent.GREETED;
            case Message.Offer _ -> TargetEvent.OFFERED;
            case Message.DigestsWanted _ -> TargetEvent.DIGESTS_WANTED;
            case Message.Blocks _ -> TargetEvent.BLOCKS_ARRIVED;
            case Message.Commit _ -> TargetEvent.COMMIT_ARRIVED;
            case Message.Refused _ -> TargetEvent.LINK_LOST;
            default -> null;
        };
    }

    private Step greeted(Message.Hello hello) {
        var version = versions.common(hello.oldestVersion(), hello.newestVersion());
        if (version.isEmpty()) {
            return refuse(new ReplicationError.ProtocolMismatch(
                    versions.toString(), ProtocolVersion.text(hello.oldestVersion(), hello.newestVersion())));
        }
        return go(TargetEvent.GREETED)
                .purpose(hello.purpose())
                .with(send(new Message.Welcome(version.get(), software)));
    }

    private Step looked(TargetView view) {
        var offered = offer.orElseThrow();
        var plan = SyncPlan.of(offered, view, resync());
        return switch (plan) {
            case SyncPlan.There there ->
                go(TargetEvent.THERE_ALREADY)
                        .with(
                                send(new Message.Accept(true, there.newest(), Optional.empty(), IngestTotals.NOTHING)),
                                new TargetEffect.Finish());
            case SyncPlan.Refuse refused -> refuse(refused.error());
            case SyncPlan.Build build -> {
                var resume = purpose == Message.Purpose.SYNC_ANEW ? Optional.<IngestTotals>empty() : build.resume();
                var from = resume.orElse(IngestTotals.NOTHING);
                var log = resume.isPresent()
                        ? new TargetEffect.ReopenLog(from, build.direct())
                        : new TargetEffect.StartLog(offered, build.base(), build.direct());
                var receiving = go(TargetEvent.PLANNED)
                        .begin(offered.point(), build.base().isEmpty() && !offered.stream(), from);
                var effects = new ArrayList<TargetEffect>();
                if (resync() && resume.isEmpty()) {
                    effects.add(new TargetEffect.KeepContent());
                    effects.add(reached(Moment.RESYNC_KEPT));
                }
                effects.add(log);
                effects.add(reached(Moment.INGEST_STARTED));
                effects.add(send(new Message.Accept(false, false, build.base(), from)));
                yield new Step(receiving, effects);
            }
        };
    }

    private Step digestsWanted(Message.DigestsWanted wanted) {
        long volume = offer.orElseThrow().volumeBytes();
        boolean inside = wanted.offsetBytes() <= volume - wanted.lengthBytes();
        if (!byDigest || !inside || wanted.lengthBytes() == 0 || wanted.offsetBytes() % SourceSync.BLOCK_BYTES != 0) {
            return refuse(new ReplicationError.CorruptFrame(
                    "digests of %d bytes at %d".formatted(wanted.lengthBytes(), wanted.offsetBytes())));
        }
        return with(new TargetEffect.AnswerDigests(wanted));
    }

    private Step blocks(Message.Blocks blocks) {
        var offered = offer.orElseThrow();
        long end = received.throughBytes();
        for (var extent : blocks.extents()) {
            if (!fits(extent, end, offered)) {
                return refuse(new ReplicationError.CorruptFrame("blocks at %d+%d: out of order, unaligned or outside"
                        .formatted(extent.offsetBytes(), extent.lengthBytes())));
            }
            end = extent.endBytes();
        }
        var now = received.plus(blocks);
        boolean sync = now.payloadBytes() - asked.payloadBytes() >= SYNC_BYTES
                || now.frameCount() - asked.frameCount() >= syncFrames;
        var append = new TargetEffect.Append(blocks);
        List<TargetEffect> effects = sync ? List.of(append, new TargetEffect.SyncLog(now)) : List.of(append);
        return new Step(
                new TargetSync(
                        state,
                        software,
                        syncFrames,
                        versions,
                        purpose,
                        offer,
                        byDigest,
                        now,
                        sync ? now : asked,
                        durable,
                        point),
                effects);
    }

    private static boolean fits(BlockExtent extent, long fromBytes, Message.Offer offered) {
        if (extent.endBytes() > offered.volumeBytes()) {
            return false;
        }
        if (offered.stream()) {
            return extent.offsetBytes() == fromBytes && !extent.zero();
        }
        boolean aligned = extent.offsetBytes() % SourceSync.BLOCK_BYTES == 0
                && (extent.lengthBytes() % SourceSync.BLOCK_BYTES == 0 || extent.endBytes() == offered.volumeBytes());
        return aligned && extent.offsetBytes() >= fromBytes;
    }

    private Step commit(Message.Commit commit) {
        if (!commit.totals().equals(received)) {
            return refuse(new ReplicationError.ChecksumMismatch(
                    point.orElseThrow(), commit.totals().chainHex(), received.chainHex()));
        }
        return go(TargetEvent.COMMIT_ARRIVED).with(new TargetEffect.WriteCommit(commit));
    }

    private Step stepDone() {
        var rp = point.orElseThrow();
        return switch (state) {
            case APPLYING ->
                go(TargetEvent.APPLIED).with(reached(Moment.INGEST_APPLIED), new TargetEffect.CutSnapshot(rp));
            case CUTTING ->
                go(TargetEvent.CUT).with(reached(Moment.TARGET_SNAPSHOT_CUT), new TargetEffect.HoldSnapshot(rp));
            case HOLDING -> go(TargetEvent.HELD).with(new TargetEffect.RecordPoint(rp));
            case RECORDING ->
                go(TargetEvent.RECORDED).with(reached(Moment.TARGET_RECORDED), new TargetEffect.LetGoOfOlder(rp));
            case MOVING_HOLDS -> go(TargetEvent.HOLDS_MOVED).with(new TargetEffect.ClearLog());
            case CLEARING -> go(TargetEvent.CLEARED).with(send(new Message.Committed(rp)), new TargetEffect.Finish());
            case NEW, GREETED, LOOKING, RECEIVING, COMMITTING, DONE, FAILED ->
                throw new IllegalStateException("no step is in work in " + state);
        };
    }

    private Step refuse(ReplicationError error) {
        return go(TargetEvent.REFUSED).with(send(new Message.Refused(error)), new TargetEffect.Fail(error));
    }

    /** @throws IllegalStateException when the host answers what was not asked: a bug on this side */
    private TargetSync go(TargetEvent event) {
        var next = TargetTransitions.next(state, event)
                .orElseThrow(() -> new IllegalStateException("%s has no meaning in %s".formatted(event, state)));
        return new TargetSync(
                next, software, syncFrames, versions, purpose, offer, byDigest, received, asked, durable, point);
    }

    private TargetSync purpose(Message.Purpose named) {
        return new TargetSync(
                state, software, syncFrames, versions, named, offer, byDigest, received, asked, durable, point);
    }

    private TargetSync durable(IngestTotals totals) {
        return new TargetSync(
                state, software, syncFrames, versions, purpose, offer, byDigest, received, asked, totals, point);
    }

    private TargetSync begin(RecoveryPointId wanted, boolean digests, IngestTotals from) {
        return new TargetSync(
                state, software, syncFrames, versions, purpose, offer, digests, from, from, from, Optional.of(wanted));
    }

    private TargetSync offer(Message.Offer offered) {
        return new TargetSync(
                state,
                software,
                syncFrames,
                versions,
                purpose,
                Optional.of(offered),
                byDigest,
                received,
                asked,
                durable,
                point);
    }

    private TargetSync point(RecoveryPointId found) {
        return new TargetSync(
                state,
                software,
                syncFrames,
                versions,
                purpose,
                offer,
                byDigest,
                received,
                asked,
                durable,
                Optional.of(found));
    }

    private Step with(TargetEffect... effects) {
        return new Step(this, List.of(effects));
    }

    private static TargetEffect send(Message message) {
        return new TargetEffect.Send(message);
    }

    private static TargetEffect reached(Moment moment) {
        return new TargetEffect.Reached(moment);
    }
}
