package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rollbacks of classic volumes that die before each of their steps, on devices that are files. */
class ClassicRollbackTest {
    private static final VolumeId ORDERS = VolumeId.of("lvm", "vg/orders");
    private static final SnapshotId OLD = new SnapshotId(ORDERS, new RecoveryPointId("rp-old"));
    private static final SnapshotId NEWER = new SnapshotId(ORDERS, new RecoveryPointId("rp-newer"));
    private static final int CHUNK_BYTES = 4096;
    private static final int VOLUME_BYTES = (int) ClassicGroup.VOLUME_BYTES;
    /** Changed since the old snapshot; two tables of its store. */
    private static final int OLD_CHUNKS = 300;
    /** Every third: no two are copied at once. */
    private static final int STEP = 3;

    @TempDir
    Path folder;

    private final ClassicGroup group = new ClassicGroup("orders");
    private final byte[] old = random(1);
    private final byte[] now = old.clone();
    private ClassicRollback rollback = process();

    private final Alone alone = new Alone() {
        @Override
        public <T> T run(Change<T> change) throws ProviderException {
            return change.run(catalog());
        }
    };

    private static byte[] random(long seed) {
        var bytes = new byte[VOLUME_BYTES];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private ClassicRollback process() {
        return new ClassicRollback(ClassicGroup.GROUP, group, group.stores, this::device);
    }

    private Path device(LogicalVolume on) {
        return folder.resolve(on.name());
    }

    private LvmCatalog catalog() {
        return new LvmCatalog(ClassicGroup.GROUP, group.list());
    }

    @BeforeEach
    void makeVolumeAndSnapshots() throws IOException {
        var changed = random(2);
        var keptByOld = new StoreOnDisk(400);
        for (int index = 0; index < OLD_CHUNKS; index++) {
            int chunk = (OLD_CHUNKS - 1 - index) * STEP;
            System.arraycopy(changed, chunk * CHUNK_BYTES, now, chunk * CHUNK_BYTES, CHUNK_BYTES);
            keptByOld.add(chunk);
        }
        Files.write(folder.resolve("orders"), now);
        addSnapshot(OLD, "old", keptByOld);
        // Where nothing was kept the origin's own bytes are the snapshot's, and are not to be written.
        var elsewhere = old.clone();
        Arrays.fill(elsewhere, CHUNK_BYTES, 2 * CHUNK_BYTES, (byte) 0);
        Files.write(folder.resolve("old"), elsewhere);
        addSnapshot(NEWER, "newer", new StoreOnDisk(400).add(0));
        Files.write(folder.resolve("newer"), now);
    }

    private void addSnapshot(SnapshotId id, String name, StoreOnDisk store, String... more) {
        var tags = new ArrayList<>(List.of(more));
        tags.add(LvmNames.SNAPSHOT_OF + id.volume().name());
        tags.add(LvmNames.POINT + id.recoveryPoint());
        tags.add(LvmNames.BYTES + VOLUME_BYTES);
        group.put(name, store.sizeBytes(), true, tags, new StoreUse("orders", VOLUME_BYTES, 50, false));
        group.disks.put(name, store);
    }

    private void run(SnapshotId to, LongConsumer copied) throws ProviderException {
        rollback.run(to, alone, (volume, _) -> assertThat(volume.id()).isEqualTo(ORDERS), copied);
    }

    private ProviderError errorOf(SnapshotId to) {
        return catchThrowableOfType(ProviderException.class, () -> run(to, _ -> {}))
                .error();
    }

    private byte[] content() throws IOException {
        return Files.readAllBytes(folder.resolve("orders"));
    }

    private void assertWhole(byte[] content) throws Exception {
        assertThat(Arrays.mismatch(content(), content))
                .as("first byte that differs")
                .isEqualTo(-1);
        assertThat(group.volume("orders").tags()).isEmpty();
        assertThat(group.skipped).isEmpty();
        ClassicRollback.refuseHalfDone(catalog().get(ORDERS));
        ClassicRollback.refuseWhileNeeded(OLD, catalog());
    }

    @Test
    void whatTheSnapshotHasKeptIsCopiedAndNothingElse() throws Exception {
        run(OLD, copied -> {
            assertThat(copied).isEqualTo(CHUNK_BYTES);
            // Before anything is written: a power failure must not leave a volume that looks whole.
            assertThat(group.flushed).isTrue();
            assertThat(group.skipped).containsExactly("orders");
            assertThat(group.volume("orders").tags()).contains(LvmNames.RESTORING + "rp-old");
        });

        assertWhole(old);
        assertThat(group.volumes).containsOnlyKeys("orders", "old", "newer");
    }

    @Test
    void whateverDiesTheVolumeIsWholeOrRefusedAndTheNextProcessEndsIt() throws Exception {
        for (int died = 0; died <= OLD_CHUNKS; died += 25) {
            Files.write(folder.resolve("orders"), now);
            int limit = died;
            var count = new int[1];
            assertThatThrownBy(() -> run(OLD, _ -> {
                        if (++count[0] >= limit) {
                            throw new ClassicGroup.Killed();
                        }
                    }))
                    .isInstanceOf(ClassicGroup.Killed.class);
            assertThat(Arrays.equals(content(), now)).isFalse();
            assertRefused();

            rollback = process();
            run(OLD, _ -> {});

            assertWhole(old);
        }
    }

    private void assertRefused() throws ProviderException {
        var volume = catalog().get(ORDERS);
        assertThat(catchThrowableOfType(ProviderException.class, () -> ClassicRollback.refuseHalfDone(volume)))
                .hasMessageContaining("rollback to rp-old");
        assertThat(catchThrowableOfType(
                                ProviderException.class, () -> ClassicRollback.refuseWhileNeeded(OLD, catalog()))
                        .error())
                .isInstanceOf(ProviderError.Busy.class);
        ClassicRollback.refuseWhileNeeded(NEWER, catalog());
    }

    @Test
    void deathBeforeTheTagLeavesTheOldContentAndOneBeforeItIsTakenOffIsGoneOnWith() throws Exception {
        group.changesLeft = 0;
        assertThatThrownBy(() -> run(OLD, _ -> {})).isInstanceOf(ProviderException.class);
        assertWhole(now);

        group.changesLeft = 1;
        assertThatThrownBy(() -> run(OLD, _ -> {})).isInstanceOf(ProviderException.class);
        assertThat(Arrays.equals(content(), old)).isTrue();
        assertRefused();

        group.changesLeft = Integer.MAX_VALUE;
        run(OLD, _ -> {});
        assertWhole(old);
    }

    @Test
    void tagOfAProgramThatWasKilledAfterItsWorkIsTakenBack() throws Exception {
        group.killedAfterTag = true;

        assertThatThrownBy(() -> run(OLD, _ -> {})).isInstanceOf(ProviderException.class);

        assertWhole(now);
    }

    @Test
    void halfDoneVolumeIsPutBackToAnotherSnapshotWhereTheFirstIsLost() throws Exception {
        assertThatThrownBy(() -> run(OLD, _ -> {
                    throw new ClassicGroup.Killed();
                }))
                .isInstanceOf(ClassicGroup.Killed.class);
        // As the kernel does before it is overwritten; it is the least one of the first table.
        group.disks.put("newer", new StoreOnDisk(400).add((OLD_CHUNKS - 256) * STEP));
        group.overflow("old");
        assertThat(errorOf(OLD)).isInstanceOf(ProviderError.Corrupt.class);

        run(NEWER, _ -> {});

        assertWhole(now);
    }

    @Test
    void snapshotThatCouldNotKeepWhatIsOverwrittenRefusesIt() throws Exception {
        // 300 are written; one is kept already.
        group.disks.put("newer", new StoreOnDisk(290).add(0));

        var error = errorOf(OLD);

        assertThatThrownBy(() -> rollback.check(OLD, alone, (_, _) -> {})).hasMessage(error.message());
        assertThat(error).isInstanceOfSatisfying(ProviderError.OutOfSpace.class, scarce -> {
            assertThat(scarce.neededBytes()).isEqualTo((OLD_CHUNKS - 1) * (long) CHUNK_BYTES);
            assertThat(scarce.freeBytes()).isLessThan(scarce.neededBytes());
            assertThat(scarce.message()).contains("vg/newer").contains("lvextend");
        });
        assertWhole(now);
    }

    @Test
    void snapshotThatWasJustCutCountsThoughItsTagIsStillToBeTakenOff() throws Exception {
        var just = new SnapshotId(ORDERS, new RecoveryPointId("rp-just"));
        addSnapshot(just, "just", new StoreOnDisk(290), LvmNames.PREPARED);

        assertThat(errorOf(OLD).message()).contains("vg/just");

        assertWhole(now);
    }

    @Test
    void overflowedSnapshotNeedsNoRoom() throws Exception {
        group.disks.put("newer", new StoreOnDisk(3));
        group.overflow("newer");

        run(OLD, _ -> {});

        assertWhole(old);
    }

    @Test
    void volumeOfAnotherSizeIsRefused() throws Exception {
        group.put("orders", VOLUME_BYTES + (1 << 20), true, List.of(), StoreUse.NONE);

        assertThat(errorOf(OLD)).isInstanceOf(ProviderError.Conflict.class);

        assertThat(Arrays.equals(content(), now)).isTrue();
        assertThat(group.volume("orders").tags()).isEmpty();
    }

    @Test
    void volumeThatSomebodyKeepsFromBeingActivatedStaysSo() throws Exception {
        group.skipped.add("orders");

        run(OLD, _ -> {});

        assertThat(group.skipped).containsExactly("orders");
        assertThat(group.volume("orders").tags()).isEmpty();
    }

    @Test
    void afterABootTheHalfDoneVolumeIsActivatedForItsRollbackAlone() throws Exception {
        group.put("orders", VOLUME_BYTES, false, List.of(), StoreUse.NONE);
        assertThat(errorOf(OLD).message()).contains("lvchange -ay");
        var tags = List.of(LvmNames.RESTORING + "rp-old", LvmNames.NOT_ACTIVATED);
        group.put("orders", VOLUME_BYTES, false, tags, StoreUse.NONE);
        group.skipped.add("orders");

        // What a cut has left can be judged only then.
        rollback.run(
                OLD,
                alone,
                (_, _) -> assertThat(group.volume("orders").active()).isTrue(),
                _ -> {});

        assertWhole(old);
        assertThat(group.volume("orders").active()).isTrue();
    }

    @Test
    void secondRollbackOfTheVolumeIsBusyMeanwhile() throws Exception {
        run(OLD, _ -> {
            assertThat(errorOf(NEWER)).isInstanceOf(ProviderError.Busy.class);
            assertThat(catchThrowableOfType(ProviderException.class, () -> rollback.check(NEWER, alone, (_, _) -> {})))
                    .hasMessageContaining("another rollback");
        });

        assertWhole(old);
    }
}
