package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lines as the storage lab's kernel wrote them: Linux 6.1, OpenZFS 2.1.11. */
class MountTableTest {
    private static final String ROOT = "22 1 0:20 / / rw,relatime - overlay overlay rw,lowerdir=/a";
    private static final String MOUNTED = "31 22 0:27 / /mnt/a\\040b rw - zfs tank/fs rw,xattr,noacl";
    private static final String FOLDER = "33 22 0:27 /sub /srv/sub rw shared:3 - zfs tank/fs rw,xattr,noacl";
    private static final String SNAPSHOT = "32 28 0:28 / /run/t/x ro,relatime - zfs tank/fs@s1 ro,xattr,noacl";

    @TempDir
    private Path processes;

    private MountTable table;

    @BeforeEach
    void makeTable() throws IOException {
        process("self", "mnt:[1]", ROOT);
        table = new MountTable(processes);
    }

    private void process(String name, String namespace, String... lines) throws IOException {
        var folder = Files.createDirectories(processes.resolve(name).resolve("ns"));
        Files.createSymbolicLink(folder.resolve("mnt"), Path.of(namespace));
        Files.writeString(processes.resolve(name).resolve("mountinfo"), String.join("\n", lines) + "\n");
    }

    private void own(String... lines) throws IOException {
        Files.writeString(processes.resolve("self").resolve("mountinfo"), String.join("\n", lines) + "\n");
    }

    @Test
    void pointsAreThoseWhereTheRootIsSeen() throws Exception {
        own(ROOT, MOUNTED, SNAPSHOT, FOLDER, MOUNTED.replace("/mnt/a\\040b", "/second"));

        var points = MountTable.pointsOf(table.ofHost(), "tank/fs");

        assertThat(points).containsExactly(Path.of("/mnt/a b"), Path.of("/second"));
    }

    @Test
    void fileSystemIsUsedWhereAnyFolderOfItIsMounted() throws Exception {
        own(ROOT, FOLDER);

        assertThatThrownBy(() -> table.refuseWhileMounted("zfs:tank/fs", "tank/fs"))
                .isInstanceOfSatisfying(
                        ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Busy.class))
                .hasMessageContaining("/srv/sub");
    }

    @Test
    void mountOfASnapshotOrOfANeighbourIsNoneOfTheFileSystem() throws Exception {
        own(ROOT, SNAPSHOT, MOUNTED.replace("tank/fs", "tank/fs2"), MOUNTED.replace(" - zfs", " - other"));

        assertThatCode(() -> table.refuseWhileMounted("zfs:tank/fs", "tank/fs")).doesNotThrowAnyException();
    }

    @Test
    void mountInAnotherNamespaceIsNamedWithAProcessThatSeesIt() throws Exception {
        process("17", "mnt:[1]", ROOT);
        process("4711", "mnt:[2]", ROOT, MOUNTED);

        assertThatThrownBy(() -> table.refuseWhileMounted("zfs:tank/fs", "tank/fs"))
                .hasMessageContaining("/mnt/a b")
                .hasMessageContaining("process 4711");
    }

    /** As a container may have it, whose names nobody has checked. */
    @Test
    void nameThatIsNoUtf8HidesNoMount() throws Exception {
        var odd = (ROOT.replace(" / / ", " / /odd-X ") + "\n" + MOUNTED + "\n").getBytes(StandardCharsets.ISO_8859_1);
        odd[new String(odd, StandardCharsets.ISO_8859_1).indexOf('X')] = (byte) 0xff;
        Files.write(processes.resolve("self").resolve("mountinfo"), odd);

        assertThatThrownBy(() -> table.refuseWhileMounted("zfs:tank/fs", "tank/fs"))
                .hasMessageContaining("/mnt/a b");
    }

    @Test
    void processThatHasEndedOrHidesItsNamespaceIsAskedForItsMountsAlone() throws Exception {
        Files.createDirectories(processes.resolve("9"));
        Files.createDirectories(processes.resolve("10"));
        Files.writeString(processes.resolve("10").resolve("mountinfo"), MOUNTED + "\n");

        assertThatThrownBy(() -> table.refuseWhileMounted("zfs:tank/fs", "tank/fs"))
                .hasMessageContaining("process 10");
    }
}
