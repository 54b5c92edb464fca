package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders in which snapshots are mounted: made, kept while somebody is in them, and swept. */
class SnapshotTreesTest {
    private static final SnapshotId SNAPSHOT =
            new SnapshotId(VolumeId.of("zfs", "tank/fs"), new RecoveryPointId("rp-1"));

    @TempDir
    private Path ground;

    private Path folder;
    private Path table;
    private final MountingZfs zfs = new MountingZfs();
    private SnapshotTrees trees;

    private static final class MountingZfs extends FakeZfs {
        private final List<Path> mounted = new ArrayList<>();
        private boolean refusing;
        private boolean busy;

        @Override
        void mount(String snapshot, Path root) throws ProviderException {
            if (refusing) {
                throw new ProviderException(new ProviderError.Unexpected("mount", "test"));
            }
            mounted.add(root);
        }

        @Override
        void unmount(Path root) throws ProviderException {
            if (busy) {
                throw ZfsErrors.busy(root, "test");
            }
            mounted.remove(root);
        }
    }

    @BeforeEach
    void makeTrees() throws IOException {
        folder = ground.resolve("trees");
        table = Files.createDirectories(ground.resolve("proc/self")).resolve("mountinfo");
        Files.writeString(table, "");
        trees = new SnapshotTrees(zfs, new MountTable(ground.resolve("proc")), folder);
    }

    @Test
    void treeIsMountedUntilItIsClosedAndItsFolderGoesWithIt() throws Exception {
        var tree = trees.open(SNAPSHOT, "tank/fs@s");
        assertThat(zfs.mounted).containsExactly(tree.root());
        assertThatThrownBy(() -> trees.refuseWhileOpen(SNAPSHOT)).hasMessageContaining("reader");

        tree.close();
        tree.close();

        assertThat(zfs.mounted).isEmpty();
        assertThat(tree.root()).doesNotExist();
        assertThatCode(() -> trees.refuseWhileOpen(SNAPSHOT)).doesNotThrowAnyException();
    }

    @Test
    void treeThatSomebodyIsInStaysOpenUntilItCanBeClosed() throws Exception {
        var tree = trees.open(SNAPSHOT, "tank/fs@s");
        zfs.busy = true;
        assertThatThrownBy(tree::close).isInstanceOf(ProviderException.class);
        assertThatThrownBy(() -> trees.refuseWhileOpen(SNAPSHOT)).isInstanceOf(ProviderException.class);

        zfs.busy = false;
        trees.close();

        assertThat(zfs.mounted).isEmpty();
        assertThat(tree.root()).doesNotExist();
    }

    @Test
    void mountThatFailsLeavesNoFolder() throws Exception {
        zfs.refusing = true;

        assertThatThrownBy(() -> trees.open(SNAPSHOT, "tank/fs@s")).hasMessageContaining("test");

        try (var left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void onlyWhatIsMountedInTheFolderIsSwept() throws Exception {
        var left = Files.createDirectories(folder.resolve("tree-1"));
        var beside = ground.resolve("trees-of-others");
        Files.writeString(
                table,
                "31 22 0:27 / %s ro - zfs tank/fs@s ro%n32 22 0:28 / %s ro - zfs tank/fs@s ro%n"
                        .formatted(left, beside));
        zfs.mounted.addAll(List.of(left, beside));

        trees.sweep();

        assertThat(zfs.mounted).containsExactly(beside);
        assertThat(left).doesNotExist();
    }

    @Test
    void whatCannotBeSweptIsLeftAndKeepsNobodyFromStarting() throws Exception {
        var left = Files.createDirectories(folder.resolve("tree-1"));
        Files.writeString(left.resolve("file"), "of a snapshot");
        Files.writeString(table, "31 22 0:27 / %s ro - zfs tank/fs@s ro%n".formatted(left));
        zfs.busy = true;

        trees.sweep();

        assertThat(left.resolve("file")).exists();
    }
}
