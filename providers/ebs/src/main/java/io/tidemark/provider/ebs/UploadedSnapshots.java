package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.SnapshotId;
import java.time.Duration;

/** Our snapshots that are at Amazon, for what is done there to each of them by itself. */
final class UploadedSnapshots {
    static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    private final SnapshotFinder finder;
    private final Attempts attempts;
    private final Guard guard;

    /** What the provider knows of its chains, and the lock of each snapshot. */
    interface Guard {
        /** Whether this host has it, and Amazon not yet. */
        boolean isStaged(SnapshotId snapshot) throws ProviderException;

        /** Whether a chain lies on it. */
        boolean isBase(String cloudId);

        /** One at a time holds, changes or deletes it. */
        Object of(SnapshotId snapshot);
    }

    /** Something asked of one; it may be asked again from its beginning where an answer is lost. */
    interface Work<T> {
        T on(CloudSnapshot found) throws ProviderException;
    }

    UploadedSnapshots(SnapshotFinder finder, Attempts attempts, Guard guard) {
        this.finder = finder;
        this.attempts = attempts;
        this.guard = guard;
    }

    <T> T ask(SnapshotId snapshot, Work<T> work) throws ProviderException {
        var found = one(snapshot);
        return attempts.until(() -> work.on(found));
    }

    /** As {@link #ask}; nobody else holds or deletes it meanwhile. */
    <T> T change(SnapshotId snapshot, Work<T> work) throws ProviderException {
        synchronized (guard.of(snapshot)) {
            return ask(snapshot, work);
        }
    }

    /** Whether it is on this host yet, and not at Amazon. */
    boolean isStaged(SnapshotId snapshot) throws ProviderException {
        return guard.isStaged(snapshot);
    }

    private CloudSnapshot one(SnapshotId snapshot) throws ProviderException {
        if (isStaged(snapshot)) {
            throw new ProviderException(
                    new ProviderError.Busy(snapshot.toString(), "its upload: it is not at Amazon yet", ASK_AGAIN));
        }
        return finder.one(snapshot);
    }

    boolean isBase(CloudSnapshot found) {
        return guard.isBase(found.id());
    }

    /** @throws ProviderException why its bytes cannot be read now */
    static void refuseUnreadable(SnapshotId snapshot, CloudSnapshot found) throws ProviderException {
        switch (found.readiness(snapshot)) {
            case Readiness.Ready() -> {}
            case Readiness.Failed(var error) -> throw new ProviderException(error);
            case Readiness.Pending(var progress, var askAgain) ->
                throw new ProviderException(new ProviderError.Busy(
                        snapshot.toString(),
                        "Amazon, which copies it (%d %%)".formatted(Math.round(progress * 100)),
                        askAgain));
        }
    }
}
