package io.tidemark.agent;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Deletes all snapshots of one recovery point, found on the storage itself. */
final class SnapshotRemoval {
    /** Local deletes are done at once; a cloud's may take minutes, and then undoing is asked again later. */
    private static final Duration DELETE_LIMIT = Duration.ofSeconds(30);

    private final Providers providers;

    SnapshotRemoval(Providers providers) {
        this.providers = providers;
    }

    /** Goes on after a failure, and reports the first one. */
    void removeAll(RecoveryPointId id, Predicate<VolumeId> volumes) throws ConsistencyException {
        @Nullable ProviderException first = null;
        for (var provider : providers.all()) {
            try {
                for (var snapshot : snapshotsOf(provider, id)) {
                    if (!volumes.test(snapshot.volume())) {
                        continue;
                    }
                    try {
                        delete(provider, snapshot);
                    } catch (ProviderException e) {
                        first = first == null ? e : first;
                    }
                }
            } catch (ProviderException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw new ConsistencyException(new ConsistencyError.Storage(first.error()), first);
        }
    }

    private static List<SnapshotId> snapshotsOf(StorageProvider provider, RecoveryPointId id) throws ProviderException {
        var found = new ArrayList<SnapshotId>();
        var query = SnapshotQuery.ofRecoveryPoint(id);
        while (true) {
            var page = provider.snapshots(query);
            page.snapshots().forEach(snapshot -> found.add(snapshot.id()));
            Optional<String> next = page.nextCursor();
            if (next.isEmpty()) {
                return found;
            }
            query = query.after(next.get());
        }
    }

    private static void delete(StorageProvider provider, SnapshotId snapshot) throws ProviderException {
        new StepFollower(provider, System::nanoTime)
                .follow(provider.delete(snapshot), DELETE_LIMIT, snapshot.toString(), "its own deletion");
    }
}
