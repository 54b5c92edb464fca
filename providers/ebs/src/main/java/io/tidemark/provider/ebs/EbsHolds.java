package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.util.Map;
import java.util.Optional;

/** Holds of snapshots that are at Amazon, a tag each. */
final class EbsHolds {
    private final Ec2Calls ec2;
    private final Attempts attempts;
    private final SnapshotFinder finder;
    private final RecentEffects recent;

    EbsHolds(Ec2Calls ec2, Attempts attempts, SnapshotFinder finder, RecentEffects recent) {
        this.ec2 = ec2;
        this.attempts = attempts;
        this.finder = finder;
        this.recent = recent;
    }

    void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        var found = finder.one(snapshot);
        var holds = SnapshotFinder.holdsOf(found);
        if (holds.contains(owner)) {
            return;
        }
        if (holds.size() >= EbsNames.HOLDS_MAXIMUM) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(),
                    "it has %d holds, which are tags, and Amazon allows no more: release one".formatted(holds.size())));
        }
        var key = EbsNames.HOLD + owner;
        attempts.until(() -> {
            ec2.tag(found.id(), Map.of(key, ""));
            return true;
        });
        recent.tagged(found.id(), key, Optional.of(""));
    }

    void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        var key = EbsNames.HOLD + owner;
        for (var each : finder.all(snapshot)) {
            attempts.until(() -> {
                ec2.untag(each.id(), key);
                return true;
            });
            recent.tagged(each.id(), key, Optional.empty());
        }
    }
}
