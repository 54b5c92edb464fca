package io.tidemark.provider.btrfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.btrfs.DyingHost.Death;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The process dies before or after each call that changes something: the next one finds it done or undone. */
class BtrfsDeathTest extends BtrfsGround {
    /** No operation has as many changes. */
    private static final int CHANGES_MAXIMUM = 20;

    private static final VolumeId COPY = VolumeId.of("btrfs", "copy");
    private static final VolumeId EMPTY = VolumeId.of("btrfs", "empty");

    private interface Operation {
        void run(BtrfsProvider provider, SnapshotId older) throws Exception;
    }

    private interface Check {
        void check(Path folder, boolean done) throws Exception;
    }

    /** @return how many changes the operation has */
    private int dieAtEach(boolean afterIt, Operation operation, Check check) throws Exception {
        for (int change = 1; change <= CHANGES_MAXIMUM; change++) {
            var folder = storage().freshFolder();
            make(folder.resolve("home"), "old");
            make(folder.resolve("empty"), "");
            SnapshotId older;
            try (var provider = openUnused(folder, host())) {
                older = cut(provider, HOME, "rp-older");
                Files.writeString(folder.resolve("home/file"), "new");
                cut(provider, HOME, "rp-newer");
            }
            boolean died = false;
            try (var provider = openUnused(folder, new DyingHost(change, afterIt).over(host()))) {
                operation.run(provider, older);
            } catch (Death e) {
                died = true;
            }
            try (var provider = openUnused(folder, host())) {
                assertThat(DurableFiles.entries(folder.resolve(".tidemark/btrfs/work")))
                        .as("left at change %d", change)
                        .isEmpty();
                check.check(folder, !died);
                operation.run(provider, older);
                check.check(folder, true);
                assertThat(provider.volumes()).extracting(Volume::id).contains(HOME);
            }
            if (!died) {
                return change - 1;
            }
        }
        throw new AssertionError("it has more than %d changes".formatted(CHANGES_MAXIMUM));
    }

    /** Who uses what is not in question here, and to look takes longer than all the rest. */
    private BtrfsProvider openUnused(Path folder, HostCalls host) throws Exception {
        var nobody = Files.createDirectories(storage().base().resolve("nobody"));
        var use = new SubvolumeUse(nobody, nobody, SubvolumeUse.LIMIT, System::nanoTime);
        return BtrfsProvider.open(new BtrfsConfig(folder), host, use, System::nanoTime);
    }

    private static void make(Path path, String content) throws Exception {
        host().btrfsCreateSubvolume(path);
        Files.writeString(path.resolve("file"), content);
    }

    private static List<String> snapshots(Path folder) throws Exception {
        return DurableFiles.entries(folder.resolve(".tidemark/btrfs/snapshots")).stream()
                .map(DurableFiles::nameOf)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rollbackLeavesTheOldContentOrTheSnapshots(boolean afterIt) throws Exception {
        int changes = dieAtEach(afterIt, (provider, older) -> provider.rollback(older), (folder, done) -> {
            assertThat(Files.readString(folder.resolve("home/file")))
                    .isIn(done ? List.of("old") : List.of("old", "new"));
            assertThat(snapshots(folder)).containsExactly("home@rp-newer", "home@rp-older");
            Files.writeString(folder.resolve("home/file"), "writable");
            Files.writeString(folder.resolve("home/file"), done ? "old" : "new");
        });

        assertThat(changes).isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void cloneIsWholeOrNotThere(boolean afterIt) throws Exception {
        int changes = dieAtEach(
                afterIt, (provider, older) -> provider.clone(new CloneRequest(older, COPY)), (folder, done) -> {
                    if (done || Files.exists(folder.resolve("copy"))) {
                        assertThat(folder.resolve("copy/file")).hasContent("old");
                    }
                    assertThat(snapshots(folder)).containsExactly("home@rp-newer", "home@rp-older");
                });

        assertThat(changes).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void deletedSnapshotIsThereOrGone(boolean afterIt) throws Exception {
        int changes = dieAtEach(afterIt, (provider, older) -> provider.delete(older), (folder, done) -> {
            assertThat(snapshots(folder)).contains("home@rp-newer");
            if (done) {
                assertThat(snapshots(folder)).hasSize(1);
            }
            assertThat(folder.resolve("home/file")).hasContent("new");
        });

        assertThat(changes).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void removedVolumeIsThereOrGone(boolean afterIt) throws Exception {
        int changes = dieAtEach(afterIt, (provider, _) -> provider.remove(EMPTY), (folder, done) -> {
            if (done) {
                assertThat(folder.resolve("empty")).doesNotExist();
            }
            assertThat(folder.resolve("home/file")).hasContent("new");
        });

        assertThat(changes).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void cutOfAGroupLeavesWholeSnapshotsThatTheNextCallFinds(boolean afterIt) throws Exception {
        var request = new CutRequest(new RecoveryPointId("rp-group"), List.of(HOME, EMPTY));

        int changes = dieAtEach(afterIt, (provider, _) -> provider.cut(request), (folder, done) -> {
            if (done) {
                assertThat(snapshots(folder)).contains("home@rp-group", "empty@rp-group");
            }
            for (var name : snapshots(folder)) {
                assertThat(host().btrfsSubvolume(folder.resolve(".tidemark/btrfs/snapshots", name))
                                .readOnly())
                        .isTrue();
            }
        });

        assertThat(changes).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void receivedSnapshotIsWholeOrNotThere(boolean afterIt) throws Exception {
        Operation both = (provider, older) -> {
            receive(provider, Optional.empty(), older.recoveryPoint());
            receive(provider, Optional.of(older.recoveryPoint()), new RecoveryPointId("rp-newer"));
        };

        int changes = dieAtEach(afterIt, both, (folder, done) -> {
            if (done) {
                assertThat(snapshots(folder)).contains("empty@rp-older", "empty@rp-newer");
            }
            for (var name : snapshots(folder)) {
                var path = folder.resolve(".tidemark/btrfs/snapshots", name);
                assertThat(path.resolve("file")).hasContent(name.endsWith("older") ? "old" : "new");
                assertThat(host().btrfsSubvolume(path).readOnly()).isTrue();
            }
            assertThat(folder.resolve("empty/file")).hasContent("");
            assertThat(folder.resolve("home/file")).hasContent("new");
        });

        // Made, published, two deleted; upon another, one more made, named and deleted.
        assertThat(changes).isEqualTo(4 + 7);
    }

    private static void receive(BtrfsProvider provider, Optional<RecoveryPointId> older, RecoveryPointId point)
            throws Exception {
        var newer = new SnapshotId(EMPTY, point);
        if (provider.snapshots(SnapshotQuery.ofVolume(EMPTY)).snapshots().stream()
                .anyMatch(each -> each.id().equals(newer))) {
            return;
        }
        try (var outgoing = provider.send(older, new SnapshotId(HOME, point));
                var incoming = provider.receive(older, newer)) {
            var piece = ByteBuffer.allocate(1 << 16);
            while (outgoing.read(piece) >= 0) {
                incoming.write(piece.flip());
                piece.clear();
            }
            incoming.finish();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lookingWhatHasChangedLeavesNothing(boolean afterIt) throws Exception {
        Operation look =
                (provider, older) -> assertThat(provider.changedSince(HOME, Optional.of(older.recoveryPoint())))
                        .contains("file was changed");

        int changes = dieAtEach(afterIt, look, (folder, _) -> {
            assertThat(snapshots(folder)).containsExactly("home@rp-newer", "home@rp-older");
            assertThat(folder.resolve("home/file")).hasContent("new");
        });

        assertThat(changes).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"empty", "home"})
    void nothingOfADeathIsListed(String name) throws Exception {
        make(folder().resolve(name), "content");
        var volume = VolumeId.of("btrfs", name);
        var snapshot = cut(provider(), volume, "rp-one");
        var listed = provider().snapshots(SnapshotQuery.everything()).snapshots();
        provider().close();
        var work = folder().resolve(".tidemark/btrfs/work");
        host().btrfsSnapshot(folder().resolve(name), work.resolve(name + "@1"), false);
        host().btrfsSnapshot(folder().resolve(name), work.resolve("other@7"), true);

        reopen();

        assertThat(DurableFiles.entries(work)).isEmpty();
        assertThat(provider().snapshots(SnapshotQuery.everything()).snapshots()).isEqualTo(listed);
        assertThat(listed).extracting(Snapshot::id).containsExactly(snapshot);
    }
}
