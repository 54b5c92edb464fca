package io.tidemark.provider.fakecloud;

/** What a call does, so that a fault script of any cloud knows which faults can befall it. */
public enum CallKind {
    /** Reads one thing. */
    READ,
    /** Lists things, in pages. */
    LIST,
    /** Makes a thing that later calls must see. */
    CREATE,
    /** Changes or deletes a thing. */
    CHANGE
}
