package io.tidemark.simulation;

/** A host died in the middle of what it did. */
final class Crash extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Crash() {
        super("host died", null, false, false);
    }
}
