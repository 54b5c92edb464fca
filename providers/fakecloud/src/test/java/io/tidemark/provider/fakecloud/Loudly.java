package io.tidemark.provider.fakecloud;

import org.junit.jupiter.api.Assumptions;

/** Skips so that it is read: a message of JUnit's alone stays in the report. */
public final class Loudly {
    private Loudly() {}

    public static void needs(boolean met, String lacking) {
        if (!met) {
            System.err.println("SKIPPED: " + lacking);
        }
        Assumptions.assumeTrue(met, lacking);
    }
}
