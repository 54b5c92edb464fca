package io.tidemark.replication;

/** What moves a {@link SourceState} on. */
public enum SourceEvent {
    STARTED,
    CONNECTED,
    WELCOMED,
    HELD,
    ACCEPTED,
    THERE_ALREADY,
    BLOCKS_READ,
    SPAN_ENDED,
    DIGESTS_ARRIVED,
    ACKNOWLEDGED,
    IMAGE_ENDED,
    COMMITTED,
    HOLDS_MOVED,
    /** The target will never have this recovery point as things are: nothing depends on its snapshot here. */
    CONFLICT,
    /** Anything else that ends the try; the next one resumes. */
    FAILED
}
