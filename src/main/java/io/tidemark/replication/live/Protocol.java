package io.tidemark.replication.live;

/** When a write is acknowledged; DRBD's protocols. FLUSH and FUA keep their meaning under each. */
public enum Protocol {
    /** On the local volume, and handed to the bounded send buffer. */
    A,
    /** On the local volume, and in the peer's memory. */
    B,
    /** Durable here and at the peer. */
    C
}
