package io.tidemark.policy;

/** What moves a {@link io.tidemark.domain.LinkState} on. */
public enum LinkEvent {
    PAUSE_ASKED,
    RESUME_ASKED,
    /** A planned reversal begins, or goes on. */
    REVERSAL_ASKED,
    /** The last changes are at the target. */
    DRAINED,
    /** The reversal ended before the peer was told, or the peer said no: nothing has changed. */
    REVERSAL_GIVEN_UP,
    /** The peer is the source now. */
    HANDED_OVER,
    /** This side becomes the source with what it has. */
    PROMOTED,
    /** This side becomes the target of a peer that was promoted without it. */
    FOLLOWED
}
