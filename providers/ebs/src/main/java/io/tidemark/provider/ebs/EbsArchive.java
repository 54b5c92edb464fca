package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotArchives;
import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.SnapshotTierStatus;

/**
 * The archive tier. Rules: EBS User Guide, "Considerations and limitations for archiving Amazon EBS snapshots", "Archive an
 * Amazon EBS snapshot": only what is complete; usable until it is there; back within 72 h.
 */
final class EbsArchive implements SnapshotArchives {
    /** API reference, "RestoreSnapshotTier": at least one; the most is the EBS User Guide's. */
    private static final int DAYS_MAXIMUM = 180;

    private static final Duration ASK_AGAIN = Duration.ofMinutes(10);

    private final ProtectionCalls calls;
    private final UploadedSnapshots snapshots;

    EbsArchive(ProtectionCalls calls, UploadedSnapshots snapshots) {
        this.calls = calls;
        this.snapshots = snapshots;
    }

    @Override
    public TierState tierOf(SnapshotId snapshot) throws ProviderException {
        return snapshots.ask(snapshot, found -> state(snapshot, found));
    }

    private TierState state(SnapshotId snapshot, CloudSnapshot found) throws ProviderException {
        return state(calls.tierOf(found.id())
                .orElseThrow(() -> new ProviderException(new ProviderError.Busy(
                        snapshot.toString(),
                        "Amazon, which does not know it everywhere yet",
                        UploadedSnapshots.ASK_AGAIN))));
    }

    /** States: API reference, "SnapshotTierStatus". Where it lies decides; the last move tells what is under way. */
    static TierState state(SnapshotTierStatus told) {
        boolean archived = "archive".equals(told.storageTierAsString());
        var move = told.lastTieringOperationStatusAsString() == null ? "" : told.lastTieringOperationStatusAsString();
        var until = Optional.ofNullable(told.restoreExpiryTime());
        var tier = switch (move) {
            case "archival-in-progress" -> archived ? Tier.ARCHIVED : Tier.ARCHIVING;
            case "temporary-restore-in-progress", "temporary-restore-completed" ->
                archived ? move.endsWith("progress") ? Tier.RESTORING : Tier.ARCHIVED : Tier.RESTORED_FOR_A_TIME;
            case "permanent-restore-in-progress" -> archived ? Tier.RESTORING : Tier.STANDARD;
            default -> archived ? Tier.ARCHIVED : Tier.STANDARD;
        };
        boolean moves = tier == Tier.ARCHIVING || tier == Tier.RESTORING;
        Integer percent = told.lastTieringProgress();
        return new TierState(
                tier,
                moves ? (percent == null ? 0 : Math.clamp(percent / 100.0, 0, 1)) : 1,
                tier == Tier.RESTORED_FOR_A_TIME || tier == Tier.RESTORING ? until : Optional.empty(),
                move.endsWith("-failed")
                        ? Optional.of("%s: %s".formatted(move, told.lastTieringOperationStatusDetail()))
                        : Optional.empty());
    }

    @Override
    public TierState archive(SnapshotId snapshot) throws ProviderException {
        return snapshots.change(snapshot, found -> {
            var present = state(snapshot, found);
            return switch (present.tier()) {
                case ARCHIVED, ARCHIVING -> present;
                case RESTORING -> throw underWay(snapshot, "back from the archive");
                case STANDARD, RESTORED_FOR_A_TIME -> {
                    refuseNeeded(snapshot, found);
                    calls.archive(found.id());
                    yield state(snapshot, found);
                }
            };
        });
    }

    private void refuseNeeded(SnapshotId snapshot, CloudSnapshot found) throws ProviderException {
        UploadedSnapshots.refuseUnreadable(snapshot, found);
        var holds = SnapshotFinder.holdsOf(found);
        if (!holds.isEmpty()) {
            throw new ProviderException(new ProviderError.Held(snapshot, holds));
        }
        if (snapshots.isBase(found)) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "a volume that is written on this host lies on %s, and reads from it".formatted(found.id())));
        }
    }

    @Override
    public TierState restore(SnapshotId snapshot, Optional<Integer> days) throws ProviderException {
        if (days.isPresent() && (days.get() < 1 || days.get() > DAYS_MAXIMUM)) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "for %d days: Amazon fetches one back for 1 to %d, or for good"
                            .formatted(days.get(), DAYS_MAXIMUM)));
        }
        var asked = new boolean[1];
        return snapshots.change(snapshot, found -> {
            var present = state(snapshot, found);
            return switch (present.tier()) {
                case ARCHIVING -> throw underWay(snapshot, "into the archive");
                // What this very call has asked for, and whose answer was lost, is under way; so is another's.
                case RESTORING -> present;
                case STANDARD -> {
                    if (days.isPresent()) {
                        throw new ProviderException(
                                new ProviderError.Conflict(snapshot.toString(), "it is not in the archive"));
                    }
                    yield present;
                }
                case ARCHIVED, RESTORED_FOR_A_TIME -> {
                    if (!(asked[0] && present.tier() == Tier.RESTORED_FOR_A_TIME)) {
                        asked[0] = true;
                        calls.restoreTier(found.id(), days);
                    }
                    yield state(snapshot, found);
                }
            };
        });
    }

    private static ProviderException underWay(SnapshotId snapshot, String whither) {
        return new ProviderException(new ProviderError.Busy(
                snapshot.toString(), "Amazon, which moves it %s; nobody can stop that".formatted(whither), ASK_AGAIN));
    }
}
