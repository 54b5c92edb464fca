package io.tidemark.provider.gce;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Holds are labels. Google changes labels as a whole, for who names the fingerprint of those it has read; so they are
 * read, changed and read again, until they are as they are to be.
 */
final class GceHolds {
    private static final int ROUNDS_MAXIMUM = 8;
    private static final Duration ASK_AGAIN = Duration.ofSeconds(10);

    private final GceCalls calls;
    private final Attempts attempts;
    private final SnapshotFinder finder;

    GceHolds(GceCalls calls, Attempts attempts, SnapshotFinder finder) {
        this.calls = calls;
        this.attempts = attempts;
        this.finder = finder;
    }

    void hold(SnapshotId id, HoldOwner owner) throws ProviderException {
        var hold = GceNames.holdOf(owner);
        change(id, () -> Optional.of(finder.one(id)), labels -> {
            if (labels.containsKey(hold.getKey())) {
                return false;
            }
            int held = GceNames.holdsIn(labels).size();
            if (held >= GceNames.HOLDS_MAXIMUM) {
                throw new ProviderException(new ProviderError.Conflict(
                        id.toString(),
                        "it has %d holds, which are labels, and Google allows no more: release one".formatted(held)));
            }
            labels.put(hold.getKey(), hold.getValue());
            return true;
        });
    }

    void release(SnapshotId id, HoldOwner owner) throws ProviderException {
        var key = GceNames.holdOf(owner).getKey();
        change(id, () -> finder.lookUp(id), labels -> labels.remove(key) != null);
    }

    private interface Looking {
        Optional<CloudSnapshot> look() throws ProviderException;
    }

    private interface Change {
        /** @return whether anything is to be changed */
        boolean of(Map<String, String> labels) throws ProviderException;
    }

    private void change(SnapshotId id, Looking looking, Change change) throws ProviderException {
        for (int round = 0; round < ROUNDS_MAXIMUM; round++) {
            var found = looking.look();
            if (found.isEmpty()) {
                return;
            }
            var labels = new LinkedHashMap<>(found.get().labels());
            if (!change.of(labels)) {
                return;
            }
            attempts.until(() -> {
                calls.setLabels(found.get(), labels);
                return true;
            });
        }
        throw new ProviderException(
                new ProviderError.Busy(id.toString(), "somebody who changes its labels as well", ASK_AGAIN));
    }
}
