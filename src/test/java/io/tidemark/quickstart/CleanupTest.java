package io.tidemark.quickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CleanupTest {
    @TempDir
    private Path parent;

    @Test
    void processesAndFilesAreGoneAfterTheEnd() throws Exception {
        var demo = DemoFolder.make(parent);
        var cleanup = Cleanup.of(demo);
        var process =
                new Programs(demo, cleanup).start(Optional.empty(), List.of("/bin/sleep", "300"), demo.file("log"));

        assertThat(cleanup.end()).isTrue();

        assertThat(process.waitFor(5, TimeUnit.SECONDS)).isTrue();
        assertThat(demo.path()).doesNotExist();
    }

    @Test
    void aProcessThatIgnoresPoliteSignalsIsKilled() throws Exception {
        var demo = DemoFolder.make(parent);
        var process = new ProcessBuilder("/bin/sh", "-c", "trap '' INT QUIT TERM; while :; do sleep 1; done");
        process.environment().put(DemoFolder.ENVIRONMENT, demo.path().toString());
        var stubborn = process.start();
        var cleanup = Cleanup.of(demo);

        assertThat(cleanup.end()).isTrue();

        assertThat(stubborn.isAlive()).isFalse();
    }

    @Test
    void nothingIsBegunOnceCleaningUpHas() throws Exception {
        var demo = DemoFolder.make(parent);
        var cleanup = Cleanup.of(demo);
        cleanup.end();

        assertThatThrownBy(() -> new Programs(demo, cleanup).run(List.of("/bin/true")))
                .isInstanceOf(QuickstartException.class)
                .hasMessage("stopped");
    }

    @Test
    void whatIsToBeKeptIsKept() throws Exception {
        var demo = DemoFolder.make(parent);
        var cleanup = Cleanup.of(demo);
        cleanup.keepEverything();

        assertThat(cleanup.end()).isTrue();

        assertThat(demo.isOne()).isTrue();
        assertThat(Cleanup.of(demo).end()).isTrue();
        assertThat(demo.path()).doesNotExist();
    }

    @Test
    void aFolderThatIsNoDemosIsLeftAlone() throws Exception {
        var other = Files.createDirectory(parent.resolve("important"));

        assertThat(Cleanup.of(new DemoFolder(other)).end()).isFalse();

        assertThat(other).exists();
    }

    @Test
    void killingTheParentCleansUpToo() throws Exception {
        var demo = DemoFolder.make(parent);
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var child = new ProcessBuilder(
                        java,
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledParent.class.getName(),
                        demo.path().toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(child.inputReader().readLine()).isEqualTo("started");

        child.destroyForcibly();

        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> !Files.exists(demo.path()));
    }

    /** Starts something under a demo's folder and then waits to be killed. */
    static final class KilledParent {
        private KilledParent() {}

        public static void main(String[] args) throws Exception {
            var demo = new DemoFolder(Path.of(args[0]));
            new Programs(demo, Cleanup.of(demo))
                    .start(Optional.empty(), List.of("/bin/sleep", "300"), demo.file("log"));
            System.out.println("started");
            Thread.sleep(Duration.ofMinutes(5));
        }
    }
}
