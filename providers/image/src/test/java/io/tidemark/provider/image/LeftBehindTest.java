package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** States that a crash can leave, laid out by hand, and what the next start makes of them. */
class LeftBehindTest {
    private static final VolumeId VOLUME = VolumeId.of("image", "a/b");
    private static final SnapshotId SNAPSHOT = new SnapshotId(VOLUME, new RecoveryPointId("rp-1"));

    private Path folder = Path.of("");
    private Path ours = Path.of("");

    @BeforeEach
    void aVolumeWithASnapshot() throws Exception {
        folder = Files.createTempDirectory("tidemark-left-");
        ours = folder.resolve(ImageFolder.OURS);
        try (var provider = CrashSubject.open(folder)) {
            provider.create(VOLUME, 8192);
            fill(provider, 1);
            provider.cut(new CutRequest(SNAPSHOT.recoveryPoint(), List.of(VOLUME)));
            fill(provider, 2);
        }
    }

    @AfterEach
    void delete() throws Exception {
        FolderSweep.deleteTree(folder, Optional.empty());
    }

    private static void fill(StorageProvider provider, int value) throws Exception {
        var bytes = new byte[8192];
        Arrays.fill(bytes, (byte) value);
        try (var writer = provider.write(VOLUME)) {
            writer.write(0, ByteBuffer.wrap(bytes));
            writer.flush();
        }
    }

    private static int firstByte(StorageProvider provider) throws Exception {
        try (var writer = provider.write(VOLUME)) {
            var one = ByteBuffer.allocate(1);
            writer.read(0, one);
            return one.get(0);
        }
    }

    @Test
    void recordWithoutBytesIsNoSnapshotAndIsSwept() throws Exception {
        Files.copy(ours.resolve("snapshots/a+b@rp-1.record"), ours.resolve("snapshots/a+b@rp-2.record"));

        try (var provider = CrashSubject.open(folder)) {
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .hasSize(1);
            assertThat(ours.resolve("snapshots/a+b@rp-2.record")).doesNotExist();
        }
    }

    @Test
    void halfMadeBytesAndWorkAreSwept() throws Exception {
        Files.write(ours.resolve("snapshots/a+b@rp-2.img.partial"), new byte[10]);
        Files.write(ours.resolve("work/clone.new"), new byte[10]);
        Files.createDirectory(ours.resolve("work/gone.gone"));
        Files.write(ours.resolve("work/gone.gone/volume.img"), new byte[10]);
        Files.write(ours.resolve("origins/never.record"), new byte[10]);
        Files.write(ours.resolve("holds/a+b@rp-9@link"), new byte[0]);

        try (var provider = CrashSubject.open(folder)) {
            assertThat(provider.volumes()).hasSize(1);
            assertThat(DurableFiles.entries(ours.resolve("work"))).isEmpty();
            assertThat(DurableFiles.entries(ours.resolve("origins"))).isEmpty();
            assertThat(DurableFiles.entries(ours.resolve("holds"))).isEmpty();
            assertThat(DurableFiles.entries(ours.resolve("snapshots"))).hasSize(2);
        }
    }

    @Test
    void volumeMovedAsideComesBackWithTheSnapshotsBytesIfTheyWereReady() throws Exception {
        Files.copy(ours.resolve("snapshots/a+b@rp-1.img"), ours.resolve("work/a+b.new"));
        Files.move(folder.resolve("a+b"), ours.resolve("work/a+b.old"));

        try (var provider = CrashSubject.open(folder)) {
            assertThat(firstByte(provider)).isEqualTo(1);
            assertThat(DurableFiles.entries(ours.resolve("work"))).isEmpty();
        }
    }

    @Test
    void volumeMovedAsideComesBackAsItWasIfNothingWasReady() throws Exception {
        Files.move(folder.resolve("a+b"), ours.resolve("work/a+b.old"));

        try (var provider = CrashSubject.open(folder)) {
            assertThat(firstByte(provider)).isEqualTo(2);
        }
    }

    @Test
    void bytesWithoutRecordAreNeitherListedNorDeleted() throws Exception {
        Files.write(ours.resolve("snapshots/a+b@rp-3.img"), new byte[8192]);

        try (var provider = CrashSubject.open(folder)) {
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .hasSize(1);
            assertThat(ours.resolve("snapshots/a+b@rp-3.img")).exists();
        }
    }

    @Test
    void damagedSnapshotIsNotListedAndSaysWhyWhenAsked() throws Exception {
        try (var provider = CrashSubject.open(folder)) {
            var image = ours.resolve("snapshots/a+b@rp-1.img");
            Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rw-------"));
            Files.write(image, new byte[100]);
            assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                    .isEmpty();
            assertThat(corrupt(provider)).contains("100 bytes");

            Files.write(ours.resolve("snapshots/a+b@rp-1.record"), new byte[50]);
            assertThat(corrupt(provider)).contains("magic");

            provider.delete(SNAPSHOT);
            assertThat(image).doesNotExist();
        }
    }

    private static String corrupt(StorageProvider provider) {
        var thrown = catchThrowableOfType(ProviderException.class, () -> provider.read(SNAPSHOT));
        assertThat(thrown.error()).isInstanceOf(ProviderError.Corrupt.class);
        return String.valueOf(thrown.getMessage());
    }

    @Test
    void workThatACrashInterruptedIsDoneAgainFromItsHandle() throws Exception {
        try (var provider = CrashSubject.open(folder)) {
            var step = provider.resume(new Handle("image", "clone image:a/b@rp-1 image:twin"));

            assertThat(step)
                    .isInstanceOfSatisfying(
                            Step.Done.class,
                            done -> assertThat(((Volume) done.result()).id()).isEqualTo(VolumeId.of("image", "twin")));
            provider.resume(new Handle("image", "rollback image:a/b@rp-1"));
            assertThat(firstByte(provider)).isEqualTo(1);
            for (var token : List.of("clone", "rollback x", "nonsense image:a/b@rp-1", "clone image:a/b@rp-1 ../x")) {
                var thrown = catchThrowableOfType(
                        ProviderException.class, () -> provider.resume(new Handle("image", token)));
                assertThat(thrown).as(token).isNotNull();
            }
        }
    }

    @Test
    void snapshotsOfAnImageThatAnOperatorPutThereAreTakenToo() throws Exception {
        Files.write(folder.resolve("by-hand.img"), new byte[5000]);
        Files.createSymbolicLink(folder.resolve("link.img"), folder.resolve("by-hand.img"));
        Files.createDirectory(folder.resolve("just-a-folder"));
        var byHand = VolumeId.of("image", "by-hand.img");

        try (var provider = CrashSubject.open(folder)) {
            assertThat(provider.volumes().stream().map(Volume::id)).containsExactly(VOLUME, byHand);
            var cut = provider.cut(new CutRequest(new RecoveryPointId("rp-5"), List.of(byHand)));
            var snapshot = cut.members().getFirst().snapshot();
            assertThat(snapshot.sizeBytes()).isEqualTo(5000);
            provider.hold(snapshot.id(), new HoldOwner("me"));
            var clone = provider.clone(new CloneRequest(snapshot.id(), VolumeId.of("image", "twin")));
            assertThat(clone).isInstanceOf(Step.Done.class);
        }
    }
}
