package io.tidemark.provider.gce;

import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.PublishedLimit.Kind;
import java.time.Duration;
import java.util.List;

/** What Google publishes of its limits; a project may have others. */
final class GceLimits {
    private static final String STANDARD = "standard snapshots";
    private static final String INSTANT = "instant snapshots";
    private static final String TROUBLES =
            "\"Troubleshooting instant snapshots\", Compute Engine documentation, read 2026-11-27";

    private static final String DISKS =
            "\"Persistent Disk\", Compute Engine documentation: up to 128 disks with the boot disk, 16 of shared-core types";

    /** A disk: at most once in 10 minutes, with a burst of 6 within an hour. */
    static final PublishedLimit CUTS_OF_DISK = new PublishedLimit(
            STANDARD,
            Kind.CUTS_OF_VOLUME,
            6,
            Duration.ofHours(1),
            "\"Create archive and standard disk snapshots\", Compute Engine documentation, read 2026-11-22");

    static final PublishedLimit INSTANTS_OF_DISK =
            new PublishedLimit(INSTANT, Kind.CUTS_OF_VOLUME, 1, Duration.ofSeconds(30), TROUBLES);
    /** Beside the boot disk. */
    static final int DISKS_ATTACHED_MAXIMUM = 127;

    private GceLimits() {}

    static List<PublishedLimit> all() {
        return List.of(
                CUTS_OF_DISK,
                INSTANTS_OF_DISK,
                new PublishedLimit(INSTANT, Kind.SNAPSHOTS_OF_VOLUME, 32, Duration.ZERO, TROUBLES),
                new PublishedLimit(STANDARD, Kind.DISKS_OF_INSTANCE, DISKS_ATTACHED_MAXIMUM, Duration.ZERO, DISKS));
    }
}
