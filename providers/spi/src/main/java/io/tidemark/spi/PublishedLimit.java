package io.tidemark.spi;

import java.time.Duration;

/**
 * A limit that a storage publishes, as data: what a schedule must keep before anything runs.
 *
 * @param snapshotClass kind of snapshot that it is of, of which a storage may have several; the first that a provider names
 *     is the one it takes
 * @param count how many, at least 1
 * @param per in any such time; zero where it is a number of things at once
 * @param source where it is published, and when that was read
 */
public record PublishedLimit(String snapshotClass, Kind kind, long count, Duration per, String source) {

    /** What is limited. */
    public enum Kind {
        /** Cuts of one volume within a time. */
        CUTS_OF_VOLUME,
        /** Snapshots of one volume that exist at a time. */
        SNAPSHOTS_OF_VOLUME,
        /** Snapshots of one account, project or region of it that exist at a time. */
        SNAPSHOTS_OF_ACCOUNT,
        /** Snapshots of one volume that the storage still copies. */
        UNFINISHED_OF_VOLUME,
        /** Copies into one region at a time. */
        COPIES_INTO_REGION,
        /** Disks that one machine has attached at a time, where snapshots are read from such. */
        DISKS_OF_INSTANCE
    }

    public PublishedLimit {
        if (count < 1 || per.isNegative()) {
            throw new IllegalArgumentException("limit of %d in %s".formatted(count, per));
        }
        if (kind == Kind.CUTS_OF_VOLUME && per.isZero()) {
            throw new IllegalArgumentException("a rate of cuts needs its time");
        }
    }
}
