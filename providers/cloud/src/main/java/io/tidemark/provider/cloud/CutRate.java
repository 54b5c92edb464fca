package io.tidemark.provider.cloud;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;

/**
 * Refuses a cut that the cloud would refuse for its rate, before anything is frozen for it.
 *
 * @param limit of kind {@link PublishedLimit.Kind#CUTS_OF_VOLUME}
 */
public record CutRate(PublishedLimit limit) {

    /**
     * @param earlier when the volume was cut, as far as is known; in any order
     * @throws ProviderException Busy, with the time after which one more is within the limit
     */
    public void refuseTooSoon(VolumeId volume, Collection<Instant> earlier, Instant now) throws ProviderException {
        var within = earlier.stream()
                .filter(cut -> cut.plus(limit.per()).isAfter(now))
                .sorted(Comparator.reverseOrder())
                .limit(limit.count())
                .toList();
        if (within.size() < limit.count()) {
            return;
        }
        var free = within.getLast().plus(limit.per());
        throw new ProviderException(new ProviderError.Busy(
                volume.toString(),
                "the limit of %d cuts in %d s (%s)"
                        .formatted(limit.count(), limit.per().toSeconds(), limit.source()),
                Duration.between(now, free)));
    }
}
