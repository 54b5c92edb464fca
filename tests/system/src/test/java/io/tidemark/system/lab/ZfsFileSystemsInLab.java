package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.conformance.ProviderContract;
import io.tidemark.provider.zfs.ZfsProviderFactory;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What every provider must do, by the ZFS provider over file systems of a real pool. */
@InLab
class ZfsFileSystemsInLab extends ProviderContract {
    private static final String POOL = "files";
    private static final Path MOUNTS = Path.of("/mnt");
    private static int datasets;
    private static int folders;

    /** Each test's own: what one leaves behind, holds above all, is in the way of no other. */
    private final String dataset = POOL + "/volumes-" + datasets++;

    private boolean opened;

    @BeforeAll
    static void makePool() throws IOException {
        Programs.run("losetup", "/dev/loop0", "/dev/ubda");
        Programs.run("zpool", "create", "-O", "mountpoint=none", POOL, "/dev/loop0");
    }

    @AfterAll
    static void removePool() throws IOException {
        Programs.run("zpool", "destroy", POOL);
        Programs.run("losetup", "-d", "/dev/loop0");
    }

    @Override
    protected StorageProvider open() throws Exception {
        if (!opened) {
            opened = true;
            Programs.run("zfs", "create", dataset);
        }
        return new ZfsProviderFactory().create(Map.of("dataset", dataset));
    }

    @Override
    protected VolumeId named(String name) {
        return VolumeId.of("zfs", dataset + "/" + name);
    }

    @Override
    protected VolumeId make(String name, long sizeBytes) throws Exception {
        Programs.run("zfs", "create", "-p", "-o", "mountpoint=" + newFolder(), dataset + "/" + name);
        return named(name);
    }

    private static Path newFolder() {
        return MOUNTS.resolve("volume-" + folders++);
    }

    private String dataset(VolumeId volume) throws ProviderException {
        return Objects.requireNonNull(provider().volume(volume).facts().get("dataset"));
    }

    /** A clone is mounted once it is told where; after a rollback a volume is mounted as it was before. */
    @Override
    protected Path root(VolumeId volume) throws Exception {
        var seen = provider().volume(volume);
        if (seen.mountPoints().isEmpty()) {
            if (Objects.equals(seen.facts().get("mountpoint"), "none")) {
                Programs.run("zfs", "set", "mountpoint=" + newFolder(), dataset(volume));
            } else {
                Programs.run("zfs", "mount", dataset(volume));
            }
        }
        return provider().volume(volume).mountPoints().getFirst();
    }

    @Override
    protected void putOutOfUse(VolumeId volume) throws Exception {
        for (var mount : provider().volume(volume).mountPoints()) {
            Programs.run("umount", mount.toString());
        }
    }

    @Test
    void volumesAreFilesAndNotTheDatasetItself() throws Exception {
        var volume = make("a", 0);
        Files.write(root(volume).resolve("file"), new byte[1 << 20]);

        var found = provider().volumes();

        assertThat(found).hasSize(1);
        assertThat(found.getFirst().can(Capability.FILES)).isTrue();
        assertThat(found.getFirst().can(Capability.RANDOM_READ)).isFalse();
        assertThat(found.getFirst().can(Capability.CREATE)).isFalse();
        assertThat(found.getFirst().facts()).containsEntry("canmount", "on");
    }

    @Test
    void blocksAndFilesAreCutAtOneInstantAndAnsweredAlikeAgain() throws Exception {
        var files = make("a", 0);
        var blocks = provider().create(VolumeId.of("zfs", "blocks"), 1 << 20).id();
        var request = new CutRequest(new RecoveryPointId("rp-both"), List.of(files, blocks));
        provider().prepare(request);
        // What the cut refers to is more than what was known when it was prepared.
        Files.write(root(files).resolve("file"), "x".repeat(1 << 20).getBytes(StandardCharsets.UTF_8));

        var cut = provider().cut(request);
        var again = provider().cut(request);

        assertThat(cut.atomic()).isTrue();
        assertThat(again.members().stream().map(each -> each.snapshot()))
                .containsExactlyInAnyOrderElementsOf(
                        cut.members().stream().map(each -> each.snapshot()).toList());
    }

    @Test
    void callsThatAreAboutBlocksAreRefusedWithTheWayOut() throws Exception {
        var volume = make("a", 0);
        var snapshot = provider()
                .cut(new CutRequest(new RecoveryPointId("rp-1"), List.of(volume)))
                .members()
                .getFirst()
                .snapshot()
                .id();

        for (var call : List.<ThrowingCallable>of(
                () -> provider().write(volume),
                () -> provider().read(snapshot),
                () -> provider().allocatedRanges(snapshot),
                () -> provider().changedRanges(snapshot, snapshot))) {
            assertThatThrownBy(call)
                    .isInstanceOfSatisfying(
                            ProviderException.class,
                            e -> assertThat(e.error()).isInstanceOf(ProviderError.Conflict.class))
                    .hasMessageContaining("is a file system, not blocks");
        }
    }

    /** Seeds are about blocks. */
    @Override
    protected int rounds() {
        return 1;
    }
}
