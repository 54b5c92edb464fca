package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is made of ZFS's answers, where the file system is mounted and where it is not. */
class ChangedFilesTest {
    private static final VolumeId VOLUME = VolumeId.of("zfs", "tank/fs");
    private static final SnapshotId STANDS = new SnapshotId(VOLUME, new RecoveryPointId("rp-1"));
    private static final String MOUNTED = "31 22 0:27 / /mnt/a rw - zfs tank/fs rw,xattr,noacl\n";
    private static final String FOLDER = "33 22 0:27 /sub /srv/sub rw shared:3 - zfs tank/fs rw,xattr,noacl\n";

    @TempDir
    private Path ground;

    private final DifferingZfs zfs = new DifferingZfs();
    private Path table;

    private static final class DifferingZfs extends FakeZfs {
        private String says = "exit 0";
        private long written = 512;

        @Override
        long writtenSince(ZfsObject snapshot, String fileSystem) {
            return written;
        }

        @Override
        CommandStream differences(String snapshot, String fileSystem) {
            try {
                return new CommandRunner().source(Command.of("sh", "-c", says));
            } catch (CommandException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        void mountUnused(String fileSystem, Path folder) {
            changes.add("mount " + fileSystem);
        }

        @Override
        void unmount(Path folder) {
            changes.add("unmount");
        }
    }

    @BeforeEach
    void makeVolume() throws IOException {
        table = Files.createDirectories(ground.resolve("proc/self")).resolve("mountinfo");
        Files.writeString(table, "");
        zfs.addFiles("tank/fs", Map.of());
        zfs.addFiles("tank/fs@" + ZfsNames.forSnapshot(STANDS), Map.of(ZfsNames.POINT, "rp-1", ZfsNames.CUT_AT, "1"));
    }

    private Optional<String> changed() throws ProviderException {
        var mounts = new MountTable(ground.resolve("proc"));
        var files = new ChangedFiles(zfs, mounts, new SnapshotTrees(zfs, mounts, ground.resolve("trees")));
        return files.since(zfs.catalog().get(VOLUME), zfs.catalog().get(STANDS));
    }

    @Test
    void nothingWrittenToWhatIsMountedNowhereIsNoChange() throws Exception {
        zfs.written = 0;
        zfs.says = "exit 1";

        assertThat(changed()).isEmpty();

        assertThat(zfs.changes).isEmpty();
    }

    @Test
    void whatIsMountedNowhereIsMountedForTheLookAlone() throws Exception {
        assertThat(changed()).isEmpty();

        assertThat(zfs.changes).containsExactly("mount tank/fs", "unmount");
    }

    @Test
    void whatIsMountedIsLookedThroughWhateverIsSaidToBeWritten() throws Exception {
        Files.writeString(table, MOUNTED);
        zfs.written = 0;
        zfs.says = "printf 'M\\t/\\t/mnt/a/\\n+\\tF\\t/mnt/a/d/new\\n'";

        assertThat(changed()).contains("/d/new is new");

        assertThat(zfs.changes).isEmpty();
    }

    @Test
    void folderAloneIsEvidenceToo() throws Exception {
        zfs.says = "printf 'M\\t/\\t/mnt/a/d\\n'";

        assertThat(changed())
                .hasValueSatisfying(evidence -> assertThat(evidence).contains("/d has changed"));
    }

    @Test
    void lookThatFailsIsNoAnswer() {
        zfs.says = "echo 'cannot diff' >&2; exit 1";

        assertThatThrownBy(this::changed).hasMessageContaining("cannot diff");
    }

    @Test
    void whatOnlyOthersSeeIsInUse() throws Exception {
        Files.writeString(table, FOLDER);

        assertThatThrownBy(this::changed)
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Busy.class))
                .hasMessageContaining("/srv/sub");
    }

    @Test
    void volumeThatDoesNotHaveTheSnapshotDoesNotStandAtIt() throws Exception {
        zfs.addFiles("tank/other", Map.of());
        zfs.objects.put(
                "tank/other@" + ZfsNames.forSnapshot(STANDS),
                zfs.objects.remove("tank/fs@" + ZfsNames.forSnapshot(STANDS)));

        assertThat(changed())
                .hasValueSatisfying(evidence -> assertThat(evidence).contains("tank/other"));
    }
}
