package io.tidemark.replication.live;

import java.util.Optional;

/**
 * A copy as it is now, in DRBD's words.
 *
 * @param dirtyBlocks of 4 KiB that the peer may lack, or that this copy is to be given
 * @param why it stands alone; empty where it does not
 */
public record LiveStatus(
        Role role, DiskState disk, ReplicationState replication, long dirtyBlocks, Optional<String> why) {
    public enum Role {
        PRIMARY,
        SECONDARY
    }

    public enum DiskState {
        /** As new as any other copy, as far as is known. */
        UP_TO_DATE,
        /** Content of one moment; whether another copy is newer is not known while the peer is not there. */
        CONSISTENT,
        /** In the middle of a resync: content of no moment. */
        INCONSISTENT,
        /** Content of one moment, and another copy is known to be newer. */
        OUTDATED,
        /** The disk has failed: it is neither read nor written any more. */
        FAILED
    }

    public enum ReplicationState {
        /** No connection. */
        OFF,
        /** They are comparing generations. */
        MEETING,
        ESTABLISHED,
        SYNC_SOURCE,
        SYNC_TARGET,
        /** The peer is left behind, for the send buffer was full. */
        AHEAD,
        BEHIND,
        /** A person has to choose: nothing connects meanwhile. */
        STAND_ALONE
    }
}
