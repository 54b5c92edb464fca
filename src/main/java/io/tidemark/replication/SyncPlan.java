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
        var common =
                offer.candidates().stream().filter(target.points()::contains).findFirst();
        if (common.isEmpty()) {
            return refuse(
                    new ReplicationError.NoCommonBase(offer.link(), offer.candidates(), newestFirst(target.points())));
        }
        // Ids sort by the clock of the site that took them, which may have gone back: what the source has too is its
        // own.
        var foreign = newestFirst(target.points()).stream()
                .filter(point -> !offer.candidates().contains(point))
                .filter(point -> target.inStep().isEmpty() || point.compareTo(stands.get()) > 0)
                .findFirst();
        var newest = newestFirst(target.points()).getFirst();
        if (foreign.isPresent() && (target.inStep().isPresent() || foreign.get().equals(newest))) {
            return refuse(new ReplicationError.Diverged(offer.link(), common.get(), foreign.get()));
        }
        if (target.written().isPresent()) {
            return refuse(new ReplicationError.TargetWritten(
                    target.volume(), target.written().get()));
        }
        return build(offer, target, stands.filter(offer.candidates()::contains), false);
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
