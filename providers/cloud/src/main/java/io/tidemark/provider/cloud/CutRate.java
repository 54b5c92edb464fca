package io.tidemark.provider.cloud;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Refuses a cut that the cloud would refuse for its rate, before anything is frozen for it. Knows the cuts of this process;
 * of one before, the cloud itself does. Safe for several threads.
 */
public final class CutRate {
    private final PublishedLimit limit;
    private final InstantSource clock;
    /** Newest first, no more than the limit has. */
    private final Map<VolumeId, Deque<Instant>> cuts = new HashMap<>();

    /** @param limit of kind {@link PublishedLimit.Kind#CUTS_OF_VOLUME} */
    public CutRate(PublishedLimit limit, InstantSource clock) {
        this.limit = limit;
        this.clock = clock;
    }

    /** @throws ProviderException Busy, with the time after which one more is within the limit */
    public synchronized void refuseTooSoon(VolumeId volume) throws ProviderException {
        var now = clock.instant();
        var known = cuts.getOrDefault(volume, new ArrayDeque<>());
        if (known.size() < limit.count()) {
            return;
        }
        var free = known.getLast().plus(limit.per());
        if (free.isAfter(now)) {
            throw new ProviderException(new ProviderError.Busy(
                    volume.toString(),
                    "the limit of %d cuts in %d s (%s)"
                            .formatted(limit.count(), limit.per().toSeconds(), limit.source()),
                    Duration.between(now, free)));
        }
    }

    /** A cut was asked for, and answered or not. */
    public synchronized void cut(VolumeId volume) {
        var now = clock.instant();
        cuts.values().removeIf(each -> !each.getFirst().plus(limit.per()).isAfter(now));
        var known = cuts.computeIfAbsent(volume, unused -> new ArrayDeque<>());
        known.addFirst(now);
        if (known.size() > limit.count()) {
            known.removeLast();
        }
    }
}
