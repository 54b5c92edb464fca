package io.tidemark.provider.azure;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.util.Optional;

/** What a snapshot of ours is at Azure, and whether its bytes are there. */
final class AzureFinder {
    /** A copy of 100 GB took minutes (azuredisk-csi-driver, pull request 1953). */
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    private final AzureSnapshots snapshots;
    private final AzurePoints points;
    private final AzureConfig config;

    /** What a snapshot of ours is at Azure. */
    sealed interface Where {}

    record Single(CloudSnapshot snapshot) implements Where {}

    /** @param key of the tag that names it */
    record Member(CloudCollection collection, String key) implements Where {}

    AzureFinder(AzureSnapshots snapshots, AzurePoints points, AzureConfig config) {
        this.snapshots = snapshots;
        this.points = points;
        this.config = config;
    }

    /** @throws ProviderException SnapshotNotFound */
    Where where(SnapshotId snapshot) throws ProviderException {
        var single = snapshots.find(snapshot);
        if (single.isPresent()) {
            return new Single(single.get());
        }
        var collection = points.find(snapshot.recoveryPoint());
        var key = collection.flatMap(each -> each.keyOf(config, snapshot));
        if (key.isEmpty()) {
            throw new ProviderException(new ProviderError.SnapshotNotFound(snapshot));
        }
        return new Member(collection.orElseThrow(), key.get());
    }

    /** @throws ProviderException SnapshotNotFound */
    CloudSnapshot one(SnapshotId snapshot) throws ProviderException {
        return switch (where(snapshot)) {
            case Single(var single) -> single;
            case Member(var collection, var key) -> points.part(collection, key, snapshots.diskId(snapshot.volume()));
        };
    }

    boolean isPoint(CloudSnapshot snapshot) {
        return snapshot.id().contains("/diskrestorepoints/");
    }

    /**
     * That a creation has succeeded does not say that the data is there: of Ultra and Premium SSD v2, and of a copy of
     * another region, it is when all is copied (azuredisk-csi-driver, issues 1791 and 1953).
     */
    static Readiness readiness(SnapshotId id, CloudSnapshot found) {
        if (found.copyError().isPresent()) {
            return new Readiness.Failed(new ProviderError.Corrupt(
                    id.toString(), "its copy has ended: " + found.copyError().get()));
        }
        return switch (found.state()) {
            case CloudSnapshot.FAILED ->
                new Readiness.Failed(new ProviderError.Corrupt(id.toString(), "its creation ended as Failed at Azure"));
            case CloudSnapshot.SUCCEEDED ->
                found.progress() >= 1 ? new Readiness.Ready() : new Readiness.Pending(found.progress(), ASK_AGAIN);
            default -> new Readiness.Pending(0, ASK_AGAIN);
        };
    }

    /**
     * When to look again, where the bytes are not there yet.
     *
     * @throws ProviderException Corrupt where they never will be
     */
    Optional<Duration> pending(SnapshotId id, CloudSnapshot found) throws ProviderException {
        return switch (readiness(id, found)) {
            case Readiness.Ready ignored -> Optional.empty();
            case Readiness.Pending(var progress, var askAgain) -> Optional.of(askAgain);
            case Readiness.Failed(var error) -> throw new ProviderException(error);
        };
    }

    /** @throws ProviderException Busy while it is copied; SnapshotNotFound, Corrupt */
    CloudSnapshot readable(SnapshotId id) throws ProviderException {
        var found = one(id);
        var askAgain = pending(id, found);
        if (askAgain.isPresent()) {
            throw new ProviderException(new ProviderError.Busy(
                    id.toString(),
                    "Azure, which copies it (%d %%)".formatted(Math.round(found.progress() * 100)),
                    askAgain.get()));
        }
        return found;
    }
}
