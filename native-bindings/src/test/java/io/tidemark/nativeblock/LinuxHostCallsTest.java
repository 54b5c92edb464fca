package io.tidemark.nativeblock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.nativeblock.HostCalls.Extent;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Host calls against real file systems: skipped, with the reason, where none can be mounted. */
final class LinuxHostCallsTest {
    private static final int BTRFS_MEBIBYTES = 128;
    private static final int XFS_MEBIBYTES = 320;
    private static final int PIECE_BYTES = 16 << 10;
    private static final long BTRFS_MAGIC = 0x9123683EL;

    @BeforeEach
    void needsTheLibrary() {
        assumeTrue(
                BlockKernels.hostCalls().isPresent(),
                () -> "no native library: " + BlockKernels.unavailableReason().orElse(""));
    }

    private static HostCalls calls() {
        return BlockKernels.hostCalls().orElseThrow();
    }

    private static LoopFileSystem reflinking(String kind) throws IOException {
        return LoopFileSystem.make(kind, kind.equals("xfs") ? XFS_MEBIBYTES : BTRFS_MEBIBYTES);
    }

    private static void assertErrno(int errno, Path named, ThrowingCallable call) {
        assertThatExceptionOfType(HostCallException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
                .withMessageContaining(named.toString());
    }

    /** Pieces of 16 KiB with holes of 16 KiB between them, so that every piece is an extent of its own. */
    private static Path fragmented(Path file, int pieces) throws IOException {
        Files.write(file, BlockKernelContract.random(pieces, (2 * pieces - 1) * PIECE_BYTES));
        calls().syncFileSystem(file);
        for (int i = 1; i < 2 * pieces - 1; i += 2) {
            calls().punchHole(file, (long) i * PIECE_BYTES, PIECE_BYTES);
        }
        return file;
    }

    @ParameterizedTest
    @ValueSource(strings = {"btrfs", "xfs", "ext4"})
    void extentsAreListedInOrderAndAsManyAsCounted(String kind) throws IOException {
        try (var fileSystem = reflinking(kind)) {
            var file = fragmented(fileSystem.mount().resolve("image"), 300);

            var extents = calls().extents(file, 0, 1000);

            assertThat(extents).hasSize(300);
            assertThat(calls().extentCount(file)).isEqualTo(300);
            assertThat(extents).extracting(Extent::logicalBytes).isSorted().contains(0L, 2L * 299 * PIECE_BYTES);
            assertThat(extents).allSatisfy(extent -> {
                assertThat(extent.flags() & Extent.NOT_COMPARABLE).isZero();
                assertThat(extent.lengthBytes()).isEqualTo(PIECE_BYTES);
            });
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"btrfs", "xfs", "ext4"})
    void dataRangesAreTheWrittenPiecesAlsoBeforeTheyAreOnTheDisk(String kind) throws IOException {
        try (var fileSystem = reflinking(kind)) {
            var file = fragmented(fileSystem.mount().resolve("image"), 300);
            long end = 2L * 300 * PIECE_BYTES;
            try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                // Joins two pieces; behind the hole that follows the last one, not synced.
                channel.write(ByteBuffer.allocate(PIECE_BYTES), PIECE_BYTES);
                channel.write(ByteBuffer.allocate(PIECE_BYTES), end);
            }

            var ranges = calls().dataRanges(file, 0, 1000);

            assertThat(ranges).hasSize(300);
            assertThat(ranges.getFirst()).isEqualTo(new FileRange(0, 3 * PIECE_BYTES));
            assertThat(ranges.subList(1, 299))
                    .allSatisfy(range -> assertThat(range.lengthBytes()).isEqualTo(PIECE_BYTES));
            assertThat(ranges.getLast()).isEqualTo(new FileRange(end, PIECE_BYTES));
            assertThat(calls().dataRanges(file, ranges.get(10).endBytes(), 7)).isEqualTo(ranges.subList(11, 18));
            assertThat(calls().dataRanges(file, ranges.getLast().endBytes(), 7)).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"btrfs", "xfs", "ext4"})
    void whatIsAllocatedAndNotWrittenIsNoDataUntilItIsWritten(String kind) throws Exception {
        try (var fileSystem = reflinking(kind)) {
            var file = fileSystem.mount().resolve("image");
            var allocated = new ProcessBuilder("fallocate", "--length", "1MiB", file.toString())
                    .inheritIO()
                    .start();
            assertThat(allocated.waitFor()).isZero();
            assertThat(calls().dataRanges(file, 0, 7)).isEmpty();

            try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.allocate(PIECE_BYTES), 4 * PIECE_BYTES);
            }

            assertThat(calls().dataRanges(file, 0, 7)).containsExactly(new FileRange(4 * PIECE_BYTES, PIECE_BYTES));
        }
    }

    @Test
    void aLockStaysWhenTheFileIsClosedElsewhere(@TempDir Path folder) throws IOException {
        var file = Files.write(folder.resolve("image"), new byte[1]);
        try (var lock = calls().lock(file)) {
            assertThat(Files.readAllBytes(file)).hasSize(1);
            assertErrno(HostCallException.EAGAIN, file, () -> calls().lock(file));
            try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                assertThat(channel.tryLock()).isNull();
            }
        }
        calls().lock(file).close();
    }

    /** tmpfs. */
    @Test
    void whereExtentsAreNotListedTheyHaveNoAddressButHolesAreNone() throws IOException {
        var file = Files.createTempFile(Path.of("/dev/shm"), "tidemark-extents", "");
        try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(1 << 20);
            sparse.seek(512 << 10);
            sparse.write(1);

            var extents = calls().extents(file, 0, 7);

            assertThat(extents).singleElement().satisfies(extent -> {
                assertThat(extent.flags() & HostCalls.Extent.NOT_COMPARABLE).isNotZero();
                assertThat(extent.logicalBytes()).isEqualTo(512 << 10);
                assertThat(extent.lengthBytes()).isBetween(1L, 512L << 10);
            });
            assertThat(calls().extents(file, 1 << 20, 7)).isEmpty();
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void whereExtentsAreNotListedNoHoleIsBelieved() throws IOException {
        var file = Files.createTempFile(Path.of("/dev/shm"), "tidemark-holes", "");
        try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(1 << 20);

            assertErrno(HostCallException.EOPNOTSUPP, file, () -> calls().dataRanges(file, 0, 7));
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void askingAgainFromTheEndOfTheLastExtentListsThemAll() throws IOException {
        try (var fileSystem = reflinking("btrfs")) {
            var file = fragmented(fileSystem.mount().resolve("image"), 100);
            var collected = new ArrayList<Extent>();
            var page = calls().extents(file, 0, 7);
            while (!page.isEmpty()) {
                collected.addAll(page);
                page = calls().extents(
                                file,
                                page.getLast().logicalBytes() + page.getLast().lengthBytes(),
                                7);
            }

            assertThat(collected).isEqualTo(calls().extents(file, 0, 1000)).hasSize(100);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"btrfs", "xfs"})
    void reflinkSharesEveryExtentUntilOneSideIsWritten(String kind) throws IOException {
        try (var fileSystem = reflinking(kind)) {
            var source = fragmented(fileSystem.mount().resolve("source"), 50);
            var target = fileSystem.mount().resolve("target");

            calls().reflink(source, target);

            assertThat(Files.mismatch(source, target)).isEqualTo(-1);
            assertThat(calls().extents(target, 0, 100))
                    .extracting(Extent::physicalBytes)
                    .isEqualTo(calls().extents(source, 0, 100).stream()
                            .map(Extent::physicalBytes)
                            .toList());
            try (var access = new RandomAccessFile(source.toFile(), "rw")) {
                access.write(7);
            }
            assertThat(Files.mismatch(source, target)).isZero();
        }
    }

    @Test
    void reflinkReplacesWhatTheTargetHeld() throws IOException {
        try (var fileSystem = reflinking("btrfs")) {
            var source = fragmented(fileSystem.mount().resolve("source"), 2);
            var target = fragmented(fileSystem.mount().resolve("target"), 9);

            calls().reflink(source, target);

            assertThat(Files.mismatch(source, target)).isEqualTo(-1);
        }
    }

    @Test
    void reflinkThatIsRefusedLeavesNoTargetAndHarmsNoSource(@TempDir Path elsewhere) throws IOException {
        try (var fileSystem = reflinking("btrfs")) {
            var source = fragmented(fileSystem.mount().resolve("source"), 2);
            var before = Files.readAllBytes(source);
            var target = elsewhere.resolve("target");

            assertErrno(HostCallException.EXDEV, target, () -> calls().reflink(source, target));
            assertErrno(HostCallException.EINVAL, source, () -> calls().reflink(source, source));

            assertThat(target).doesNotExist();
            assertThat(Files.readAllBytes(source)).isEqualTo(before);
        }
    }

    @Test
    void reflinkOnAFileSystemWithoutItIsNotSupported() throws IOException {
        try (var fileSystem = LoopFileSystem.make("ext4", 32)) {
            var source = fragmented(fileSystem.mount().resolve("source"), 2);
            var target = fileSystem.mount().resolve("target");

            assertErrno(HostCallException.EOPNOTSUPP, target, () -> calls().reflink(source, target));

            assertThat(target).doesNotExist();
        }
    }

    @Test
    void btrfsSubvolumeIsMadeSnapshottedAndDeleted() throws IOException {
        try (var fileSystem = reflinking("btrfs")) {
            var subvolume = fileSystem.mount().resolve("volume one");
            var snapshot = fileSystem.mount().resolve("snapshot");
            calls().btrfsCreateSubvolume(subvolume);
            Files.writeString(subvolume.resolve("data"), "before");

            calls().btrfsSnapshot(subvolume, snapshot, true);
            Files.writeString(subvolume.resolve("data"), "after");

            assertThat(calls().btrfsIsSubvolume(subvolume)).isTrue();
            assertThat(calls().btrfsIsSubvolume(snapshot)).isTrue();
            assertThat(snapshot.resolve("data")).hasContent("before");
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> Files.writeString(snapshot.resolve("data"), "no"));
            calls().btrfsDeleteSubvolume(snapshot);
            assertThat(snapshot).doesNotExist();
            calls().btrfsDeleteSubvolume(subvolume);
            assertThat(subvolume).doesNotExist();
        }
    }

    @Test
    void writableSnapshotMayBeWritten() throws IOException {
        try (var fileSystem = reflinking("btrfs")) {
            var subvolume = fileSystem.mount().resolve("volume");
            var clone = fileSystem.mount().resolve("clone");
            calls().btrfsCreateSubvolume(subvolume);

            calls().btrfsSnapshot(subvolume, clone, false);

            Files.writeString(clone.resolve("data"), "yes");
            assertThat(subvolume.resolve("data")).doesNotExist();
        }
    }

    @Test
    void subvolumesTellWhatTheyAreAndWhatIsNestedInThem() throws IOException {
        try (var fileSystem = reflinking("btrfs")) {
            var subvolume = fileSystem.mount().resolve("volume");
            var snapshot = fileSystem.mount().resolve("snapshot");
            calls().btrfsCreateSubvolume(subvolume);
            Files.createDirectories(subvolume.resolve("a/b"));
            calls().btrfsCreateSubvolume(subvolume.resolve("a/b/deep"));
            calls().btrfsCreateSubvolume(subvolume.resolve("here"));
            calls().btrfsCreateSubvolume(subvolume.resolve("here/deeper"));

            calls().btrfsSnapshot(subvolume, snapshot, true);
            calls().btrfsCommit(fileSystem.mount());

            var nested = calls().btrfsNested(subvolume);
            assertThat(nested.count()).isEqualTo(2);
            assertThat(nested.some()).containsExactlyInAnyOrder("a/b/deep", "here");
            assertThat(calls().btrfsNested(snapshot).count()).isZero();
            var original = calls().btrfsSubvolume(subvolume);
            var cut = calls().btrfsSubvolume(snapshot);
            assertThat(original.readOnly()).isFalse();
            assertThat(cut.readOnly()).isTrue();
            assertThat(cut.id()).isGreaterThan(original.id());
            assertThat(cut.createdAt()).isAfterOrEqualTo(original.createdAt());
            assertThat(cut.createdAt()).isBetween(Instant.now().minusSeconds(600), Instant.now());
            assertThat(cut.lineage().parent()).isEqualTo(original.lineage().uuid());
            assertThat(cut.lineage().received()).isEqualTo(HostCalls.Lineage.NONE);
            assertThat(cut.lineage().streamId()).isEqualTo(cut.lineage().uuid());
            assertThat(cut.lineage().untouched()).isTrue();
            assertThat(LoopFileSystem.run("btrfs", "subvolume", "show", snapshot.toString()))
                    .contains(cut.lineage().uuid().toString());
            var received = new UUID(0x0102030405060708L, 0x090a0b0c0d0e0f10L);
            assertErrno(HostCallException.EROFS, snapshot, () -> calls().btrfsSetReceived(snapshot, received));
            calls().btrfsSetReceived(subvolume, received);
            assertThat(calls().btrfsSubvolume(subvolume).readOnly()).isTrue();
            assertThat(calls().btrfsSubvolume(subvolume).lineage().streamId()).isEqualTo(received);
            var folder = subvolume.resolve("a");
            assertErrno(HostCallException.EINVAL, folder, () -> calls().btrfsSubvolume(folder));
        }
    }

    @Test
    void subvolumesExchangeTheirNames() throws IOException {
        try (var fileSystem = reflinking("btrfs")) {
            var folder = Files.createDirectory(fileSystem.mount().resolve("folder"));
            var one = fileSystem.mount().resolve("one");
            var other = folder.resolve("other");
            calls().btrfsCreateSubvolume(one);
            calls().btrfsCreateSubvolume(other);
            Files.writeString(one.resolve("data"), "one");

            assertErrno(HostCallException.EEXIST, other, () -> calls().renameToNew(one, other));
            calls().exchange(one, other);

            assertThat(other.resolve("data")).hasContent("one");
            assertThat(one.resolve("data")).doesNotExist();
        }
    }

    @Test
    void plainFolderIsNoSubvolumeAndIsNotDeleted() throws IOException {
        try (var fileSystem = reflinking("btrfs")) {
            var folder = Files.createDirectory(fileSystem.mount().resolve("folder"));

            assertThat(calls().btrfsIsSubvolume(folder)).isFalse();
            assertErrno(HostCallException.EINVAL, folder, () -> calls().btrfsDeleteSubvolume(folder));

            assertThat(folder).exists();
        }
    }

    @Test
    void btrfsCallsElsewhereAreRefused(@TempDir Path folder) throws IOException {
        var subvolume = folder.resolve("volume");

        assertThat(calls().btrfsIsSubvolume(folder)).isFalse();
        assertThatExceptionOfType(HostCallException.class)
                .isThrownBy(() -> calls().btrfsCreateSubvolume(folder.resolve("a".repeat(256))));
        if (calls().fileSystemMagic(folder) != BTRFS_MAGIC) {
            assertErrno(HostCallException.ENOTTY, subvolume, () -> calls().btrfsCreateSubvolume(subvolume));
        }
    }

    @Test
    void punchedRangeOfAFileReadsAsZerosAndTheRestStays() throws IOException {
        try (var fileSystem = reflinking("ext4")) {
            var data = BlockKernelContract.random(1, 64 << 10);
            var file = Files.write(fileSystem.mount().resolve("image"), data);

            calls().punchHole(file, 4096, 8192);

            Arrays.fill(data, 4096, 4096 + 8192, (byte) 0);
            assertThat(Files.readAllBytes(file)).isEqualTo(data);
        }
    }

    @Test
    void blockDeviceTellsItsSizeIsHashedAndPunched() throws IOException {
        try (var fileSystem = reflinking("ext4")) {
            var data = BlockKernelContract.random(2, 1 << 20);
            var backing = Files.write(fileSystem.mount().resolve("backing"), data);
            var device = Path.of(LoopFileSystem.run("losetup", "--find", "--show", backing.toString()));
            try {
                var ofDevice = ByteBuffer.allocateDirect(256 * 16);
                var ofFile = ByteBuffer.allocateDirect(256 * 16);
                BlockKernels.best().hashBlocks(BlockKernelContract.direct(data), 4096, HashAlgorithm.XXH3_128, ofFile);
                for (var way : ReadBy.values()) {
                    var reading = FileScanContract.whole(1 << 20, 4096, way);
                    for (var kernel : List.of(BlockKernels.best(), new JavaBlockKernel())) {
                        kernel.scanFile(
                                FileScan.digests(device, reading, HashAlgorithm.XXH3_128, ofDevice), new ScanControl());
                        assertThat(ofDevice).isEqualTo(ofFile);
                    }
                }
                assertThat(calls().blockDeviceBytes(device)).isEqualTo(1 << 20);

                calls().punchHole(device, 8192, 4096);

                Arrays.fill(data, 8192, 8192 + 4096, (byte) 0);
                assertThat(Files.readAllBytes(device)).isEqualTo(data);
            } finally {
                LoopFileSystem.run("losetup", "--detach", device.toString());
            }
        }
    }

    @Test
    void thawTellsWhetherTheFileSystemWasFrozen() throws IOException {
        try (var fileSystem = reflinking("ext4")) {
            assertThat(calls().thaw(fileSystem.mount())).isFalse();
            LoopFileSystem.run("fsfreeze", "-f", fileSystem.mount().toString());

            assertThat(calls().thaw(fileSystem.mount())).isTrue();

            assertThat(fileSystem.isFrozen()).isFalse();
        }
    }

    @Test
    void fileSystemsTellTheirMagicAndSync(@TempDir Path folder) throws IOException {
        assertThat(calls().fileSystemMagic(Path.of("/proc"))).isEqualTo(0x9FA0);
        calls().syncFileSystem(folder);
        try (var fileSystem = reflinking("btrfs")) {
            assertThat(calls().fileSystemMagic(fileSystem.mount())).isEqualTo(BTRFS_MAGIC);
        }
    }

    @Test
    void whatIsMissingOrOfTheWrongKindIsRefusedByErrno(@TempDir Path folder) throws IOException {
        var absent = folder.resolve("absent");
        var file = Files.writeString(folder.resolve("file"), "data");

        assertErrno(HostCallException.ENOENT, absent, () -> calls().extents(absent, 0, 1));
        assertErrno(HostCallException.ENOENT, absent, () -> calls().extentCount(absent));
        assertErrno(HostCallException.ENOENT, absent, () -> calls().syncFileSystem(absent));
        assertErrno(HostCallException.ENOENT, absent, () -> calls().thaw(absent));
        assertErrno(HostCallException.ENOENT, absent, () -> calls().punchHole(absent, 0, 1));
        assertErrno(HostCallException.ENOENT, absent, () -> calls().fileSystemMagic(absent));
        assertErrno(HostCallException.ENOENT, absent, () -> calls().btrfsIsSubvolume(absent));
        assertErrno(HostCallException.ENOTTY, file, () -> calls().blockDeviceBytes(file));
    }

    @Test
    void badRangesAreRefusedBeforeTheKernelIsAsked(@TempDir Path folder) throws IOException {
        var file = Files.writeString(folder.resolve("file"), "data");

        assertThatIllegalArgumentException().isThrownBy(() -> calls().extents(file, -1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> calls().extents(file, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> calls().punchHole(file, -1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> calls().punchHole(file, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> calls().punchHole(file, 1, Long.MAX_VALUE));
    }

    @Test
    void pathsReachTheKernelByteForByte(@TempDir Path folder) throws IOException {
        for (var name : List.of("plain", "with space", "100%", "a%41b", "#?;&", "ünï")) {
            var file = Files.writeString(folder.resolve(name), "data");

            assertThat(calls().fileSystemMagic(file)).as(name).isPositive();
        }
        assertThat(NativePath.bytes(Path.of("/"))).containsExactly('/', 0);
        assertThat(NativePath.bytes(folder)).endsWith((byte) 0).doesNotContain('%');
    }
}
