package io.tidemark.quickstart;

import java.util.List;

/**
 * What the copy turned out to hold.
 *
 * @param acknowledged numbers acknowledged before the freeze was asked for: all must be there
 * @param lost of these, not there
 * @param fromTheFuture there, though issued after the freeze held
 * @param recoveryMillis from asking for the clone until it served
 * @param checks what was checked besides, and came out clean
 * @param leftOut what could not be checked, and why
 */
record Proof(
        int acknowledged,
        int lost,
        int fromTheFuture,
        double recoveryMillis,
        List<String> checks,
        List<String> leftOut) {
    Proof {
        checks = List.copyOf(checks);
        leftOut = List.copyOf(leftOut);
    }

    boolean holds() {
        return lost == 0 && fromTheFuture == 0;
    }
}
