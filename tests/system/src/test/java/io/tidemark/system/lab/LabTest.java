package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidemark.system.ground.Ground;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The lab itself: what it promises whoever runs something in it. */
@Tag("system-lab")
class LabTest {
    private static final Duration END_LIMIT = Duration.ofSeconds(30);
    private static final int LIMIT_REACHED = 124;
    private static final int NO_GUEST = 125;

    private final StorageLab lab = StorageLab.withDisks("1G");

    @BeforeEach
    void requirePackages() throws IOException {
        StorageLab.require();
    }

    @Test
    void exitCodeAndOutputOfTheCommandComeBack() throws Exception {
        assertThat(lab.run("true").status()).isZero();

        var failing = lab.run("bash", "-c", "id -u; echo 'two  words' >&2; exit 7");

        assertThat(failing.status()).isEqualTo(7);
        assertThat(failing.output().lines()).containsExactlyInAnyOrder("0", "two  words");
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void lvmTestsPassInTheLab() throws Exception {
        lab.test(LvmInLab.class);
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void thinVolumesKeepTheContractOfProviders() throws Exception {
        lab.within(Duration.ofMinutes(30)).testInParts(ThinVolumesInLab.class, 2);
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void classicVolumesKeepTheContractOfProviders() throws Exception {
        lab.within(Duration.ofMinutes(30)).testInParts(ClassicVolumesInLab.class, 2);
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void thinVolumesAreCutWhileTheirWritersAreHeld() throws Exception {
        lab.within(Duration.ofMinutes(10)).test(ThinCutInLab.class);
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void rollbackWaitsUntilTheVolumesAreClosed() throws Exception {
        StorageLab.withDisks("1G", "1G").within(Duration.ofMinutes(10)).test(DeferredRollbackInLab.class);
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void diskOfAzureIsCopiedIntoAThinVolumeByItsChanges() throws Exception {
        lab.within(Duration.ofMinutes(10)).test(AzureIntoThinInLab.class);
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void exportsAreDevicesOfTheKernelsOwnClient() throws Exception {
        Ground.requireRootAnd("nbd-client", "nbdkit");
        lab.test(KernelNbdInLab.class);
    }

    @Test
    void failuresInTheLabAreToldOnTheHost() {
        assertThatThrownBy(() -> lab.test(FailingInLab.class))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("0 passed, 1 failed")
                .hasMessageContaining("the reason to be told");
    }

    @Test
    void failureInOnePartFailsTheWhole() {
        // Its one method is in the first part; the second finds none, which is a failure too.
        assertThatThrownBy(() -> lab.testInParts(FailingInLab.class, 2))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("2 of 2 guests failed");
    }

    @Test
    void writesStayOnlyBelowSharedFolders() throws Exception {
        try (var ground = Ground.open()) {
            var shared = Files.createDirectory(ground.folder().resolve("shared"));
            var other = Files.writeString(ground.folder().resolve("other"), "as it was");

            var result = lab.sharing(shared)
                    .run("bash", "-c", "echo new >'%s/file' && echo new >'%s'".formatted(shared, other));

            assertThat(result.status()).isZero();
            assertThat(shared.resolve("file")).hasContent("new");
            assertThat(other).hasContent("as it was");
        }
    }

    @Test
    void commandIsEndedAtTheLimit() throws Exception {
        var result = lab.within(Duration.ofSeconds(12)).run("sleep", "600");

        assertThat(result.status()).isEqualTo(LIMIT_REACHED);
    }

    @Test
    void guestWithTooLittleMemoryIsToldApartFromAFailingCommand() throws Exception {
        var result = new StorageLab(8, lab.limit(), lab.diskSizes(), lab.sharedFolders(), lab.zfs()).run("true");

        assertThat(result.status()).isEqualTo(NO_GUEST);
    }

    @Test
    void killedLabLeavesNoProcessAndNoMount() throws Exception {
        var process = lab.start("bash", "-c", "echo up; sleep 600");
        try (var output = process.inputReader()) {
            assertThat(output.readLine()).isEqualTo("up");
            var processes = process.descendants().toList();
            assertThat(processes).isNotEmpty();

            process.destroyForcibly();

            await().atMost(END_LIMIT).untilAsserted(() -> assertThat(processes).noneMatch(ProcessHandle::isAlive));
            assertThat(mountsOfTheLab()).isEmpty();
            assertThat(Path.of("/run/lab")).doesNotExist();
        } finally {
            process.destroyForcibly();
        }
    }

    private static List<String> mountsOfTheLab() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .filter(line -> line.contains(" - tmpfs lab "))
                .toList();
    }
}
