package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/**
 * Deletes by name. "Not found" of what may yet appear is no answer: of one whose creation was not answered, and, for as
 * long after a start, of any, for the process before may have asked for it.
 */
final class AzureDeletion {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    private final DiskCalls calls;
    private final Attempts attempts;
    private final AzureSnapshots snapshots;
    private final AzurePoints points;
    private final CopySources sources;
    private final RecentEffects recent;
    private final AzureConfig config;
    private final InstantSource clock;

    AzureDeletion(
            DiskCalls calls,
            Attempts attempts,
            AzureSnapshots snapshots,
            AzurePoints points,
            CopySources sources,
            RecentEffects recent,
            AzureConfig config,
            InstantSource clock) {
        this.calls = calls;
        this.attempts = attempts;
        this.snapshots = snapshots;
        this.points = points;
        this.sources = sources;
        this.config = config;
        this.recent = recent;
        this.clock = clock;
    }

    /** @param mayAppearUntil when one that is not seen does not exist, as an earlier step knew it */
    Step<Boolean> step(SnapshotId snapshot, Instant mayAppearUntil) throws ProviderException {
        var found = snapshots.find(snapshot);
        var holds = found.map(each -> AzureNames.holdsOf(each.tags()));
        if (holds.isPresent() && !holds.get().isEmpty()) {
            throw new ProviderException(new ProviderError.Held(snapshot, holds.get()));
        }
        if (found.isPresent()) {
            sources.refuseWhileCopied(snapshot, found.get());
        }
        boolean isKnown = found.isPresent();
        if (found.isEmpty()) {
            var of = snapshot.recoveryPoint();
            var collection = points.find(of);
            boolean isIn = collection.isPresent() && isIn(snapshot, collection.get());
            if (isIn && isNoLongerNamed(snapshot, collection.get())) {
                recent.gone(snapshot);
                return new Step.Done<>(true);
            }
            if (isIn || (collection.isEmpty() && points.isBeingDeleted(of))) {
                var begun = points.deleted(of);
                if (begun.existed() && isIn) {
                    recent.gone(snapshot);
                }
                if (begun.existed() && !begun.done()) {
                    return running(snapshot, mayAppearUntil, begun.askAgain());
                }
                if (begun.existed() && isIn) {
                    return new Step.Done<>(true);
                }
                isKnown = isIn;
            }
        }
        for (var place : places(snapshot, found)) {
            var begun = attempts.until(() -> calls.deleteSnapshot(place.group(), place.name()));
            if (begun.existed()) {
                recent.deleted(AzureNames.armId(config, place.group(), "snapshots", place.name()));
                recent.gone(snapshot);
                return begun.done() ? new Step.Done<>(true) : running(snapshot, mayAppearUntil, begun.askAgain());
            }
        }
        var until = later(recent.mayAppearUntil(snapshot), mayAppearUntil);
        // Of what is known to have been made a moment ago, whoever was asked does not know it yet.
        return isKnown || clock.instant().isBefore(until) ? running(snapshot, until, ASK_AGAIN) : new Step.Done<>(true);
    }

    /** Where it is seen, or else wherever it may yet appear. */
    private List<AzureNames.Place> places(SnapshotId snapshot, Optional<CloudSnapshot> found) {
        return found.map(each -> List.of(new AzureNames.Place(each.group(), each.name())))
                .orElseGet(() -> List.of(
                        new AzureNames.Place(snapshots.group(snapshot.volume()), snapshots.name(snapshot)),
                        snapshots.copyPlace(snapshot)));
    }

    /** A collection that names no disk is of a cut that failed, of this one's disk too. */
    private boolean isIn(SnapshotId snapshot, CloudCollection collection) {
        return collection.keyOf(config, snapshot).isPresent()
                || collection.members(config).isEmpty();
    }

    /**
     * A disk's part of a restore point cannot be deleted alone: it is no longer named, and with the last name all is
     * deleted. A collection that names none is of a cut that failed.
     *
     * @return false where all of it is to be deleted
     */
    private boolean isNoLongerNamed(SnapshotId snapshot, CloudCollection collection) throws ProviderException {
        var key = collection.keyOf(config, snapshot);
        if (key.isEmpty()) {
            return false;
        }
        var holds = collection.holdsOf(key.get());
        if (!holds.isEmpty()) {
            throw new ProviderException(new ProviderError.Held(snapshot, holds));
        }
        var left = collection.without(key.get());
        if (left.members(config).isEmpty()) {
            return false;
        }
        points.tag(collection, left);
        return true;
    }

    private static Instant later(Optional<Instant> one, Instant other) {
        return one.filter(other::isBefore).orElse(other);
    }

    private static Step<Boolean> running(SnapshotId snapshot, Instant until, Duration askAgain) {
        return new Step.Running<>(AzureHandles.ofDelete(snapshot, until), 0, askAgain);
    }
}
