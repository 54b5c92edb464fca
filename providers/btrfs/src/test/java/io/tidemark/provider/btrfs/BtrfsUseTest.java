package io.tidemark.provider.btrfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.SnapshotId;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A volume that somebody uses is neither rolled back nor removed, and who it is is named. */
class BtrfsUseTest extends BtrfsGround {
    private Path home;
    private SnapshotId snapshot;

    @SuppressWarnings("NullAway.Init") // made before every test
    BtrfsUseTest() {}

    @BeforeEach
    void makeHome() throws Exception {
        home = make("home", "old");
        snapshot = cut(provider(), HOME, "rp-one");
        Files.writeString(home.resolve("file"), "new");
    }

    private static final class Running implements AutoCloseable {
        private final Process process;

        /** Says that it is ready by its first line. */
        Running(Path workingFolder, String... command) throws IOException {
            process = new ProcessBuilder(command)
                    .directory(workingFolder.toFile())
                    .start();
            assertThat(process.inputReader().readLine()).isEqualTo("ready");
        }

        @Override
        public void close() throws Exception {
            process.destroyForcibly();
            assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    private void assertInUse(String holder) {
        var rollback = errorOf(ProviderError.Busy.class, () -> provider().rollback(snapshot));
        assertThat(rollback.holder()).contains(holder);
        assertThat(home.resolve("file")).hasContent("new");
    }

    private void assertFree() throws Exception {
        provider().rollback(snapshot);
        assertThat(home.resolve("file")).hasContent("old");
    }

    @Test
    void workingFolderOfAProcessIsAUse() throws Exception {
        try (var running = new Running(home, "sh", "-c", "echo ready; exec sleep 60")) {
            assertInUse("process " + running.process.pid());
        }
        assertFree();
    }

    @Test
    void openFileIsAUseWhateverItsName() throws Exception {
        try (var running =
                new Running(folder(), "sh", "-c", "exec 3<home/file; rm home/file; echo ready; exec sleep 60")) {
            Files.writeString(home.resolve("file"), "new");
            assertInUse("process " + running.process.pid());
        }
        assertFree();
    }

    @Test
    void programThatRunsIsAUse() throws Exception {
        storage().must("cp", "/bin/sleep", home.resolve("sleep").toString());

        try (var running = new Running(folder(), "sh", "-c", "echo ready; exec home/sleep 60")) {
            assertInUse("process " + running.process.pid());
        }
        assertFree();
    }

    @Test
    void fileThatIsMappedAndNotOpenIsAUse() throws Exception {
        try (var arena = Arena.ofShared()) {
            try (var file = FileChannel.open(home.resolve("file"))) {
                assertThat(file.map(FileChannel.MapMode.READ_ONLY, 0, 1, arena).byteSize())
                        .isOne();
            }
            assertInUse("process " + ProcessHandle.current().pid());
        }
        assertFree();
    }

    @Test
    void openFileOfThisProcessIsAUse() throws Exception {
        try (var file = FileChannel.open(home.resolve("file"))) {
            assertThat(file.isOpen()).isTrue();
            assertInUse("process " + ProcessHandle.current().pid());
        }
        assertFree();
    }

    @Test
    void useOfAnotherSubvolumeIsNone() throws Exception {
        var other = make("other", "");
        try (var running = new Running(other, "sh", "-c", "exec 3<file; echo ready; exec sleep 60")) {
            assertThat(running.process.isAlive()).isTrue();
            assertFree();
        }
    }

    @Test
    void loopDeviceOnAFileIsAUse() throws Exception {
        storage().must("truncate", "-s", "1M", home.resolve("disk").toString());
        var loop = storage()
                .must("losetup", "--find", "--show", home.resolve("disk").toString())
                .strip();
        try {
            assertInUse(loop);
        } finally {
            storage().must("losetup", "--detach", loop);
        }
    }

    @Test
    void mountOfTheSubvolumeOrOnItIsAUseAndListedWhereItIsOfTheWhole() throws Exception {
        var elsewhere = Files.createDirectory(storage().base().resolve("elsewhere"));
        var part = Files.createDirectory(home.resolve("part"));
        for (var mount : List.of(List.of(home, elsewhere), List.of(part, elsewhere), List.of(elsewhere, part))) {
            storage()
                    .must(
                            "mount",
                            "--bind",
                            mount.getFirst().toString(),
                            mount.getLast().toString());
            try {
                assertInUse("a mount at " + mount.getLast());
                var seen = provider().volume(HOME).mountPoints();
                assertThat(seen.contains(elsewhere)).isEqualTo(mount.getFirst().equals(home));
            } finally {
                storage().must("umount", mount.getLast().toString());
            }
        }
        assertFree();
    }

    @Test
    void mountWithinThatIsSeenThroughAnotherPathOnlyIsAUse() throws Exception {
        Files.createDirectory(home.resolve("part"));
        var alias = Files.createDirectory(storage().base().resolve("alias"));
        storage().must("mount", "--bind", folder().toString(), alias.toString());
        storage().must("mount", "--make-private", alias.toString());
        var part = alias.resolve("home/part");
        storage().must("mount", "-t", "tmpfs", "none", part.toString());
        try {
            assertInUse("a mount at " + part);
        } finally {
            storage().must("umount", part.toString());
            assertFree();
            storage().must("umount", alias.toString());
        }
    }

    @Test
    void mountInAnotherNamespaceIsAUse() throws Exception {
        var elsewhere = Files.createDirectory(storage().base().resolve("there"));
        try (var running = new Running(
                storage().base(),
                "unshare",
                "--mount",
                "sh",
                "-c",
                "mount --bind %s %s && echo ready && exec sleep 60".formatted(home, elsewhere))) {
            assertInUse("in the namespace of process " + running.process.pid());
        }
        assertFree();
    }

    @Test
    void volumeInUseIsNotRemoved() throws Exception {
        provider().delete(snapshot);
        try (var running = new Running(home, "sh", "-c", "echo ready; exec sleep 60")) {
            assertThat(errorOf(ProviderError.Busy.class, () -> provider().remove(HOME))
                            .holder())
                    .contains("process " + running.process.pid());
            assertThat(home.resolve("file")).hasContent("new");
        }
        provider().remove(HOME);
        assertThat(home).doesNotExist();
    }

    @Test
    void whoComesBetweenTheLookAndTheExchangeMakesItGoBack() throws Exception {
        provider().close();
        var late = new ArrayList<Running>();
        var host = DyingHost.before(host(), name -> {
            if (name.equals("exchange") && late.isEmpty()) {
                late.add(new Running(home, "sh", "-c", "echo ready; exec sleep 60"));
            }
        });
        try (var provider = open(folder(), host)) {
            var error = errorOf(ProviderError.Busy.class, () -> provider.rollback(snapshot));

            assertThat(error.holder())
                    .contains("process " + late.getFirst().process.pid());
            assertThat(home.resolve("file")).hasContent("new");
            assertThat(DurableFiles.entries(folder().resolve(".tidemark/btrfs/work")))
                    .isEmpty();
        } finally {
            for (var each : late) {
                each.close();
            }
        }
        reopen();
        assertFree();
    }

    @Test
    void subvolumeThatComesBetweenTheLookAndTheExchangeIsNotLost() throws Exception {
        provider().close();
        var host = DyingHost.before(host(), name -> {
            if (name.equals("exchange") && Files.notExists(home.resolve("late"))) {
                host().btrfsCreateSubvolume(home.resolve("late"));
            }
        });
        try (var provider = open(folder(), host)) {
            var error = errorOf(ProviderError.Conflict.class, () -> provider.rollback(snapshot));

            assertThat(error.reason()).contains("late");
            assertThat(home.resolve("file")).hasContent("new");
            assertThat(host().btrfsIsSubvolume(home.resolve("late"))).isTrue();
        }
        reopen();
    }

    @Test
    void whatSomebodyStillUsesIsKeptByTheSweepUntilTheNext() throws Exception {
        provider().close();
        var left = folder().resolve(".tidemark/btrfs/work/home@1");
        host().btrfsSnapshot(home, left, false);
        try (var running = new Running(left, "sh", "-c", "echo ready; exec sleep 60")) {
            assertThat(running.process.isAlive()).isTrue();
            open(folder(), host()).close();
            assertThat(left.resolve("file")).hasContent("new");
        }

        reopen();

        assertThat(left).doesNotExist();
        assertFree();
    }

    @Test
    void lookThatTakesTooLongCountsAsAUse() {
        var hasty = new SubvolumeUse(
                Path.of("/proc"), Path.of("/sys/block"), Duration.ofNanos(1).negated(), System::nanoTime);

        var error = errorOf(ProviderError.Busy.class, () -> hasty.refuse(HOME, home));

        assertThat(error.holder()).contains("not all processes could be looked at");
    }
}
