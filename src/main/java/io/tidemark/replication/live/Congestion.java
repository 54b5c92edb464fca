package io.tidemark.replication.live;

/** What happens to a write that finds the send buffer full; DRBD's on-congestion. */
public enum Congestion {
    /** It waits. */
    BLOCK,
    /** The peer is left behind: blocks become dirty, and a resync follows once the buffer has drained. */
    PULL_AHEAD
}
