package io.tidemark.provider.btrfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

/** What is a volume and what is not, what lies where, and what is refused. */
class BtrfsVolumesTest extends BtrfsGround {
    private static final HoldOwner USER = new HoldOwner("user");
    private static final VolumeId COPY = VolumeId.of("btrfs", "copy");

    @Test
    void writableSubvolumesRightInTheFolderAreTheVolumes() throws Exception {
        var home = make("home", "");
        make("with blank", "");
        make(".hidden", "");
        host().btrfsCreateSubvolume(home.resolve("nested"));
        host().btrfsSnapshot(home, folder().resolve("of-somebody"), true);
        Files.createDirectory(folder().resolve("plain"));
        Files.createSymbolicLink(folder().resolve("link"), home);
        var covered = make("covered", "");
        storage().must("mount", "-t", "tmpfs", "none", covered.toString());
        try {
            assertThat(provider().volumes()).extracting(Volume::id).containsExactly(HOME);
        } finally {
            storage().must("umount", covered.toString());
        }
        for (var absent : List.of("plain", "link", "of-somebody", "home/nested", "home/.", "absent")) {
            errorOf(ProviderError.VolumeNotFound.class, () -> provider().volume(VolumeId.of("btrfs", absent)));
        }
    }

    @Test
    void longestNameCanBeCutHeldAndCloned() throws Exception {
        var name = "n".repeat(128);
        make(name, "content");
        var snapshot = cut(provider(), VolumeId.of("btrfs", name), "rp-" + "p".repeat(40));
        provider().hold(snapshot, new HoldOwner("h".repeat(64)));
        var clone = VolumeId.of("btrfs", "m".repeat(128));

        provider().clone(new CloneRequest(snapshot, clone));

        assertThat(folder().resolve(clone.name()).resolve("file")).hasContent("content");
        errorOf(ProviderError.Held.class, () -> provider().delete(snapshot));
    }

    @Test
    void cloneUnderANameThatNoEntryCanHaveIsRefused() throws Exception {
        make("home", "");
        var snapshot = cut(provider(), HOME, "rp-one");
        var request = new CloneRequest(snapshot, VolumeId.of("btrfs", "home/copy"));

        assertThat(errorOf(ProviderError.Conflict.class, () -> provider().clone(request))
                        .reason())
                .contains("slash");
    }

    @Test
    void cloneOverAnythingThatIsThereIsRefused() throws Exception {
        make("home", "");
        var snapshot = cut(provider(), HOME, "rp-one");
        Files.createDirectory(folder().resolve("copy"));

        errorOf(ProviderError.VolumeExists.class, () -> provider().clone(new CloneRequest(snapshot, COPY)));

        assertThat(DurableFiles.entries(folder().resolve("copy"))).isEmpty();
        assertThat(DurableFiles.entries(folder().resolve(".tidemark/btrfs/work")))
                .isEmpty();
    }

    @Test
    void subvolumeThatSomebodyMadeInPlaceOfACloneIsNotTakenForIt() throws Exception {
        make("home", "");
        var request = new CloneRequest(cut(provider(), HOME, "rp-one"), COPY);
        provider().clone(request);
        provider().remove(COPY);
        make("copy", "of somebody");

        errorOf(ProviderError.VolumeExists.class, () -> provider().clone(request));
    }

    @Test
    void cloneThatWasRolledBackIsStillTheClone() throws Exception {
        make("home", "content");
        var request = new CloneRequest(cut(provider(), HOME, "rp-one"), COPY);
        provider().clone(request);
        var ofClone = cut(provider(), COPY, "rp-two");
        Files.writeString(folder().resolve("copy/file"), "changed");
        provider().rollback(ofClone);

        provider().clone(request);

        assertThat(folder().resolve("copy/file")).hasContent("content");
        var second = new CloneRequest(ofClone, VolumeId.of("btrfs", "copy2"));
        provider().clone(second);
        provider().clone(second);
    }

    @Test
    void planNamesWhatLiesInAVolumeAndIsNotCutWithIt() throws Exception {
        var home = make("home", "");
        Files.createDirectory(home.resolve("folder"));
        for (var nested : List.of("a", "folder/b", "c", "d", "e")) {
            host().btrfsCreateSubvolume(home.resolve(nested));
        }
        make("plain", "");

        var forecast = provider().forecast(List.of(HOME, VolumeId.of("btrfs", "plain")));

        assertThat(forecast.atomic()).isFalse();
        assertThat(forecast.notes().getFirst()).contains("WITHOUT", "a, folder/b, c and 2 more");
        assertThat(forecast.notes().getLast()).doesNotContain("WITHOUT");
        try (var tree = provider().tree(cut(provider(), HOME, "rp-one"))) {
            assertThat(DurableFiles.entries(tree.root().resolve("folder/b"))).isEmpty();
            Assertions.assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> Files.writeString(tree.root().resolve("file"), "no"));
        }
    }

    @Test
    void volumeWithNestedSubvolumesIsNeitherRolledBackNorRemoved() throws Exception {
        var home = make("home", "old");
        var snapshot = cut(provider(), HOME, "rp-one");
        Files.writeString(home.resolve("file"), "new");
        host().btrfsCreateSubvolume(home.resolve("nested"));
        Files.writeString(home.resolve("nested/kept"), "kept");

        assertThat(errorOf(ProviderError.Conflict.class, () -> provider().rollback(snapshot))
                        .reason())
                .contains("nested");
        provider().delete(snapshot);
        assertThat(errorOf(ProviderError.Conflict.class, () -> provider().remove(HOME))
                        .reason())
                .contains("nested");

        assertThat(home.resolve("file")).hasContent("new");
        assertThat(home.resolve("nested/kept")).hasContent("kept");
    }

    @Test
    void defaultSubvolumeIsNotRolledBackOrRemoved() throws Exception {
        var home = make("home", "old");
        var snapshot = cut(provider(), HOME, "rp-one");
        Files.writeString(home.resolve("file"), "new");
        storage().must("btrfs", "subvolume", "set-default", home.toString());
        try {
            assertThat(errorOf(ProviderError.Conflict.class, () -> provider().rollback(snapshot))
                            .reason())
                    .contains("default subvolume");
            provider().delete(snapshot);
            errorOf(ProviderError.Conflict.class, () -> provider().remove(HOME));
        } finally {
            storage().must("btrfs", "subvolume", "set-default", "5", home.toString());
        }
        assertThat(home.resolve("file")).hasContent("new");
        assertThat(DurableFiles.entries(folder().resolve(".tidemark/btrfs/work")))
                .isEmpty();
        provider().remove(HOME);
    }

    @Test
    void rolledBackVolumeHasTheSnapshotsOwnersAndModes() throws Exception {
        var home = make("home", "");
        storage().must("chown", "1234:4321", home.toString());
        storage().must("chmod", "2750", home.toString());
        var snapshot = cut(provider(), HOME, "rp-one");
        storage().must("chown", "0:0", home.toString());

        provider().rollback(snapshot);

        assertThat(storage().must("stat", "-c", "%u:%g %a", home.toString()).strip())
                .isEqualTo("1234:4321 2750");
    }

    @Test
    void snapshotWhoseFilesAreShownIsNotDeleted() throws Exception {
        make("home", "content");
        var snapshot = cut(provider(), HOME, "rp-one");
        var one = provider().tree(snapshot);
        var other = provider().tree(snapshot);
        one.close();
        one.close();

        errorOf(ProviderError.Busy.class, () -> provider().delete(snapshot));
        assertThat(other.root().resolve("file")).hasContent("content");
        other.close();

        provider().delete(snapshot);
        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().tree(snapshot));
    }

    @Test
    void snapshotThatIsMountedIsNotDeleted() throws Exception {
        make("home", "");
        var snapshot = cut(provider(), HOME, "rp-one");
        var elsewhere = Files.createDirectory(storage().base().resolve("snapshot"));
        var path = folder().resolve(".tidemark/btrfs/snapshots/home@rp-one");
        storage().must("mount", "--bind", path.toString(), elsewhere.toString());
        try {
            errorOf(ProviderError.Busy.class, () -> provider().delete(snapshot));
        } finally {
            storage().must("umount", elsewhere.toString());
        }
        provider().delete(snapshot);
    }

    @Test
    void holdsLieOnTheStorageAndDieWithWhatSomebodyDeletedByHand() throws Exception {
        make("home", "");
        var held = cut(provider(), HOME, "rp-held");
        var deleted = cut(provider(), HOME, "rp-deleted");
        provider().hold(held, USER);
        provider().hold(deleted, USER);
        var holds = folder().resolve(".tidemark/btrfs/holds");
        assertThat(DurableFiles.entries(holds)).hasSize(2);
        host().btrfsDeleteSubvolume(folder().resolve(".tidemark/btrfs/snapshots/home@rp-deleted"));

        assertThat(cut(provider(), HOME, "rp-deleted")).isEqualTo(deleted);
        provider().delete(deleted);
        DurableFiles.write(holds.resolve("home@rp-none@user"), new byte[0]);
        Files.createFile(holds.resolve("home@rp-held@link" + DurableFiles.UNFINISHED));
        reopen();

        assertThat(DurableFiles.entries(holds)).extracting(DurableFiles::nameOf).containsExactly("home@rp-held@user");
        assertThat(errorOf(ProviderError.Held.class, () -> provider().delete(held))
                        .owners())
                .containsExactly(USER);
    }

    @Test
    void timeOfASnapshotIsTheStoragesOwn() throws Exception {
        make("home", "");
        var before = Instant.now().minusMillis(100);

        var cut = provider().cut(new CutRequest(new RecoveryPointId("rp-one"), List.of(HOME)));

        var snapshot = cut.members().getFirst().snapshot();
        assertThat(snapshot.createdAt()).isBetween(before, Instant.now());
        Thread.sleep(20);
        reopen();
        assertThat(provider().snapshots(SnapshotQuery.everything()).snapshots()).containsExactly(snapshot);
    }

    @Test
    void whatOthersPutAmongSnapshotsIsNeitherListedNorTouched() throws Exception {
        var home = make("home", "");
        var snapshots = folder().resolve(".tidemark/btrfs/snapshots");
        host().btrfsSnapshot(home, snapshots.resolve("home@rp-written"), false);
        Files.createDirectory(snapshots.resolve("home@rp-folder"));
        host().btrfsSnapshot(home, snapshots.resolve("mine"), true);
        var whole = cut(provider(), HOME, "rp-whole");

        assertThat(provider().snapshots(SnapshotQuery.everything()).snapshots())
                .extracting(Snapshot::id)
                .containsExactly(whole);
        for (var name : List.of("rp-written", "rp-folder")) {
            assertThat(errorOf(ProviderError.Conflict.class, () -> cut(provider(), HOME, name))
                            .reason())
                    .contains("something else lies");
        }
        reopen();
        assertThat(DurableFiles.entries(snapshots)).hasSize(4);
    }

    @Test
    void folderThatCannotBeManagedIsRefusedByName() throws Exception {
        var absent = folder().resolve("absent");
        assertThat(refusalOf(absent)).contains("does not exist", absent.toString());
        assertThat(refusalOf(Path.of("/proc"))).contains("no Btrfs");
        var images = Files.createDirectory(folder().resolve("images"));
        Files.createDirectory(images.resolve(".tidemark"));
        Files.createFile(images.resolve(".tidemark/lock"));
        assertThat(refusalOf(images)).contains("image provider");
        assertThat(errorOf(ProviderError.Busy.class, () -> open(folder(), host()))
                        .holder())
                .contains("another Tidemark");
    }

    @Test
    void folderOnAFileSystemThatIsMountedReadOnlyIsRefused() throws Exception {
        var fresh = storage().freshFolder();
        var seen = Files.createDirectory(storage().base().resolve("read-only"));
        storage().must("mount", "--bind", fresh.toString(), seen.toString());
        try {
            storage().must("mount", "-o", "remount,bind,ro", seen.toString());
            assertThat(refusalOf(seen)).contains("read-only");
        } finally {
            storage().must("umount", seen.toString());
        }
    }

    private static String refusalOf(Path folder) {
        return errorOf(ProviderError.Conflict.class, () -> open(folder, host())).message();
    }
}
