package io.tidemark.replication.live;

import java.util.Optional;

/**
 * A copy as it is now, in DRBD's words.
 *
 * @param dirtyBlocks of 4 KiB that the peer may lack, or that this copy is to be given
 * @param why it stands alone; empty where it does not
 * @param verify the last one that this side drove; empty where there was none since its process started
 * @param isSplitBrain both were written without the other, and are not in step yet: where it does not stand alone, a policy or
 *     a person has chosen
 */
public record LiveStatus(
        Role role,
        DiskState disk,
        ReplicationState replication,
        long dirtyBlocks,
        Optional<String> why,
        Optional<Verify> verify,
        boolean isSplitBrain) {
    /** Of a copy whose peer was not written apart, as far as is known. */
    public LiveStatus(
            Role role,
            DiskState disk,
            ReplicationState replication,
            long dirtyBlocks,
            Optional<String> why,
            Optional<Verify> verify) {
        this(role, disk, replication, dirtyBlocks, why, verify, false);
    }

    /**
     * Both copies are compared.
     *
     * @param comparedBlocks of 4 KiB, from the volume's start
     * @param outOfSyncBlocks of those, that differ
     */
    public record Verify(long comparedBlocks, long outOfSyncBlocks, VerifyState state) {}

    public enum VerifyState {
        RUNNING,
        ENDED,
        /** The session was lost, a resync has begun, or the peer was promoted: what is behind was not compared. */
        CUT_OFF,
        /** Somebody has stopped it: what is behind was not compared, and what it found stays dirty. */
        STOPPED
    }

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
