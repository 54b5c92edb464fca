package io.tidemark.provider.gce;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

/**
 * Deletes a snapshot, once its labels say that it is ours and not held. What may yet appear is waited for: one whose
 * creation was not answered, and, for as long after a start, any that is not seen, for the process before may have
 * asked for it.
 */
final class GceDeletion {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    private final GceCalls calls;
    private final Attempts attempts;
    private final SnapshotFinder finder;
    private final RecentSnapshots recent;
    private final InstantSource clock;
    private final GceGroups groups;
    private final InstantUploads uploads;

    GceDeletion(
            GceCalls calls,
            Attempts attempts,
            SnapshotFinder finder,
            RecentSnapshots recent,
            InstantSource clock,
            GceGroups groups,
            InstantUploads uploads) {
        this.uploads = uploads;
        this.groups = groups;
        this.calls = calls;
        this.attempts = attempts;
        this.finder = finder;
        this.recent = recent;
        this.clock = clock;
    }

    Step<Boolean> step(GceHandles.Delete asked) throws ProviderException {
        var id = asked.snapshot();
        var found = finder.lookUp(id);
        if (asked.operation().isPresent()) {
            var operation =
                    attempts.until(() -> calls.operation(asked.operation().get()));
            if (operation.isPresent() && !operation.get().errorCode().isEmpty()) {
                throw GceFailures.exception("snapshots.delete of " + id, operation.get());
            }
            if (found.isEmpty()) {
                recent.gone(id);
            }
        }
        if (found.isEmpty()) {
            return absent(id, asked.until());
        }
        var holds = GceNames.holdsIn(found.get().labels());
        if (!holds.isEmpty()) {
            throw new ProviderException(new ProviderError.Held(id, holds));
        }
        uploads.refuse(id);
        // One that is being created is refused by Google, and one that is being deleted needs no second request.
        return switch (found.get().status()) {
            case "CREATING" -> running(id, recent.mayAppearUntil(id), Optional.empty());
            case "DELETING" -> running(id, asked.until(), asked.operation());
            default -> delete(asked, found.get());
        };
    }

    private Step<Boolean> delete(GceHandles.Delete asked, CloudSnapshot found) throws ProviderException {
        var id = asked.snapshot();
        var begun = attempts.until(() -> calls.deleteSnapshot(found.name()));
        if (begun.isEmpty()) {
            // Seen a moment ago and now unknown: gone, or whoever was asked does not know it yet.
            return absent(id, later(asked.until(), recent.mayAppearUntil(id)));
        }
        if (!begun.get().errorCode().isEmpty()) {
            throw GceFailures.exception("snapshots.delete of " + id, begun.get());
        }
        if (begun.get().done()) {
            recent.gone(id);
            return absent(id, asked.until());
        }
        return running(id, asked.until(), Optional.of(begun.get().name()));
    }

    /** An instant that is left would be made a snapshot by whoever looks: it goes at once. */
    private Step<Boolean> absent(SnapshotId id, Instant mayAppearUntil) throws ProviderException {
        boolean none = groups.delete(id);
        var until = later(mayAppearUntil, recent.mayAppearUntil(id));
        return none && (recent.isGone(id) || !clock.instant().isBefore(until))
                ? new Step.Done<>(true)
                : running(id, until, Optional.empty());
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    private static Step<Boolean> running(SnapshotId id, Instant until, Optional<String> operation) {
        return new Step.Running<>(new GceHandles.Delete(id, until, operation).handle(), 0, ASK_AGAIN);
    }
}
