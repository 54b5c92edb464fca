package io.tidemark.provider.fakecloud.aws;

import java.time.Duration;

/**
 * Quotas and rates of a fake account.
 *
 * @param snapshotInterval least time between two snapshots of one volume, else SnapshotCreationPerVolumeRateExceeded
 * @param pendingPerVolume snapshots of one volume that may be pending at once, else ConcurrentSnapshotLimitExceeded
 * @param copies copies that may be pending at once in their target region, else ResourceLimitExceeded
 * @param startedSnapshots snapshots of a region that may be written through EBS direct at once
 */
public record AwsLimits(Duration snapshotInterval, int pendingPerVolume, int copies, int startedSnapshots) {
    /**
     * As published ("Quotas for Amazon EBS"); the interval is what the EBS CSI driver keeps to, for none is
     * published.
     */
    public static AwsLimits published() {
        return new AwsLimits(Duration.ofSeconds(30), 5, 20, 100);
    }

    /** The published quotas without a rate, for tests that do not move the clock. */
    public static AwsLimits withoutRates() {
        return new AwsLimits(Duration.ZERO, 5, 20, 100);
    }
}
