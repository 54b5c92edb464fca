package io.tidemark.replication;

/** What moves a {@link TargetState} on. */
public enum TargetEvent {
    GREETED,
    OFFERED,
    PLANNED,
    THERE_ALREADY,
    DIGESTS_WANTED,
    BLOCKS_ARRIVED,
    LOG_SYNCED,
    COMMIT_ARRIVED,
    COMMIT_DURABLE,
    /** A restart found a committed log. */
    COMMIT_FOUND,
    APPLIED,
    CUT,
    HELD,
    RECORDED,
    HOLDS_MOVED,
    CLEARED,
    LINK_LOST,
    REFUSED,
    FAILED
}
