package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Holds, which are tags: of the snapshot, or of the collection that a restore point is in. */
final class AzureHolds {
    /** Of a change of tags, a second apart. */
    private static final int LOOKS_MAXIMUM = 30;

    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    private final DiskCalls calls;
    private final Attempts attempts;
    private final AzureFinder finder;
    private final AzurePoints points;
    private final RecentEffects recent;
    private final ArmGate gate;

    AzureHolds(
            DiskCalls calls,
            Attempts attempts,
            AzureFinder finder,
            AzurePoints points,
            RecentEffects recent,
            ArmGate gate) {
        this.calls = calls;
        this.attempts = attempts;
        this.finder = finder;
        this.points = points;
        this.recent = recent;
        this.gate = gate;
    }

    void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        change(snapshot, owner, true);
    }

    void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        change(snapshot, owner, false);
    }

    /** Beside what else it has; {@code entry} is a tag. */
    void tell(SnapshotId snapshot, CloudSnapshot single, Map.Entry<String, String> entry) throws ProviderException {
        var tags = new HashMap<>(single.tags());
        tags.put(entry.getKey(), entry.getValue());
        tag(snapshot, single, single.withTags(tags));
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
                    tag(snapshot, single, single.withTags(tags));
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
                    points.tag(collection, collection.withTags(tags));
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

    /**
     * A change of tags is in place of all there are, so it is made of what was read just before. It may only have begun
     * when it is answered: it is done when it is seen.
     */
    private void tag(SnapshotId id, CloudSnapshot present, CloudSnapshot changed) throws ProviderException {
        attempts.until(() -> {
            calls.tagSnapshot(changed, changed.tags());
            return true;
        });
        for (int look = 1; ; look++) {
            var seen = attempts.until(() -> calls.snapshot(changed.group(), changed.name()));
            if (seen.filter(each -> each.tags().equals(changed.tags())).isPresent()) {
                recent.made(changed);
                recent.tagged(changed.id(), present.tags(), changed.tags());
                return;
            }
            if (look == LOOKS_MAXIMUM) {
                throw new ProviderException(new ProviderError.Busy(
                        id.toString(), "Azure, which has been changing its tags for a while", ASK_AGAIN));
            }
            gate.pause(id.toString(), PAUSE);
        }
    }
}
