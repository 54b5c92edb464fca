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

    /** Amazon publishes no figure for SnapshotCreationPerVolumeRateExceeded; its CSI driver keeps this one. */
    static final PublishedLimit CUTS_OF_VOLUME = new PublishedLimit(
            SNAPSHOTS,
            Kind.CUTS_OF_VOLUME,
            1,
            Duration.ofSeconds(30),
            "kubernetes-sigs/aws-ebs-csi-driver, pull request 1611, read 2026-11-22");

    /** Of gp2, gp3, io1, io2 and standard; of sc1 one, which Amazon itself refuses. */
    static final PublishedLimit UNFINISHED_OF_VOLUME =
            new PublishedLimit(SNAPSHOTS, Kind.UNFINISHED_OF_VOLUME, 5, Duration.ZERO, QUOTAS);

    private EbsLimits() {}

    static List<PublishedLimit> all() {
        return List.of(
                CUTS_OF_VOLUME,
                UNFINISHED_OF_VOLUME,
                new PublishedLimit(SNAPSHOTS, Kind.SNAPSHOTS_OF_ACCOUNT, 100_000, Duration.ZERO, QUOTAS),
                new PublishedLimit(SNAPSHOTS, Kind.COPIES_INTO_REGION, 20, Duration.ZERO, QUOTAS));
    }
}
