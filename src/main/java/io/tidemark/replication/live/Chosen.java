package io.tidemark.replication.live;

/** Whose content a person has said stays, of two that were written apart; until the two are in step. */
public enum Chosen {
    NOBODY,
    /** This copy's: no policy gives it up. */
    SELF,
    /** The peer's: this copy yields when they meet. */
    PEER
}
