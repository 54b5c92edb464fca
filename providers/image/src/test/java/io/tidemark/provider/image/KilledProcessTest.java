package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The process is killed at any instant: the next one finds every step wholly done or not at all, and nothing else. */
class KilledProcessTest {
    /** Of 10 ms: a busy machine needs seconds to start a JVM. */
    private static final int FIRST_STEP_WAITS = 3_000;

    private static final int ROUNDS = Integer.getInteger("tidemark.test.kills", 4);

    @ParameterizedTest
    @ValueSource(strings = {"plain", "btrfs", "xfs"})
    void killedProcessLeavesEveryStepDoneOrUndone(String kind) throws Exception {
        try (var storage = kind.equals("plain") ? TestStorage.plain() : TestStorage.mounted(kind)) {
            for (int seed = 1; seed <= ROUNDS; seed++) {
                var folder = storage.freshFolder();
                var model = runAndKill(folder, seed);

                try (var provider = CrashSubject.open(folder)) {
                    assertNothingIsLeftOver(folder);
                    model.check(provider);
                    var request = new CutRequest(new RecoveryPointId("rp-after"), List.of(CrashSubject.VOLUME));
                    assertThat(provider.cut(request).members()).hasSize(1);
                }
            }
        }
    }

    private static CrashModel runAndKill(Path folder, int seed) throws Exception {
        var said = folder.resolveSibling(folder.getFileName() + ".out");
        var process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-Xmx64m",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CrashSubject.class.getName(),
                        folder.toString(),
                        Integer.toString(seed))
                .redirectOutput(said.toFile())
                .redirectError(
                        folder.resolveSibling(folder.getFileName() + ".log").toFile())
                .start();
        try {
            awaitFirstStep(said, process);
            Thread.sleep(50 + new Random(seed).nextInt(700));
        } finally {
            process.destroyForcibly();
            assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
        var model = new CrashModel();
        // The last line may have been cut short by the kill: what is not whole was not said.
        Files.readString(said)
                .lines()
                .filter(line -> line.matches("(begin|done) .*"))
                .forEach(model::heard);
        return model;
    }

    private static void awaitFirstStep(Path said, Process process) throws Exception {
        for (int wait = 0; wait < FIRST_STEP_WAITS && process.isAlive(); wait++) {
            if (Files.size(said) > 0) {
                return;
            }
            Thread.sleep(10);
        }
        throw new AssertionError("the subject did not begin to work; see its log beside " + said);
    }

    private static void assertNothingIsLeftOver(Path folder) throws IOException {
        var ours = folder.resolve(ImageFolder.OURS);
        assertThat(DurableFiles.entries(ours.resolve("work"))).isEmpty();
        assertThat(DurableFiles.entries(ours.resolve("snapshots")))
                .noneMatch(path -> DurableFiles.nameOf(path).endsWith(DurableFiles.UNFINISHED));
        var records = DurableFiles.entries(ours.resolve("snapshots")).stream()
                .map(DurableFiles::nameOf)
                .filter(name -> name.endsWith(ImageRecord.SUFFIX))
                .count();
        assertThat(DurableFiles.entries(ours.resolve("snapshots"))).hasSize(Math.toIntExact(2 * records));
    }

    @Test
    void folderIsUsedByOneProviderAtATime() throws Exception {
        try (var storage = TestStorage.plain()) {
            var folder = storage.freshFolder();
            try (var first = CrashSubject.open(folder)) {
                assertThat(first.volumes()).isEmpty();
                assertThat(catchThrowableOfType(ProviderException.class, () -> CrashSubject.open(folder))
                                .error())
                        .isInstanceOf(ProviderError.Busy.class);
            }
            CrashSubject.open(folder).close();
            assertThat(Files.exists(folder.resolve(ImageFolder.OURS))).isTrue();
        }
    }
}
