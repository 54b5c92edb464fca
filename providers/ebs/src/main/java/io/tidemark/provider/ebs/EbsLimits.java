package io.tidemark.provider.ebs;

import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.PublishedLimit.Kind;
import java.time.Duration;
import java.util.List;

/** What is published of Amazon's limits; an account may have others. */
final class EbsLimits {
    private static final String SNAPSHOTS = "snapshots";
    private static final String QUOTAS =
            "\"Quotas for Amazon EBS\", EBS user guide (ebs-resource-quotas), read 2026-11-22";

    private EbsLimits() {}

    static List<PublishedLimit> all() {
        return List.of(
                // Amazon publishes no figure for SnapshotCreationPerVolumeRateExceeded; its CSI driver keeps this one.
                new PublishedLimit(
                        SNAPSHOTS,
                        Kind.CUTS_OF_VOLUME,
                        1,
                        Duration.ofSeconds(30),
                        "kubernetes-sigs/aws-ebs-csi-driver, pull request 1611, read 2026-11-22"),
                new PublishedLimit(SNAPSHOTS, Kind.UNFINISHED_OF_VOLUME, 5, Duration.ZERO, QUOTAS),
                new PublishedLimit(SNAPSHOTS, Kind.SNAPSHOTS_OF_ACCOUNT, 100_000, Duration.ZERO, QUOTAS),
                new PublishedLimit(SNAPSHOTS, Kind.COPIES_INTO_REGION, 20, Duration.ZERO, QUOTAS));
    }
}
