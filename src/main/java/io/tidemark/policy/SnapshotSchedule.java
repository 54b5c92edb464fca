package io.tidemark.policy;

import java.time.Duration;

/**
 * Snapshots at an interval.
 *
 * @param every at least a second: with it the RPO is that, and the time that a cut takes
 * @param keep how many of each volume, at least 1
 * @param volumes how many, at least 1
 */
public record SnapshotSchedule(Duration every, int keep, int volumes) {
    public SnapshotSchedule {
        if (every.compareTo(Duration.ofSeconds(1)) < 0) {
            throw new IllegalArgumentException("every is %s; at least 1 s".formatted(every));
        }
        if (keep < 1 || volumes < 1) {
            throw new IllegalArgumentException("%d kept of %d volumes; at least 1 of each".formatted(keep, volumes));
        }
    }
}
