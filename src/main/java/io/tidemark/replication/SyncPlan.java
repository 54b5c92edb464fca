package io.tidemark.replication;

import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.ProtocolVersion;
import io.tidemark.spi.RecoveryPointId;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What a target makes of an offer. Pure: the whole decision is in {@link #decide}. */
public sealed interface SyncPlan {

    /** @param newest whether the volume stands at it */
    record There(boolean newest) implements SyncPlan {}

    /**
     * @param base empty: blocks are told by digest
     * @param direct whether blocks go straight to the volume: it has no recovery point that could be harmed
     * @param resume what an interrupted transfer left that still fits; nothing of a direct one
     */
    record Build(Optional<RecoveryPointId> base, boolean direct, Optional<IngestTotals> resume) implements SyncPlan {}

    record Refuse(ReplicationError error) implements SyncPlan {}

    /** As the offer's content goes: blocks or a stream. */
    static SyncPlan of(Message.Offer offer, TargetView target, boolean resync) {
        if (offer.stream()) {
            if (offer.volumeBytes() != Message.Offer.STREAM_BYTES) {
                return refuse(new ReplicationError.CorruptFrame(
                        "a stream is offered with %d bytes".formatted(offer.volumeBytes())));
            }
            return resync ? decideStreamResync(offer, target) : decideStream(offer, target);
        }
        return resync ? decideResync(offer, target) : decide(offer, target);
    }

    /**
     * Newest common base, or why there is none. The base is always the recovery point the volume stands at: blocks
     * that changed since another one would be missing. Where the source has lost that one but shares an older one, the
     * target is plainly behind on the same line, and blocks are told by digest.
     */
    static SyncPlan decide(Message.Offer offer, TargetView target) {
        if (offer.blockBytes() != SourceSync.BLOCK_BYTES) {
            return refuse(new ReplicationError.ProtocolMismatch(
                    ProtocolVersion.NEWEST + ", blocks of " + SourceSync.BLOCK_BYTES,
                    "blocks of " + offer.blockBytes()));
        }
        if (target.points().contains(offer.point())) {
            return new There(target.stands().equals(Optional.of(offer.point())));
        }
        if (target.volumeBytes() < offer.volumeBytes()) {
            return refuse(
                    new ReplicationError.TargetSmaller(target.volume(), target.volumeBytes(), offer.volumeBytes()));
        }
        var stands = target.stands();
        if (stands.isEmpty()) {
            return build(offer, target, Optional.empty(), true);
        }
        var conflict = conflict(offer, target, stands.get());
        return conflict.isPresent()
                ? conflict.get()
                : build(offer, target, stands.filter(offer.candidates()::contains), false);
    }

    /**
     * A stream builds upon what the volume stands at, or is whole, for a volume that has nothing. It always goes through
     * the log: the storage takes it when all of it is there.
     */
    private static SyncPlan decideStream(Message.Offer offer, TargetView target) {
        if (target.points().contains(offer.point())) {
            return new There(target.stands().equals(Optional.of(offer.point())));
        }
        var stands = target.stands();
        if (stands.isEmpty()) {
            return target.written().isPresent() ? written(target) : build(offer, target, Optional.empty(), false);
        }
        var conflict = conflict(offer, target, stands.get());
        if (conflict.isPresent()) {
            return conflict.get();
        }
        return offer.candidates().contains(stands.get())
                ? build(offer, target, stands, false)
                : refuse(new ReplicationError.NoCommonBase(offer.link(), offer.candidates(), List.of(stands.get())));
    }

    /** The newest that both have is built upon, wherever the volume stands: it is put to what comes of it. */
    private static SyncPlan decideStreamResync(Message.Offer offer, TargetView target) {
        if (standsAt(offer, target)) {
            return new There(true);
        }
        var common =
                offer.candidates().stream().filter(target.points()::contains).findFirst();
        return build(offer, target, common, false);
    }

    /** Whether nothing is to be done for it, not even by a resync. */
    private static boolean standsAt(Message.Offer offer, TargetView target) {
        return target.stands().equals(Optional.of(offer.point()))
                && target.points().contains(offer.point())
                && newest(offer, target, offer.point()).compareTo(offer.point()) <= 0
                && target.written().isEmpty();
    }

    /** Why a volume that stands at a recovery point is not made another one. */
    private static Optional<SyncPlan> conflict(Message.Offer offer, TargetView target, RecoveryPointId stands) {
        var common =
                offer.candidates().stream().filter(target.points()::contains).findFirst();
        if (common.isEmpty()) {
            return Optional.of(refuse(
                    new ReplicationError.NoCommonBase(offer.link(), offer.candidates(), newestFirst(target.points()))));
        }
        var newest = newest(offer, target, stands);
        boolean oursIsNewest = newest.compareTo(stands) <= 0;
        if (!oursIsNewest || (target.inStep().isEmpty() && !offer.candidates().contains(newest))) {
            return Optional.of(refuse(new ReplicationError.Diverged(offer.link(), common.get(), newest)));
        }
        return target.written().isPresent() ? Optional.of(written(target)) : Optional.empty();
    }

    private static SyncPlan written(TargetView target) {
        return refuse(new ReplicationError.TargetWritten(
                target.volume(), target.written().orElseThrow()));
    }

    /**
     * What an operator has asked for by name: the volume is made what the source offers, whatever is on it. By digest,
     * through the log, so that it is at what it has or at the offered recovery point, never between.
     */
    static SyncPlan decideResync(Message.Offer offer, TargetView target) {
        if (offer.blockBytes() != SourceSync.BLOCK_BYTES || target.volumeBytes() < offer.volumeBytes()) {
            return decide(offer, target);
        }
        if (standsAt(offer, target)) {
            return new There(true);
        }
        return build(offer, target, Optional.empty(), false);
    }

    /**
     * The one that could show a history of its own. Not one that the source has too: after a reversal ids come from two
     * clocks, and an older one may sort behind. Not one that was overruled.
     */
    private static RecoveryPointId newest(Message.Offer offer, TargetView target, RecoveryPointId stands) {
        boolean standing = target.inStep().isPresent();
        return target.points().stream()
                .filter(point -> !target.overruled().contains(point))
                .filter(point -> !standing || !offer.candidates().contains(point))
                .max(Comparator.naturalOrder())
                .orElse(stands);
    }

    private static SyncPlan build(
            Message.Offer offer, TargetView target, Optional<RecoveryPointId> base, boolean direct) {
        // Nothing shows whether someone wrote over a part of a first copy: what is there is told by digest again.
        var resume = target.log()
                .filter(log -> !direct
                        && log.point().equals(offer.point())
                        && log.base().equals(base)
                        && log.volumeBytes() == offer.volumeBytes()
                        && !log.direct())
                .map(TargetView.LogView::totals);
        return new Build(base, direct, resume);
    }

    private static List<RecoveryPointId> newestFirst(List<RecoveryPointId> points) {
        return points.stream().sorted(Comparator.reverseOrder()).toList();
    }

    private static SyncPlan refuse(ReplicationError error) {
        return new Refuse(error);
    }
}
