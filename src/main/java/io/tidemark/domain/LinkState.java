package io.tidemark.domain;

/** What a replication link may do; {@code policy.LinkTransitions} has every move between these. */
public enum LinkState {
    /** Takes, sends and receives. */
    ACTIVE,
    /** Takes, sends and receives nothing; keeps its base and its holds. */
    PAUSED,
    /** A planned reversal sends the last changes; nothing else goes over the link. */
    DRAINING,
    /** The peer is told to become the source, and may be it already: this side sends nothing any more. */
    HANDING_OVER
}
