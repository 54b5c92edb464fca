package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.util.HashMap;
import java.util.Map;

/** Holds, which are tags: of the snapshot, or of the collection that a restore point is in. */
final class AzureHolds {
    private final DiskCalls calls;
    private final Attempts attempts;
    private final AzureFinder finder;
    private final AzurePoints points;
    private final RecentEffects recent;

    AzureHolds(DiskCalls calls, Attempts attempts, AzureFinder finder, AzurePoints points, RecentEffects recent) {
        this.calls = calls;
        this.attempts = attempts;
        this.finder = finder;
        this.points = points;
        this.recent = recent;
    }

    void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        change(snapshot, owner, true);
    }

    void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        change(snapshot, owner, false);
    }

    private void change(SnapshotId snapshot, HoldOwner owner, boolean isHeld) throws ProviderException {
        switch (finder.where(snapshot)) {
            case AzureFinder.Single(var single) -> {
                var tags = changed(
                        snapshot,
                        single.tags(),
                        AzureNames.HOLD + owner,
                        isHeld,
                        AzureNames.holdsOf(single.tags()).size() >= AzureNames.HOLDS_MAXIMUM);
                if (!tags.equals(single.tags())) {
                    tag(single.withTags(tags));
                }
            }
            case AzureFinder.Member(var collection, var key) -> {
                var tags = changed(
                        snapshot,
                        collection.tags(),
                        CloudCollection.holdKey(key, owner),
                        isHeld,
                        collection.holdCount() >= CloudCollection.HOLDS_MAXIMUM);
                if (!tags.equals(collection.tags())) {
                    points.tag(collection.withTags(tags));
                }
            }
        }
    }

    private static Map<String, String> changed(
            SnapshotId snapshot, Map<String, String> present, String key, boolean isHeld, boolean isFull)
            throws ProviderException {
        var tags = new HashMap<>(present);
        if (!isHeld) {
            tags.remove(key);
        } else if (tags.putIfAbsent(key, "") == null && isFull) {
            throw new ProviderException(new ProviderError.Conflict(
                    snapshot.toString(), "its holds are tags, and Azure allows no more of them: release one"));
        }
        return tags;
    }

    /** A change of tags is in place of all there are, so it is made of what was read just before. */
    private void tag(CloudSnapshot changed) throws ProviderException {
        attempts.until(() -> {
            calls.tagSnapshot(changed, changed.tags());
            return true;
        });
        recent.made(changed);
    }
}
