package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.conformance.TestStorage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Seeds of what is done with a chain, killed between any two changes of files and any two calls, before or after their
 * effect, and in half of the seeds with faults of Amazon's too. After every restart, and when all is uploaded, what is
 * recorded reads as it was written, here and at Amazon, each once; and when all is deleted nothing is left there.
 *
 * <p>{@code -Dtidemark.ebs.chainSeeds=FROM-TO} runs others.
 */
class ChainKillsTest {
    private static Thread.UncaughtExceptionHandler before;

    /** Threads of a process that was killed end by what ends it; nobody needs to read of that. */
    @BeforeAll
    static void silence() {
        before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> {
            if (!(thrown instanceof ChainRun.Killed)) {
                System.err.println(thread + ": " + thrown);
            }
        });
    }

    @AfterAll
    static void restore() {
        Thread.setDefaultUncaughtExceptionHandler(before);
    }

    @Test
    void noBlockIsLostWhereverTheProcessDies() throws Exception {
        var range = System.getProperty("tidemark.ebs.chainSeeds", "1-60").split("-", -1);
        int kills = 0;
        int cuts = 0;
        for (long seed = Long.parseLong(range[0]); seed <= Long.parseLong(range[1]); seed++) {
            try (var storage = TestStorage.inMemory();
                    var run = new ChainRun(seed, storage.base())) {
                run.run();
                kills += run.kills();
                cuts += run.cuts();
            }
        }
        System.out.printf("%d kills, %d cuts%n", kills, cuts);
        assertThat(kills).as("processes that were killed").isPositive();
        assertThat(cuts).as("snapshots that were recorded").isPositive();
    }
}
