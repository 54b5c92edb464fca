package io.tidemark.spi;

import java.util.List;

/**
 * What {@link StorageProvider#cut} did: the point in time of every snapshot is fixed and writers may go on.
 *
 * @param atomic whether all snapshots are of one instant; else they were cut one after the other
 * @param members one a volume, in the order they were cut
 */
public record Cut(boolean atomic, List<Member> members) {

    /**
     * @param startedNanos {@code System.nanoTime()} (CLOCK_MONOTONIC) just before the storage was asked
     * @param finishedNanos just after it had answered; the instant of the cut lies between the two
     */
    public record Member(Snapshot snapshot, long startedNanos, long finishedNanos) {}

    public Cut {
        members = List.copyOf(members);
    }
}
