package io.tidemark.consistency.postgresql;

import java.util.OptionalLong;

/**
 * A server in recovery, as it described itself at one instant.
 *
 * @param receiving whether a WAL receiver is connected to the primary
 * @param receivedBytes position up to which the receiver has written, in bytes from the beginning of the WAL; empty
 *     where it never received any since its start, as one that is fed from an archive
 * @param replayedBytes position up to which the data has been brought
 * @param replayed the same as PostgreSQL writes it: {@code 0/3000060}
 * @param sinceCommitMillis age of the last commit that was replayed, by both servers' clocks; empty where there was
 *     none since its start
 * @param pauseState as {@code pg_get_wal_replay_pause_state()} answers
 */
record StandbyState(
        boolean receiving,
        OptionalLong receivedBytes,
        long replayedBytes,
        String replayed,
        OptionalLong sinceCommitMillis,
        String pauseState) {
    static final String PAUSED = "paused";
    static final String NOT_PAUSED = "not paused";

    /** Whether all that has come from the primary is in the data. */
    boolean replayedUpTo(long positionBytes) {
        return replayedBytes >= positionBytes;
    }
}
