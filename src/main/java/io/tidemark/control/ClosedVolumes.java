package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.domain.Operation;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/**
 * Volumes that nobody has open. Who waits for them has no claim on any meanwhile, so that they are written, cut and
 * replicated as ever: it looks, and looks again. Once all are closed at one look, it has them for itself.
 */
final class ClosedVolumes {
    /**
     * Since the operation was asked for, restarts included. Who unmounts a volume later than that has forgotten what is
     * going to happen to it.
     */
    static final Duration LIMIT = Duration.ofDays(7);

    /** A provider that asks for less would make us look in a loop; one look of LVM's is a program of 0.2 s. */
    private static final Duration LOOK_MINIMUM = Duration.ofMillis(100);
    /** Who has unmounted a volume waits for the rollback. */
    private static final Duration LOOK_MAXIMUM = Duration.ofSeconds(5);
    /** Looks that fail one after the other: at least a minute of a storage that does not answer. */
    private static final int FAILURES_MAXIMUM = 12;

    private final Providers providers;
    private final Claims claims;
    private final InstantSource clock;

    ClosedVolumes(Providers providers, Claims claims, InstantSource clock) {
        this.providers = providers;
        this.claims = claims;
        this.clock = clock;
    }

    /** Ends the claims. */
    interface Held extends AutoCloseable {
        @Override
        void close();
    }

    /** @throws ProviderException Busy where one of them is open */
    void refuseOpen(List<VolumeId> volumes) throws ProviderException {
        for (var volume : volumes) {
            providers.of(volume).refuseWhileOpen(volume);
        }
    }

    /**
     * Waits until all are closed, and no other operation works on them.
     *
     * @throws ControlException NotClosed at the limit; Cancelled; Stopping, for the next start to go on
     */
    Held await(List<VolumeId> volumes, OperationKind.Running running)
            throws ControlException, ProviderException, InterruptedException {
        int failures = 0;
        while (true) {
            try {
                var obstacle = obstacle(volumes);
                if (obstacle.isEmpty()) {
                    var held = claimed(volumes, running);
                    if (held.isPresent()) {
                        return held.orElseThrow();
                    }
                } else {
                    pause(obstacle.orElseThrow(), running);
                }
                failures = 0;
            } catch (ProviderException e) {
                if (e.error() instanceof ProviderError.Unreachable) {
                    // Its agent may be away for as long as a volume may be open; at a start none is connected yet.
                    pause("waits: " + e.error().message(), LOOK_MAXIMUM, running);
                    continue;
                }
                failures++;
                if (!(e.error() instanceof ProviderError.Unexpected) || failures == FAILURES_MAXIMUM) {
                    throw e;
                }
                pause("waits for its storage, which answers: " + e.error().message(), LOOK_MAXIMUM, running);
            }
        }
    }

    private Optional<ProviderError.Busy> obstacle(List<VolumeId> volumes) throws ProviderException {
        try {
            refuseOpen(volumes);
            return Optional.empty();
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.Busy busy) {
                return Optional.of(busy);
            }
            throw e;
        }
    }

    /** Empty, after a pause, where another operation has one of them, or somebody has opened one meanwhile. */
    private Optional<Held> claimed(List<VolumeId> volumes, OperationKind.Running running)
            throws ControlException, ProviderException, InterruptedException {
        // Not the operation's own holder, under which it keeps the recovery point.
        var holder = running.operation().id() + " " + RollbackOperation.KIND;
        var inTheWay =
                claims.tryAcquire(holder, volumes.stream().map(Claim::alone).toList());
        if (inTheWay.isPresent()) {
            pause("waits until %s has ended".formatted(inTheWay.orElseThrow()), LOOK_MAXIMUM, running);
            return Optional.empty();
        }
        Optional<ProviderError.Busy> opened = Optional.empty();
        boolean kept = false;
        try {
            opened = obstacle(volumes);
            kept = opened.isEmpty();
        } finally {
            if (!kept) {
                claims.release(holder);
            }
        }
        if (opened.isPresent()) {
            pause(opened.orElseThrow(), running);
            return Optional.empty();
        }
        return Optional.of(() -> claims.release(holder));
    }

    /** Before the next look at what is open. */
    void pause(ProviderError.Busy busy, OperationKind.Running running) throws ControlException, InterruptedException {
        pause("waits until %s is closed: %s".formatted(busy.object(), busy.holder()), busy.retryAfter(), running);
    }

    private void pause(String phase, Duration asked, OperationKind.Running running)
            throws ControlException, InterruptedException {
        if (!clock.instant().isBefore(running.operation().createdAt().plus(LIMIT))) {
            throw new ControlException(new ControlError.NotClosed(phase, LIMIT));
        }
        running.progress(new Operation.Progress(phase, 0, 0, ""));
        Waits.pause(asked, LOOK_MINIMUM, LOOK_MAXIMUM, running);
    }
}
