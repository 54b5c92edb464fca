package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.nativeblock.ZfsCore;
import io.tidemark.nativeblock.ZvolCalls;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotStreams.Outgoing;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.lab.InLab;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What only streams of ZFS do: deaths, snapshots of others, keys, settings, and the programs they go through. */
@InLab
public class StreamedFileSystemsInLab {
    private static final String POOL = "streamed";
    private static final String FILE = "file";
    private static final int LARGE_BYTES = 3 << 20;
    private static final Optional<RecoveryPointId> WHOLE = Optional.empty();
    private static final RecoveryPointId FIRST = new RecoveryPointId("rp-1");
    private static final RecoveryPointId SECOND = new RecoveryPointId("rp-2");
    private static int datasets;

    private final String dataset = POOL + "/own-" + datasets++;
    private final Path mounts = Path.of("/mnt").resolve(dataset);
    private final DyingZfs dying = new DyingZfs();
    private final VolumeId source = VolumeId.of("zfs", dataset + "/a");
    private final VolumeId target = VolumeId.of("zfs", dataset + "/b");

    @SuppressWarnings("NullAway.Init") // opened before every test
    private ZfsProvider provider;

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

    @BeforeEach
    void makeDataset() throws Exception {
        Programs.run("zfs", "create", "-o", "mountpoint=" + mounts, dataset);
        provider = open(dying);
    }

    @AfterEach
    void closeProvider() {
        provider.close();
    }

    private ZfsProvider open(ZfsCommands commands) throws Exception {
        return ZfsProvider.open(
                new ZfsConfig(dataset),
                commands,
                ZvolCalls.load(),
                Cutting.Storage.of(ZfsCore.load()),
                new ZfsProvider.Time(InstantSource.system(), System::nanoTime));
    }

    private void make(String name, String... options) throws IOException {
        Programs.run("bash", "-c", "zfs create %s %s/%s".formatted(String.join(" ", options), dataset, name));
    }

    /** Both; the target is not mounted. */
    private void makeBoth() throws IOException {
        make("a");
        make("b");
        Programs.run("zfs", "umount", dataset + "/b");
    }

    private void write(String volume, String content) throws IOException {
        Files.writeString(mounts.resolve(volume).resolve(FILE), content);
    }

    private String contentMounted(String volume) throws IOException {
        Programs.run("zfs", "mount", dataset + "/" + volume);
        try {
            return Files.readString(mounts.resolve(volume).resolve(FILE));
        } finally {
            Programs.run("zfs", "umount", dataset + "/" + volume);
        }
    }

    private String content(SnapshotId snapshot) throws Exception {
        try (var tree = provider.tree(snapshot)) {
            return Files.readString(tree.root().resolve(FILE));
        }
    }

    private static SnapshotId at(VolumeId volume, RecoveryPointId point) {
        return new SnapshotId(volume, point);
    }

    private void cut(VolumeId volume, RecoveryPointId point) throws ProviderException {
        var request = new CutRequest(point, List.of(volume));
        provider.prepare(request);
        provider.cut(request);
    }

    private byte[] sent(VolumeId from, Optional<RecoveryPointId> older, RecoveryPointId newer) throws Exception {
        var bytes = new ByteArrayOutputStream();
        var piece = ByteBuffer.allocate(1 << 16);
        try (var outgoing = provider.send(older, at(from, newer))) {
            while (outgoing.read(piece) >= 0) {
                bytes.write(piece.array(), 0, piece.position());
                piece.clear();
            }
        }
        return bytes.toByteArray();
    }

    private void take(VolumeId into, Optional<RecoveryPointId> older, RecoveryPointId newer, byte[] stream)
            throws ProviderException {
        try (var incoming = provider.receive(older, at(into, newer))) {
            incoming.write(ByteBuffer.wrap(stream));
            incoming.finish();
        }
    }

    private void carry(VolumeId from, VolumeId into, Optional<RecoveryPointId> older, RecoveryPointId newer)
            throws Exception {
        take(into, older, newer, sent(from, older, newer));
        provider.rollback(at(into, newer));
    }

    /** The target stands at the first, which the second follows at the source. */
    private byte[] standing() throws Exception {
        write("a", "1");
        cut(source, FIRST);
        carry(source, target, WHOLE, FIRST);
        write("a", "2");
        cut(source, SECOND);
        return sent(source, Optional.of(FIRST), SECOND);
    }

    private List<RecoveryPointId> listed(VolumeId volume) throws ProviderException {
        return provider.snapshots(SnapshotQuery.ofVolume(volume)).snapshots().stream()
                .map(snapshot -> snapshot.id().recoveryPoint())
                .toList();
    }

    private List<String> all(String types) throws IOException {
        return Programs.run("zfs", "list", "-H", "-o", "name", "-t", types, "-r", dataset)
                .lines()
                .toList();
    }

    private static String get(String properties, String name) throws IOException {
        return Programs.run("zfs", "get", "-H", "-o", "value,source", properties, name);
    }

    private static ProviderError errorOf(ThrowingCallable call) {
        var thrown = catchThrowableOfType(ProviderException.class, call);
        assertThat(thrown).as("refused").isNotNull();
        return thrown.error();
    }

    /**
     * Upon the volume the note, the snapshot's properties, the end of the note; beside it, where it is mounted, without
     * the first.
     */
    @Test
    void deathAtAnyChangeOfAReceiptLeavesNothingOfTheSnapshotOrAllOfIt() throws Exception {
        makeBoth();
        var stream = standing();
        for (int changes = 0; changes <= 4; changes++) {
            boolean beside = changes > 2;
            if (beside) {
                Programs.run("zfs", "mount", dataset + "/b");
            }
            dying.changesLeft = changes % 3;
            errorOf(() -> take(target, Optional.of(FIRST), SECOND, stream));
            dying.changesLeft = Integer.MAX_VALUE;
            if (beside) {
                Programs.run("zfs", "umount", dataset + "/b");
            }

            provider.close();
            provider = open(dying);

            boolean made = changes > 0;
            assertThat(listed(target)).as("%d changes", changes).hasSize(made ? 2 : 1);
            assertThat(get(ZfsNames.ARRIVING, dataset + "/b")).as("note").startsWith("-");
            if (made) {
                assertThat(content(at(target, SECOND))).isEqualTo("2");
                provider.delete(at(target, SECOND));
                provider.rollback(at(target, FIRST));
            }
            assertThat(all("filesystem")).as("%d changes", changes).hasSize(3);
        }
        assertThat(contentMounted("b")).isEqualTo("1");
    }

    @Test
    void killedProgramLeavesNothingAndItsEndIsNoEnd() throws Exception {
        makeBoth();
        Files.write(mounts.resolve("a/large"), randomBytes());
        var stream = standing();

        try (var outgoing = provider.send(WHOLE, at(source, FIRST))) {
            var piece = ByteBuffer.allocate(1 << 16);
            outgoing.read(piece);
            kill("zfs send");
            assertThat(errorOf(() -> readToTheEnd(outgoing, piece)).message()).contains("exit status 137");
        }
        var before = all("all");
        try (var incoming = provider.receive(Optional.of(FIRST), at(target, SECOND))) {
            incoming.write(ByteBuffer.wrap(stream, 0, stream.length / 2));
            kill("zfs receive");
            errorOf(() -> {
                incoming.write(ByteBuffer.wrap(stream, stream.length / 2, stream.length - stream.length / 2));
                incoming.finish();
            });
        }

        assertThat(all("all")).isEqualTo(before);
        take(target, Optional.of(FIRST), SECOND, stream);
        provider.rollback(at(target, SECOND));
        assertThat(contentMounted("b")).isEqualTo("2");
    }

    private static void readToTheEnd(Outgoing outgoing, ByteBuffer piece) throws ProviderException {
        int read;
        do {
            read = outgoing.read(piece.clear());
        } while (read >= 0);
    }

    private static byte[] randomBytes() {
        var bytes = new byte[LARGE_BYTES];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    private static void kill(String program) throws Exception {
        for (var process : ProcessHandle.current().descendants().toList()) {
            if (process.info().commandLine().orElse("").contains(program)) {
                process.destroyForcibly();
                process.onExit().get();
                return;
            }
        }
        throw new AssertionError("no " + program + " is running");
    }

    @Test
    void snapshotOfSomebodyElseIsNeverDestroyed() throws Exception {
        makeBoth();
        var stream = standing();
        var early = dataset + "/b@somebodys-early";
        var late = dataset + "/b@somebodys-late";
        Programs.run("zfs", "snapshot", early);
        try (var incoming = provider.receive(Optional.of(FIRST), at(target, SECOND))) {
            incoming.write(ByteBuffer.wrap(stream, 0, stream.length - 1));
            awaitBegun(dataset + "/b");
            Programs.run("zfs", "snapshot", late);
            incoming.write(ByteBuffer.wrap(stream, stream.length - 1, 1));
            assertThat(errorOf(incoming::finish))
                    .isInstanceOfSatisfying(
                            ProviderError.Busy.class,
                            busy -> assertThat(busy.holder()).contains(late));
        }

        assertThat(all("snapshot")).contains(early, late);
        assertThat(listed(target)).containsExactly(FIRST);
        take(target, Optional.of(FIRST), SECOND, stream);
        provider.rollback(at(target, SECOND));
        assertThat(contentMounted("b")).isEqualTo("2");
        assertThat(all("snapshot")).contains(early, late);
    }

    /** ZFS begins once it has read the first record; a snapshot from before that is in nobody's way. */
    private void awaitBegun(String volume) throws Exception {
        for (int looks = 0; looks < 100; looks++) {
            if (all("snapshot").stream().anyMatch(each -> isReceivedUpon(each, volume))) {
                return;
            }
            Thread.sleep(50);
        }
        throw new AssertionError("zfs receive has not begun");
    }

    private static boolean isReceivedUpon(String snapshot, String volume) {
        try {
            return get("clones", snapshot).contains(volume + "/%recv");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void snapshotOfSomebodyElseThatHasChangesIsPutAsideWithThem() throws Exception {
        makeBoth();
        var stream = standing();
        Programs.run("zfs", "mount", dataset + "/b");
        write("b", "of somebody");
        Programs.run("zfs", "snapshot", dataset + "/b@somebodys");

        take(target, Optional.of(FIRST), SECOND, stream);

        assertThat(Files.readString(mounts.resolve("b").resolve(FILE))).isEqualTo("of somebody");
        assertThat(errorOf(() -> provider.rollback(at(target, SECOND)))).isInstanceOf(ProviderError.Busy.class);
        Programs.run("zfs", "umount", dataset + "/b");
        provider.rollback(at(target, SECOND));
        assertThat(contentMounted("b")).isEqualTo("2");
        assertThat(all("snapshot")).anyMatch(each -> each.endsWith("@somebodys"));
    }

    @Test
    void wholeSnapshotKeepsWhatIsSetOnItsTarget() throws Exception {
        make("a");
        make("b", "-o quota=60M -o readonly=on -o canmount=noauto -o acltype=posix");
        var before = get("quota,readonly,canmount,mountpoint,acltype", dataset + "/b");
        write("a", "1");
        cut(source, FIRST);
        Programs.run("zfs", "mount", dataset + "/b");

        take(target, WHOLE, FIRST, sent(source, WHOLE, FIRST));

        // It was mounted all the time.
        assertThat(mounts.resolve("b")).isEmptyDirectory();
        Programs.run("zfs", "umount", dataset + "/b");
        provider.rollback(at(target, FIRST));
        assertThat(get("quota,readonly,canmount,mountpoint,acltype", dataset + "/b"))
                .isEqualTo(before);
        assertThat(contentMounted("b")).isEqualTo("1");
        assertThat(all("filesystem")).hasSize(3);
    }

    @Test
    void encryptedFileSystemTravelsAsItIs() throws Exception {
        Files.writeString(Files.createDirectories(mounts).resolve("key"), "k".repeat(32));
        make("a", "-o encryption=on -o keyformat=raw -o keylocation=file://" + mounts.resolve("key"));
        make("b");
        Programs.run("zfs", "umount", dataset + "/b");
        var stream = standing();
        take(target, Optional.of(FIRST), SECOND, stream);
        provider.rollback(at(target, SECOND));

        // The key is needed for looking at the files alone.
        assertThat(provider.changedSince(target, Optional.of(SECOND))).isEmpty();
        assertThat(errorOf(() -> content(at(target, SECOND))).message()).contains("zfs load-key " + dataset + "/b");
        Programs.run("zfs", "load-key", "-L", "file://" + mounts.resolve("key"), dataset + "/b");
        assertThat(contentMounted("b")).isEqualTo("2");

        Programs.run("zfs", "mount", dataset + "/b");
        write("b", "3");
        var third = new RecoveryPointId("rp-3");
        cut(target, third);
        Programs.run("zfs", "umount", dataset + "/a");
        carry(target, source, Optional.of(SECOND), third);
        assertThat(contentMounted("a")).isEqualTo("3");
    }

    @Test
    void whatIsNotEncryptedDoesNotTakeThePlaceOfWhatIs() throws Exception {
        Files.writeString(Files.createDirectories(mounts).resolve("key"), "k".repeat(32));
        make("a");
        make("b", "-o encryption=on -o keyformat=raw -o keylocation=file://" + mounts.resolve("key"));
        make("b/inner");
        write("a", "1");
        cut(source, FIRST);
        var stream = sent(source, WHOLE, FIRST);

        assertThat(errorOf(() -> take(target, WHOLE, FIRST, stream)).message()).contains("key of its own");

        // Below another one's key it is encrypted as it comes.
        var inner = VolumeId.of("zfs", dataset + "/b/inner");
        take(inner, WHOLE, FIRST, stream);
        Programs.run("zfs", "umount", dataset + "/b/inner");
        provider.rollback(at(inner, FIRST));
        assertThat(get("encryptionroot", dataset + "/b/inner")).startsWith(dataset + "/b\t");
        assertThat(contentMounted("b/inner")).isEqualTo("1");
    }

    @Test
    void changesAreSeenWhetherMountedOrNotAndNothingIsLeftOfTheLook() throws Exception {
        makeBoth();
        standing();
        Programs.run("zfs", "mount", dataset + "/b");
        // Not on the disks yet.
        Files.writeString(mounts.resolve("b/new"), "new");
        assertThat(provider.changedSince(target, Optional.of(FIRST))).contains("/new is new");
        Programs.run("zfs", "umount", dataset + "/b");
        assertThat(provider.changedSince(target, Optional.of(FIRST))).contains("/new is new");
        assertThat(provider.changedSince(target, WHOLE)).isPresent();
        provider.rollback(at(target, FIRST));
        assertThat(provider.changedSince(target, Optional.of(FIRST))).isEmpty();

        assertThat(provider.volume(target).mountPoints()).isEmpty();
        assertThat(all("snapshot")).hasSize(3);
        make("c");
        make("c/below");
        assertThat(provider.changedSince(VolumeId.of("zfs", dataset + "/c"), WHOLE))
                .as("a folder to mount in")
                .isEmpty();
    }

    @Test
    void volumesOfBlocksHaveNoStreams() throws Exception {
        make("v", "-V", "1M");
        var blocks = VolumeId.of("zfs", dataset + "/v");
        cut(blocks, FIRST);

        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> provider.send(WHOLE, at(blocks, FIRST)),
                () -> provider.receive(WHOLE, at(blocks, SECOND)),
                () -> provider.changedSince(blocks, WHOLE))) {
            assertThat(errorOf(call)).isInstanceOf(ProviderError.Conflict.class);
            assertThat(errorOf(call).message()).contains("block by block");
        }
    }

    @Test
    void streamComesFromASnapshotThatLiesBeforeTheOther() throws Exception {
        makeBoth();
        standing();

        assertThat(errorOf(() -> provider.send(Optional.of(SECOND), at(source, FIRST))))
                .isInstanceOf(ProviderError.Conflict.class);
        assertThat(errorOf(() -> provider.send(Optional.of(FIRST), at(source, FIRST))))
                .isInstanceOf(ProviderError.Conflict.class);
    }
}
