package io.tidemark.domain;

/**
 * The named steps between which a host may die. Each has a line in the failure tables of {@code docs/design}, and
 * tests that kill the process there.
 */
public enum Moment {
    OPERATION_RECORDED,
    RECOVERY_POINT_PLANNED,
    GUARD_ARMED,
    DATABASE_FROZEN,
    DATABASE_HELD,
    FILE_SYSTEM_FROZEN,
    SNAPSHOT_CUT,
    FREEZES_ASKED,
    THAWED,
    RECOVERY_POINT_RECORDED,
    SYNC_BASE_HELD,
    SYNC_CONNECTED,
    SYNC_PARTLY_SENT,
    SYNC_COMMIT_SENT,
    SYNC_ACKNOWLEDGED,
    SYNC_OLD_BASE_RELEASED,
    INGEST_STARTED,
    INGEST_PARTLY_SYNCED,
    INGEST_COMMITTED,
    INGEST_PARTLY_APPLIED,
    INGEST_APPLIED,
    TARGET_SNAPSHOT_CUT,
    TARGET_RECORDED,
    LINK_PAUSED,
    RESYNC_KEPT,
    REVERSAL_DRAINING,
    REVERSAL_DRAINED,
    REVERSAL_ANSWERED,
    LINK_PROMOTED
}
