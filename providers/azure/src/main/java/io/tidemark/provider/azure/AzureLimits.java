package io.tidemark.provider.azure;

import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.PublishedLimit.Kind;
import java.time.Duration;
import java.util.List;

/** What Microsoft publishes of its limits; a subscription may have others. */
final class AzureLimits {
    private static final String INCREMENTAL = "incremental snapshots";
    private static final String RESTRICTIONS =
            "\"Create an incremental snapshot for managed disks\" (disks-incremental-snapshots), read 2026-11-27";

    /** Into a region, of a subscription. */
    static final int COPIES_AT_ONCE = 100;

    private static final String COPIES =
            "\"Copy an incremental snapshot to a new region\" (disks-copy-incremental-snapshot-across-regions), read"
                    + " 2026-11-27";

    static final PublishedLimit CUTS_OF_DISK =
            new PublishedLimit(INCREMENTAL, Kind.CUTS_OF_VOLUME, 7, Duration.ofMinutes(5), RESTRICTIONS);

    private AzureLimits() {}

    static List<PublishedLimit> all() {
        return List.of(
                CUTS_OF_DISK,
                new PublishedLimit(INCREMENTAL, Kind.SNAPSHOTS_OF_VOLUME, 500, Duration.ZERO, RESTRICTIONS),
                new PublishedLimit(INCREMENTAL, Kind.COPIES_INTO_REGION, COPIES_AT_ONCE, Duration.ZERO, COPIES));
    }
}
