package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.nativeblock.ZfsCore;
import io.tidemark.nativeblock.ZvolCalls;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.FileTrees;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.lab.InLab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What only file systems do: mounts, settings, what lies below one, keys, and kills between a rollback's steps. */
@InLab
public class FileSystemVolumesInLab {
    private static final String POOL = "owned";
    private static final String FILE = "file";
    private static int datasets;

    private final String dataset = POOL + "/own-" + datasets++;
    private final Path mounts = Path.of("/mnt").resolve(dataset);
    private int points;

    @BeforeAll
    static void makePool() throws IOException {
        Programs.run("losetup", "/dev/loop0", "/dev/ubda");
        Programs.run("zpool", "create", "-f", "-O", "mountpoint=none", POOL, "/dev/loop0");
    }

    @AfterAll
    static void removePool() throws IOException {
        Programs.run("zpool", "destroy", POOL);
        Programs.run("losetup", "-d", "/dev/loop0");
    }

    /** The test's own, below which file systems are mounted where their names say. */
    @BeforeEach
    void makeDataset() throws IOException {
        Programs.run("zfs", "create", "-o", "mountpoint=" + mounts, dataset);
    }

    private ZfsProvider open(ZfsCommands commands) throws Exception {
        var core = ZfsCore.load();
        return ZfsProvider.open(
                new ZfsConfig(dataset),
                commands,
                ZvolCalls.load(),
                Cutting.Storage.of(core),
                new ZfsProvider.Time(InstantSource.system(), System::nanoTime));
    }

    private ZfsProvider open() throws Exception {
        return open(new ZfsCommands(new CommandRunner()));
    }

    private String in(String name) {
        return dataset + "/" + name;
    }

    private VolumeId made(String name, String... options) throws IOException {
        Programs.run("bash", "-c", "zfs create %s %s".formatted(String.join(" ", options), in(name)));
        return VolumeId.of("zfs", in(name));
    }

    private void write(String name, String content) throws IOException {
        Files.writeString(mounts.resolve(name).resolve(FILE), content);
    }

    private String content(String name) throws IOException {
        return Files.readString(mounts.resolve(name).resolve(FILE));
    }

    private SnapshotId cut(ZfsProvider provider, VolumeId volume) throws ProviderException {
        var request = new CutRequest(new RecoveryPointId("rp-%03d".formatted(points++)), List.of(volume));
        provider.prepare(request);
        return provider.cut(request).members().getFirst().snapshot().id();
    }

    private static String get(String properties, String fileSystem) throws IOException {
        return Programs.run("zfs", "get", "-H", "-o", "value,source", properties, fileSystem);
    }

    private static ProviderError errorOf(ThrowingCallable call) {
        var thrown = catchThrowableOfType(ProviderException.class, call);
        assertThat(thrown).as("refused").isNotNull();
        return thrown.error();
    }

    private static String contentOf(FileTrees provider, SnapshotId snapshot) throws Exception {
        try (var tree = provider.tree(snapshot)) {
            return Files.readString(tree.root().resolve(FILE));
        }
    }

    /** {@code -Dtidemark.lab.changes=1} kills before each change; a kill takes half a minute. */
    private static final int KILLED_EVERY = Integer.getInteger("tidemark.lab.changes", 3);

    /** Clone, mark, two renames, another mark, promotion, two for the mount; the ninth takes the branch's head back. */
    @Test
    void rollbackKilledAnywhereLeavesTheOldContentOrTheSnapshots() throws Exception {
        for (int changes = 1; changes <= 8; changes += KILLED_EVERY) {
            // The next start may die, too.
            killed("orders-" + changes, changes, changes % 3);
        }
    }

    private void killed(String name, int changes, int changesOfSweep) throws Exception {
        var dying = new DyingZfs();
        VolumeId volume;
        SnapshotId older;
        SnapshotId newer;
        try (var provider = open(dying)) {
            volume = made(name);
            write(name, "1");
            older = cut(provider, volume);
            write(name, "2");
            newer = cut(provider, volume);
            write(name, "3");
            Programs.run("zfs", "umount", in(name));
            dying.changesLeft = changes;
            attempt(dying, () -> provider.rollback(older));
        }
        // As the next boot does: nothing of a rollback that is under way is mounted in the volume's place.
        Programs.run("zfs", "mount", "-a");
        assertThat(Files.exists(mounts.resolve(name).resolve(FILE)))
                .as("mounted by a boot after %d changes", changes)
                .isEqualTo(changes < 2 || changes > 6);
        Programs.attempt(List.of("zfs", "umount", in(name)));
        var sweep = new DyingZfs();
        sweep.changesLeft = changesOfSweep;
        attempt(sweep, () -> open(sweep).close());

        try (var provider = open()) {
            assertThat(get("canmount,tidemark:canmount", in(name)).lines())
                    .as("%d changes", changes)
                    .containsExactly("on\tdefault", "-\t-");
            Programs.run("zfs", "mount", in(name));
            assertThat(content(name)).as("%d changes", changes).isEqualTo(changes < 3 ? "3" : "1");
            assertThat(contentOf(provider, older)).isEqualTo("1");
            assertThat(contentOf(provider, newer)).isEqualTo("2");
            Programs.run("zfs", "umount", in(name));
            provider.delete(older);
            provider.delete(newer);
            provider.remove(volume);
            assertThat(provider.volumes()).isEmpty();
        }
        assertThat(Programs.run("zfs", "list", "-H", "-o", "name", "-t", "all", "-r", dataset))
                .isEqualTo(dataset);
    }

    private interface Call {
        void run() throws Exception;
    }

    private static void attempt(DyingZfs commands, Call call) throws Exception {
        try {
            call.run();
        } catch (ProviderException e) {
            assertThat(commands.changesLeft).as(e.getMessage()).isZero();
        }
    }

    @Test
    void whatIsSetOnAFileSystemIsSetAfterARollbackToo() throws Exception {
        var volume = made(
                "db",
                "-o quota=50M -o refquota=40M -o recordsize=16K -o compression=zstd -o acltype=posix -o xattr=sa",
                "-o canmount=on -o setuid=off -o snapdir=visible -o sharenfs=rw=@10.0.0.0/8 -o filesystem_limit=none",
                "-o org:owner=db -o reservation=1M -o special_small_blocks=4K -o mountpoint=" + mounts + "/elsewhere");
        try (var provider = open()) {
            var older = cut(provider, volume);
            cut(provider, volume);
            Programs.run("zfs", "umount", in("db"));
            var before = settings("db");
            assertThat(before).hasSize(15);

            provider.rollback(older);

            assertThat(settings("db")).isEqualTo(before);
            assertThat(provider.volume(volume).mountPoints()).isEmpty();
            var branch = ZfsNames.forBranch(in("db"), 1);
            assertThat(get("mounted,canmount,reservation", branch).lines())
                    .containsExactly("no\t-", "noauto\tlocal", "none\tlocal");
        }
    }

    private List<String> settings(String name) throws IOException {
        return Programs.run("zfs", "get", "-Hp", "-s", "local", "-o", "property,value", "all", in(name))
                .lines()
                .filter(line -> !line.startsWith(ZfsNames.OWN_PROPERTY))
                .toList();
    }

    @Test
    void whatLiesBelowAFileSystemStaysWhereItIs() throws Exception {
        var volume = made("top");
        try (var provider = open()) {
            write("top", "1");
            var older = cut(provider, volume);
            write("top", "2");
            Programs.run("zfs", "umount", in("top"));
            made("top/below");
            write("top/below", "kept");

            // Nothing is newer.
            provider.rollback(older);
            var newer = cut(provider, volume);
            assertThat(contentOf(provider, newer)).isEqualTo("1");
            var refused = errorOf(() -> provider.rollback(older));

            assertThat(refused).isInstanceOf(ProviderError.Conflict.class);
            assertThat(refused.message()).contains(in("top/below"));
            assertThat(content("top/below")).isEqualTo("kept");
            provider.delete(older);
            provider.delete(newer);
            assertThat(errorOf(() -> provider.remove(volume)).message()).contains(in("top/below"));
            assertThat(provider.volumes()).hasSize(2);
        }
    }

    @Test
    void bookmarkThatIsNewerIsNoHindrance() throws Exception {
        var volume = made("marked");
        try (var provider = open()) {
            write("marked", "1");
            var snapshot = cut(provider, volume);
            Programs.run("zfs", "snapshot", in("marked@later"));
            Programs.run("zfs", "bookmark", in("marked@later"), in("marked#later"));
            Programs.run("zfs", "destroy", in("marked@later"));
            write("marked", "2");
            Programs.run("zfs", "umount", in("marked"));

            provider.rollback(snapshot);

            Programs.run("zfs", "mount", in("marked"));
            assertThat(content("marked")).isEqualTo("1");
        }
    }

    @Test
    void fileSystemThatIsMountedIsNeitherRolledBackNorRemoved() throws Exception {
        var volume = made("used");
        try (var provider = open()) {
            var loose = made("loose", "-o mountpoint=legacy");
            write("used", "1");
            var snapshot = cut(provider, volume);
            assertThat(errorOf(() -> provider.rollback(snapshot)).message())
                    .contains("the mount at " + mounts.resolve("used"));
            var legacy = Files.createDirectories(mounts.resolve("legacy"));
            Programs.run("mount", "-t", "zfs", in("loose"), legacy.toString());
            assertThat(provider.volume(loose).mountPoints()).containsExactly(legacy);
            assertThat(errorOf(() -> provider.remove(loose))).isInstanceOf(ProviderError.Busy.class);

            // A namespace of its own keeps the mount that goes here.
            var other = new ProcessBuilder("unshare", "-m", "sleep", "600").start();
            try {
                awaitOwnNamespace(other.pid());
                Programs.run("umount", legacy.toString());
                assertThat(provider.volume(loose).mountPoints()).isEmpty();
                assertThat(errorOf(() -> provider.remove(loose)).message()).contains("process " + other.pid());
            } finally {
                other.destroyForcibly().waitFor();
            }
            provider.remove(loose);
            assertThat(content("used")).isEqualTo("1");
        }
    }

    private static void awaitOwnNamespace(long process) throws Exception {
        var own = Files.readSymbolicLink(Path.of("/proc/self/ns/mnt"));
        var others = Path.of("/proc", String.valueOf(process), "ns/mnt");
        for (int looks = 0; looks < 500 && Files.readSymbolicLink(others).equals(own); looks++) {
            Thread.sleep(10);
        }
        assertThat(Files.readSymbolicLink(others)).isNotEqualTo(own);
    }

    @Test
    void treeIsReadThroughARollbackAndKeepsItsSnapshot() throws Exception {
        var volume = made("read", "-o canmount=noauto");
        Programs.run("zfs", "mount", in("read"));
        try (var provider = open()) {
            write("read", "1");
            var older = cut(provider, volume);
            write("read", "2");
            cut(provider, volume);
            Programs.run("zfs", "umount", in("read"));
            var tree = provider.tree(older);

            provider.rollback(older);

            assertThat(tree.root().resolve(FILE)).hasContent("1");
            assertThatThrownBy(() -> Files.writeString(tree.root().resolve(FILE), "no"))
                    .isInstanceOf(IOException.class);
            assertThat(errorOf(() -> provider.delete(older))).isInstanceOf(ProviderError.Busy.class);
            tree.close();
            tree.close();
            assertThat(tree.root()).doesNotExist();
            provider.delete(older);
            assertThat(errorOf(() -> provider.tree(older))).isInstanceOf(ProviderError.SnapshotNotFound.class);
        }
    }

    @Test
    void treeThatAProcessHasLeftIsSweptAtTheNextStart() throws Exception {
        var volume = made("left");
        Path left;
        try (var provider = open()) {
            write("left", "1");
            var snapshot = cut(provider, volume);
            var tree = provider.tree(snapshot);
            left = Files.createDirectory(tree.root().resolveSibling("left"));
            tree.close();
            Programs.run("mount", "-t", "zfs", "-o", "ro", snapshotName(volume, snapshot), left.toString());
            assertThat(left.resolve(FILE)).hasContent("1");
        }

        open().close();

        assertThat(left).doesNotExist();
        assertThat(Programs.run("cat", "/proc/self/mountinfo")).doesNotContain("/run/tidemark-zfs");
    }

    private static String snapshotName(VolumeId volume, SnapshotId snapshot) {
        return volume.name() + "@" + ZfsNames.forSnapshot(snapshot);
    }

    @Test
    void fileSystemWithoutItsKeyIsCutHeldAndRolledBackAndItsFilesAskForTheKey() throws Exception {
        var key = Files.writeString(Path.of("/tmp/key-of-" + dataset.replace('/', '-')), "a passphrase\n");
        var volume = made("secret", "-o encryption=on -o keyformat=passphrase -o keylocation=file://" + key);
        try (var provider = open()) {
            write("secret", "1");
            var older = cut(provider, volume);
            write("secret", "2");
            Programs.run("zfs", "umount", in("secret"));
            Programs.run("zfs", "unload-key", in("secret"));

            var newer = cut(provider, volume);
            provider.hold(newer, new HoldOwner("test"));
            provider.release(newer, new HoldOwner("test"));
            var refused = errorOf(() -> provider.tree(newer));
            assertThat(refused).isInstanceOf(ProviderError.Conflict.class);
            assertThat(refused.message()).contains("zfs load-key " + in("secret"));
            provider.rollback(older);

            Programs.run("zfs", "load-key", in("secret"));
            Programs.run("zfs", "mount", in("secret"));
            assertThat(content("secret")).isEqualTo("1");
            assertThat(contentOf(provider, newer)).isEqualTo("2");
            assertThat(get("keylocation,encryptionroot", in("secret")).lines())
                    .containsExactly("file://" + key + "\tlocal", in("secret") + "\t-");
            provider.delete(newer);
            assertThat(provider.volumes()).hasSize(1);
        }
    }

    @Test
    void cloneIsSeenWhereItIsToldToBeAndKeepsWhatDecidesWhoMayDoWhat() throws Exception {
        var volume = made("origin", "-o setuid=off -o acltype=posix");
        try (var provider = open()) {
            write("origin", "1");
            var clone = VolumeId.of("zfs", "restored");
            provider.clone(new CloneRequest(cut(provider, volume), clone));
            var name = ZfsNames.forVolume(dataset, clone);
            assertThat(provider.volume(clone).mountPoints()).isEmpty();

            Programs.run("zfs", "set", "mountpoint=" + mounts + "/restored", name);

            assertThat(provider.volume(clone).mountPoints()).containsExactly(mounts.resolve("restored"));
            assertThat(content("restored")).isEqualTo("1");
            assertThat(get("setuid,acltype", name).lines()).containsExactly("off\tlocal", "posix\tlocal");
        }
    }

    @Test
    void fileSystemAtItsQuotaIsCut() throws Exception {
        var volume = made("full", "-o refquota=1M");
        try (var provider = open()) {
            var file = mounts.resolve("full").resolve(FILE);
            assertThatThrownBy(() -> Files.write(file, new byte[4 << 20])).isInstanceOf(IOException.class);
            Programs.run("zpool", "sync", POOL);
            assertThat(Long.parseLong(Programs.run("zfs", "get", "-Hp", "-o", "value", "available", in("full"))))
                    .isLessThan(1 << 20);

            assertThat(cut(provider, volume).volume()).isEqualTo(volume);
        }
    }
}
