package io.tidemark.export.protocol;

/**
 * What a handshake has come to.
 *
 * @param replies how requests are answered
 * @param allocation whether the client has chosen {@code base:allocation}
 */
public record Agreed(OfferedExport export, Replies replies, boolean allocation) {

    /** Each can do what the one before it can. */
    public enum Replies {
        SIMPLE,
        STRUCTURED,
        /** Headers of requests have 64 bits for the length, too. */
        EXTENDED
    }

    /** Number by which answers to {@code BLOCK_STATUS} name {@code base:allocation}. */
    static final int ALLOCATION_ID = 1;

    static final String ALLOCATION = "base:allocation";
}
