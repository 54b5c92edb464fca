package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Keeps what is being copied from being deleted, for the copy would fail ("Copy an incremental snapshot to a new
 * region": the source is not to be deleted meanwhile). A tag of the source says where each copy is, and whether it is
 * under way is asked of the copy itself: a tag that a killed process left keeps nothing.
 */
final class CopySources {
    /** Then the region; its value is time in seconds since 1970, group and name of the copy. */
    private static final String COPYING = "tidemark:copying:";

    private static final Pattern VALUE = Pattern.compile("([0-9]{1,12}) ([^ ]+) ([^ ]+)");
    private static final Duration ASK_AGAIN = Duration.ofMinutes(1);

    private final DiskCalls calls;
    private final Attempts attempts;
    private final InstantSource clock;

    CopySources(DiskCalls calls, Attempts attempts, InstantSource clock) {
        this.calls = calls;
        this.attempts = attempts;
        this.clock = clock;
    }

    /** The tag that says so. */
    Map.Entry<String, String> told(String location, AzureNames.Place copy) {
        return Map.entry(
                COPYING + location, "%d %s %s".formatted(clock.instant().getEpochSecond(), copy.group(), copy.name()));
    }

    /** @throws ProviderException Busy, naming the copy */
    void refuseWhileCopied(SnapshotId id, CloudSnapshot snapshot) throws ProviderException {
        for (var each : snapshot.tags().entrySet()) {
            var told = VALUE.matcher(each.getValue());
            if (each.getKey().startsWith(COPYING) && told.matches()) {
                var copy = attempts.until(() -> calls.snapshot(told.group(2), told.group(3)));
                var since = Instant.ofEpochSecond(Long.parseLong(told.group(1)));
                if (isUnderWay(id, snapshot, copy, since)) {
                    throw new ProviderException(new ProviderError.Busy(
                            id.toString(),
                            "its copy %s into %s (%d %%)"
                                    .formatted(
                                            told.group(3),
                                            each.getKey().substring(COPYING.length()),
                                            Math.round(copy.map(CloudSnapshot::progress)
                                                            .orElse(0.0)
                                                    * 100)),
                            ASK_AGAIN));
                }
            }
        }
    }

    private boolean isUnderWay(SnapshotId id, CloudSnapshot source, Optional<CloudSnapshot> copy, Instant since) {
        return copy.isEmpty()
                ? clock.instant().isBefore(since.plus(RecentEffects.VISIBLE_WITHIN))
                : copy.get().source().equals(source.id())
                        && AzureFinder.readiness(id, copy.get()) instanceof Readiness.Pending;
    }
}
