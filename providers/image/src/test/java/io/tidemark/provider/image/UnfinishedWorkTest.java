package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What goes wrong while bytes are being copied, and what is left of it. */
class UnfinishedWorkTest {
    private static final VolumeId VOLUME = VolumeId.of("image", "a");
    private static final SnapshotId SNAPSHOT = new SnapshotId(VOLUME, new RecoveryPointId("rp-1"));
    private static final int SIZE = 1 << 20;

    private Path base = Path.of("");
    private Path root = Path.of("");
    private Path sysBlock = Path.of("");

    @BeforeEach
    void aVolumeThatChangedAfterItsSnapshot() throws Exception {
        base = Files.createTempDirectory("tidemark-unfinished-");
        root = Files.createDirectory(base.resolve("images"));
        sysBlock = Files.createDirectory(base.resolve("block"));
        try (var provider = CrashSubject.open(root)) {
            provider.create(VOLUME, SIZE);
            for (byte value = 1; value <= 2; value++) {
                var bytes = new byte[SIZE];
                Arrays.fill(bytes, value);
                try (var writer = provider.write(VOLUME)) {
                    writer.write(0, ByteBuffer.wrap(bytes));
                    writer.flush();
                }
                if (value == 1) {
                    provider.cut(new CutRequest(SNAPSHOT.recoveryPoint(), List.of(VOLUME)));
                }
            }
        }
    }

    @AfterEach
    void delete() throws Exception {
        FolderSweep.deleteTree(base, Optional.empty());
    }

    private interface Making {
        void with(VolumeMaking making) throws Exception;
    }

    private void open(Making use) throws Exception {
        var folder = ImageFolder.open(root, Optional.empty(), new CommandRunner());
        try {
            var folders = List.of(folder);
            var loops = new LoopDevices(sysBlock, Path.of("/proc/self/mountinfo"));
            var catalog = new ImageCatalog(folders, Optional.empty(), loops, ImageConfig.Changes.BEST);
            use.with(new VolumeMaking(catalog, new SnapshotShelf(folders), InstantSource.system()));
            assertThat(DurableFiles.entries(root.resolve(ImageFolder.OURS, "work")))
                    .isEmpty();
        } finally {
            folder.close();
        }
    }

    private void attach() {
        try {
            var loop = Files.createDirectories(sysBlock.resolve("loop0", "loop"));
            Files.writeString(loop.resolve("backing_file"), image() + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path image() throws IOException {
        return DurableFiles.entries(root).stream()
                .filter(DurableFiles::isFile)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void volumeThatIsAttachedDuringItsRollbackKeepsItsBytes() throws Exception {
        open(making -> {
            var refused =
                    catchThrowableOfType(ProviderException.class, () -> making.rollback(SNAPSHOT, copied -> attach()));

            assertThat(refused.error())
                    .isInstanceOfSatisfying(
                            ProviderError.Busy.class,
                            busy -> assertThat(busy.holder()).contains("/dev/loop0"));
        });
        assertThat(Files.readAllBytes(image())).containsOnly(2);
    }

    @Test
    void rollbackAndCloneThatFailLeaveNothingBehind() throws Exception {
        var request = new CloneRequest(SNAPSHOT, VolumeId.of("image", "b"));
        open(making -> {
            assertThatThrownBy(() -> making.rollback(SNAPSHOT, UnfinishedWorkTest::fail))
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> making.clone(request, UnfinishedWorkTest::fail))
                    .isInstanceOf(IllegalStateException.class);
        });
        assertThat(Files.readAllBytes(image())).containsOnly(2);
    }

    private static void fail(long copied) {
        throw new IllegalStateException("told to fail after " + copied);
    }
}
