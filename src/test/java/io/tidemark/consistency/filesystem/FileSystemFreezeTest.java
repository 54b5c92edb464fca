package io.tidemark.consistency.filesystem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.FileSystems.MountedVolume;
import io.tidemark.consistency.MountTable;
import io.tidemark.domain.Certificate;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.spi.Capability;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSystemFreezeTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final Duration LIMIT = Duration.ofSeconds(1);
    private static final VolumeId ORDERS = new VolumeId("image:orders");
    private static final VolumeId LOGS = new VolumeId("image:logs");
    private static final List<MountedVolume> BOTH = List.of(
            new MountedVolume(ORDERS, "7:1", Path.of("/orders"), "ext4"),
            new MountedVolume(LOGS, "7:2", Path.of("/logs"), "ext4"));
    private static final String MOUNTS = """
            22 1 254:0 / / rw - ext4 /dev/vda rw
            23 22 7:1 / /orders rw - ext4 /dev/loop1 rw
            24 22 7:2 / /logs rw - ext4 /dev/loop2 rw
            25 22 7:2 / /logs-again rw - ext4 /dev/loop2 rw
            """;

    @TempDir
    Path state;

    @TempDir
    Path home;

    private final ScriptedGuard guard = new ScriptedGuard();
    private final List<String> thawedByUs = new CopyOnWriteArrayList<>();
    private Optional<IOException> thawFailure = Optional.empty();
    private Runnable guardEnds = () -> {};

    private final HostCalls hostCalls = (HostCalls) Proxy.newProxyInstance(
            HostCalls.class.getClassLoader(), new Class<?>[] {HostCalls.class}, (proxy, method, arguments) -> {
                if (method.getName().equals("thaw")) {
                    thawedByUs.add(arguments[0].toString());
                    if (thawFailure.isPresent()) {
                        throw thawFailure.get();
                    }
                    return true;
                }
                return null;
            });

    private FileSystemFreeze freeze(String mounts, String bootId) {
        var host = new FileSystemFreeze.Host() {
            @Override
            public MountTable mounts() {
                return MountTable.parse(mounts);
            }

            @Override
            public Path sys() {
                return home.resolve("sys");
            }

            @Override
            public String bootId() {
                return bootId;
            }

            @Override
            public GuardChannel startGuard(
                    Path program, Duration limit, Path entry, List<Path> mountPoints, Runnable onLost) {
                guardEnds = onLost;
                return guard;
            }
        };
        return new FileSystemFreeze(
                state,
                Optional.of(new FileSystemFreeze.NativeCalls(hostCalls, Path.of("/usr/bin/thaw-guard"))),
                "",
                Map.of(),
                host);
    }

    private FileSystemFreeze freeze() {
        return freeze(MOUNTS, "boot-1");
    }

    private List<Path> journals() throws IOException {
        try (var files = Files.list(state.resolve("freezes"))) {
            return files.toList();
        }
    }

    @Test
    void oneGuardFreezesAllAndThawsInReverse() throws Exception {
        try (var armed = freeze().arm(POINT, BOTH, LIMIT);
                var frozen = armed.freeze()) {
            boolean held = frozen.heldUntilNow();
            var release = frozen.thaw();

            assertThat(held).isTrue();
            assertThat(release.freezes())
                    .extracting(Certificate.Freeze::subject, Certificate.Freeze::thawedNanos)
                    .containsExactly(tuple("/orders", 211L), tuple("/logs", 200L));
            assertThat(release.freezes()).allMatch(Certificate.Freeze::heldUntilThaw);
            assertThat(thawedByUs).isEmpty();
        }
        assertThat(guard.commands).containsExactly("freeze", "ask", "thaw", "end");
    }

    private Volume files(Path root) {
        return new Volume(
                new VolumeId("btrfs:home"), 0, Set.of(Capability.FILES), Optional.empty(), List.of(root), Map.of());
    }

    private String withHome() {
        return MOUNTS + "26 22 7:3 / %s rw - btrfs /dev/loop3 rw%n".formatted(home);
    }

    @Test
    void volumeThatIsAFileSystemIsNotFrozen() {
        assertThat(freeze(withHome(), "boot-1").mountedFrom(List.of(files(home))))
                .isEmpty();
    }

    @Test
    void whatHoldsAVolumeOfFilesIsNotFrozenByAnother() {
        var below = new MountedVolume(LOGS, "7:3", home, "btrfs");

        var thrown = catchThrowableOfType(
                ConsistencyException.class,
                () -> freeze(withHome(), "boot-1").refuseWhatWeStandOn(List.of(below), List.of(files(home))));

        assertThat(thrown.error()).isInstanceOf(ConsistencyError.StandsOnIt.class);
        assertThat(thrown.getMessage()).contains("btrfs:home");
    }

    @Test
    void journalNamesTheFreezeUntilTheThaw() throws Exception {
        try (var armed = freeze().arm(POINT, BOTH, LIMIT)) {
            assertThat(journals()).hasSize(1);
            armed.freeze().close();
        }
        assertThat(journals()).isEmpty();
    }

    @Test
    void refusingGuardLeavesNoJournal() {
        guard.startingWith("refused 1 2");

        assertThatThrownBy(() -> freeze().arm(POINT, BOTH, LIMIT))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("/logs");
        assertThat(state.resolve("freezes")).isEmptyDirectory();
    }

    @Test
    void freezeOfWhatSomeoneElseFrozeSaysSo() throws Exception {
        guard.answering("freeze", "frozen 0 100 110", "failed 1 16");

        try (var armed = freeze().arm(POINT, BOTH, LIMIT)) {
            assertThatThrownBy(armed::freeze)
                    .isInstanceOf(ConsistencyException.class)
                    .hasMessageContaining("/logs")
                    .hasMessageContaining("frozen already");
        }
        assertThat(thawedByUs).isEmpty();
        assertThat(journals()).isEmpty();
    }

    @Test
    void guardThatDiesWhileFreezingIsEndedAndWeThaw() throws Exception {
        guard.answering("freeze", "frozen 0 100 110");

        try (var armed = freeze().arm(POINT, BOTH, LIMIT)) {
            assertThatThrownBy(armed::freeze).isInstanceOf(ConsistencyException.class);
        }
        assertThat(guard.commands).containsSubsequence("freeze", "kill");
        assertThat(thawedByUs).containsExactly("/logs", "/orders", "/logs", "/orders");
    }

    @Test
    void guardThatDiesWhileFrozenHasNotHeldAndWeThaw() throws Exception {
        try (var armed = freeze().arm(POINT, BOTH, LIMIT);
                var frozen = armed.freeze()) {
            guard.broken = true;

            boolean held = frozen.heldUntilNow();
            var release = frozen.thaw();

            assertThat(held).isFalse();
            assertThat(thawedByUs).containsExactly("/logs", "/orders", "/logs", "/orders");
            assertThat(release.freezes()).noneMatch(Certificate.Freeze::heldUntilThaw);
        }
        assertThat(journals()).isEmpty();
    }

    @Test
    void guardThatDiesWhileACutTakesItsTimeIsThawedForAtOnce() throws Exception {
        try (var armed = freeze().arm(POINT, BOTH, LIMIT)) {
            guardEnds.run();
            assertThat(thawedByUs).as("nothing was frozen yet").isEmpty();
            try (var frozen = armed.freeze()) {
                guardEnds.run();

                assertThat(thawedByUs).containsExactly("/logs", "/orders");
            }
        }
        guardEnds.run();
        assertThat(thawedByUs).as("all was thawed before").hasSize(2);
    }

    @Test
    void freezeThatExpiredHasNotHeldWhateverTheThawSays() throws Exception {
        guard.answering("ask", "expired 150");

        try (var armed = freeze().arm(POINT, BOTH, LIMIT);
                var frozen = armed.freeze()) {
            assertThat(frozen.heldUntilNow()).isFalse();
            assertThat(frozen.thaw().freezes()).noneMatch(Certificate.Freeze::heldUntilThaw);
        }
    }

    @Test
    void expiryThatIsSaidUnaskedCounts() throws Exception {
        guard.answering("freeze", "frozen 0 100 110", "frozen 1 111 120", "all-frozen", "expired 150");

        try (var armed = freeze().arm(POINT, BOTH, LIMIT);
                var frozen = armed.freeze()) {
            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void guardThatDoesNotEndIsKilledAndWeThaw() throws Exception {
        guard.answering("freeze", "failed 1 110");
        guard.endsByItself = false;
        guard.onKill = () -> thawedByUs.add("killed");

        try (var armed = freeze().arm(POINT, BOTH, LIMIT)) {
            assertThatThrownBy(armed::freeze).hasMessageContaining("/logs");
        }

        assertThat(guard.commands).containsExactly("freeze", "end", "kill");
        assertThat(thawedByUs)
                .as("a guard that is killed while it thaws a Btrfs leaves it read-only")
                .containsExactly("/logs", "/orders", "killed", "/logs", "/orders");
    }

    @Test
    void guardThatEndsBeforeItsFreezeHasNothingThawedThatSomeoneElseMayHold() throws Exception {
        guard.endsByItself = false;

        freeze().arm(POINT, BOTH, LIMIT).close();

        assertThat(guard.commands).containsExactly("end", "kill");
        assertThat(thawedByUs).isEmpty();
        assertThat(journals()).isEmpty();
    }

    @Test
    void fileSystemThatWeCannotThawStaysInTheJournal() throws Exception {
        thawFailure = Optional.of(new HostCallException("FITHAW", Path.of("/orders"), HostCallException.EPERM));
        guard.answering("thaw");

        try (var armed = freeze().arm(POINT, BOTH, LIMIT)) {
            armed.freeze().close();
        }

        assertThat(journals()).hasSize(1);
    }

    @Test
    void sweepThawsInReverseWhatADeadProcessLeftFrozen() throws Exception {
        new FreezeJournal(state.resolve("freezes")).write(POINT, "boot-1", BOTH);

        freeze().sweep();

        assertThat(thawedByUs).containsExactly("/logs", "/orders");
        assertThat(journals()).isEmpty();
    }

    @Test
    void sweepDoesNotThawAnotherFileSystemThatIsMountedThereNow() throws Exception {
        new FreezeJournal(state.resolve("freezes")).write(POINT, "boot-1", BOTH);

        freeze("23 22 7:9 / /orders rw - ext4 /dev/loop9 rw", "boot-1").sweep();

        assertThat(thawedByUs).isEmpty();
        assertThat(journals()).isEmpty();
    }

    /** What its guard freezes after a first thaw is thawed as well, and only then is the entry gone. */
    @Test
    void sweepWaitsForAGuardThatOutlivedItsServiceAndThawsOnceMore() throws Exception {
        var entry = new FreezeJournal(state.resolve("freezes")).write(POINT, "boot-1", BOTH);
        var calls = BlockKernels.hostCalls();
        assumeTrue(calls.isPresent(), "no native library in this build");
        var lock = calls.orElseThrow().lock(entry);
        var sweeping = Thread.ofVirtual().start(() -> freeze().sweep());
        await().until(() -> thawedByUs.size() == 2);

        assertThat(sweeping.join(Duration.ofMillis(200))).isFalse();
        assertThat(journals()).containsExactly(entry);
        lock.close();

        assertThat(sweeping.join(Duration.ofSeconds(10))).isTrue();
        assertThat(thawedByUs).containsExactly("/logs", "/orders", "/logs", "/orders");
        assertThat(journals()).isEmpty();
    }

    @Test
    void sweepAfterARebootThawsNothing() throws Exception {
        new FreezeJournal(state.resolve("freezes")).write(POINT, "boot-1", BOTH);

        freeze(MOUNTS, "boot-2").sweep();

        assertThat(thawedByUs).isEmpty();
        assertThat(journals()).isEmpty();
    }

    @Test
    void sweepThatFailsIsTriedAgainAtTheNextStart() throws Exception {
        new FreezeJournal(state.resolve("freezes")).write(POINT, "boot-1", BOTH);
        thawFailure = Optional.of(new HostCallException("FITHAW", Path.of("/orders"), HostCallException.EPERM));

        freeze().sweep();

        assertThat(journals()).hasSize(1);
    }

    @Test
    void fileSystemMountedTwiceIsFrozenOnce() {
        var logs = volume(LOGS, Optional.empty(), Path.of("/logs"), Path.of("/logs-again"));

        // The paths do not exist here, so their parents decide; only the table's own look-up is under test.
        assertThat(freeze().mountedFrom(List.of(logs))).hasSize(1);
    }

    @Test
    void rootFileSystemIsRefused() {
        var root = List.of(new MountedVolume(ORDERS, "254:0", Path.of("/"), "ext4"));

        var thrown =
                catchThrowableOfType(ConsistencyException.class, () -> freeze().refuseWhatWeStandOn(root, List.of()));

        assertThat(thrown.error()).isInstanceOf(ConsistencyError.StandsOnIt.class);
        assertThat(thrown).hasMessageContaining("root file system");
    }

    @Test
    void fileSystemThatHoldsAnotherVolumeOfTheCutIsRefused() throws Exception {
        var below = Files.createDirectory(state.resolve("below"));
        var mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 7:1 / %s rw - ext4 /dev/loop1 rw\n"
                .formatted(below.toRealPath());
        var stacked = volume(LOGS, Optional.of(below.resolve("image.raw")));

        assertThatThrownBy(() -> freeze(mounts, "boot-1").refuseWhatWeStandOn(BOTH, List.of(stacked)))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("image:logs");
    }

    /** A loop device by its number and its name, upon an image. */
    private void loopUpon(Path image, String number, String name) throws IOException {
        var sys = home.toRealPath().resolve("sys");
        var loop = Files.createDirectories(sys.resolve("devices").resolve(name));
        Files.createDirectories(loop.resolve("loop"));
        Files.writeString(loop.resolve("loop/backing_file"), image + "\n");
        Files.createSymbolicLink(
                Files.createDirectories(sys.resolve("dev/block")).resolve(number), loop);
        Files.createSymbolicLink(
                Files.createDirectories(sys.resolve("class/block")).resolve(name), loop);
    }

    @Test
    void deviceThatIsCutRestingOnAFrozenFileSystemIsRefused() throws Exception {
        var below = Files.createDirectory(state.resolve("below")).toRealPath();
        loopUpon(Files.createFile(below.resolve("image.raw")), "7:5", "loop5");
        var mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 7:1 / %s rw - ext4 /dev/loop1 rw\n".formatted(below);
        var suspended = volume(LOGS, Optional.of(Files.createFile(home.resolve("loop5"))));

        assertThatThrownBy(() -> freeze(mounts, "boot-1").refuseWhatWeStandOn(BOTH, List.of(suspended)))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("/orders")
                .hasMessageContaining("image:logs");
    }

    @Test
    void fileSystemsOfWhichOneRestsOnTheOtherAreNotFrozenTogether() throws Exception {
        var below = Files.createDirectory(state.resolve("below")).toRealPath();
        loopUpon(Files.createFile(below.resolve("image.raw")), "7:2", "loop2");
        var mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 7:1 / %s rw - ext4 /dev/loop1 rw\n".formatted(below)
                + "24 22 7:2 / /logs rw - ext4 /dev/loop2 rw\n";

        assertThatThrownBy(() -> freeze(mounts, "boot-1").refuseWhatWeStandOn(BOTH, List.of()))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("/orders")
                .hasMessageContaining("file system /logs, frozen with it, rests on it");
    }

    @Test
    void fileSystemWeDoNotStandOnIsAllowed() throws Exception {
        freeze().refuseWhatWeStandOn(BOTH, List.of());
    }

    private static Volume volume(VolumeId id, Optional<Path> device, Path... mountPoints) {
        return new Volume(id, 1 << 20, Set.of(), device, List.of(mountPoints), Map.of());
    }
}
