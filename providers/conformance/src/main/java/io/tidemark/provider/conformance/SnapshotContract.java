package io.tidemark.provider.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Snapshots: cutting, reading, listing, holding, deleting, cloning, rolling back. */
abstract class SnapshotContract extends VolumeContract {
    private static final HoldOwner LINK = new HoldOwner("link-1");
    private static final HoldOwner USER = new HoldOwner("user");

    @Test
    void cuttingTwiceForOneRecoveryPointMakesOneSnapshot() throws Exception {
        var volume = freshVolume();
        write(volume, 0, randomBytes(1, PAGE_BYTES));
        var request = new CutRequest(recoveryPoint(), List.of(volume));
        var first = provider().cut(request);
        write(volume, 0, randomBytes(2, PAGE_BYTES));

        var second = provider().cut(request);

        assertThat(second.members().getFirst().snapshot())
                .isEqualTo(first.members().getFirst().snapshot());
        assertThat(contentOf(snapshotOf(second))).startsWith(randomBytes(1, PAGE_BYTES));
        assertThat(provider().snapshots(SnapshotQuery.everything()).snapshots()).hasSize(1);
    }

    @Test
    void cutOfAGroupHasOneSnapshotAVolumeAndTellsWhenItWasCut() throws Exception {
        var volumes = List.of(freshVolume(), freshVolume(), freshVolume());
        var request = new CutRequest(recoveryPoint(), volumes);
        provider().prepare(request);
        boolean forecastAtomic = provider().forecast(volumes).atomic();
        long before = System.nanoTime();

        var cut = provider().cut(request);

        long after = System.nanoTime();
        assertThat(cut.members().stream().map(member -> member.snapshot().id().volume()))
                .containsExactlyInAnyOrderElementsOf(volumes);
        assertThat(cut.members())
                .allSatisfy(member ->
                        assertThat(member.snapshot().id().recoveryPoint()).isEqualTo(request.recoveryPoint()));
        assertThat(cut.members())
                .allSatisfy(member -> assertThat(member.startedNanos()).isBetween(before, member.finishedNanos()));
        assertThat(cut.members())
                .allSatisfy(member -> assertThat(member.finishedNanos()).isLessThanOrEqualTo(after));
        assertThat(cut.atomic()).isEqualTo(forecastAtomic);
    }

    @Test
    void groupIsAtomicWhereEveryMemberSaysSo() throws Exception {
        var volumes = List.of(freshVolume(), freshVolume());
        needs(volumes.getFirst(), Capability.ATOMIC_GROUP);
        needs(volumes.getLast(), Capability.ATOMIC_GROUP);

        Cut cut = provider().cut(new CutRequest(recoveryPoint(), volumes));

        assertThat(cut.atomic()).isTrue();
    }

    @Test
    void groupWithAnAbsentVolumeCutsNothing() throws Exception {
        var volume = freshVolume();
        var request = new CutRequest(recoveryPoint(), List.of(volume, volumeName()));

        errorOf(ProviderError.VolumeNotFound.class, () -> provider().cut(request));

        assertThat(provider().snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
    }

    @Test
    void repeatedGroupCutAddsOnlyWhatWasMissing() throws Exception {
        var one = freshVolume();
        var two = freshVolume();
        var point = recoveryPoint();
        var first = provider().cut(new CutRequest(point, List.of(one)));
        write(one, 0, randomBytes(1, PAGE_BYTES));

        var both = provider().cut(new CutRequest(point, List.of(one, two)));

        assertThat(both.members().stream().map(Cut.Member::snapshot))
                .contains(first.members().getFirst().snapshot());
        assertThat(both.members()).hasSize(2);
        assertThat(contentOf(new SnapshotId(one, point))).containsOnly(0);
    }

    @Test
    void preparingMakesNoSnapshotAndMayBeRepeated() throws Exception {
        var volume = freshVolume();
        var request = new CutRequest(recoveryPoint(), List.of(volume));

        provider().prepare(request);
        provider().prepare(request);

        assertThat(provider().snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
        errorOf(
                ProviderError.SnapshotNotFound.class,
                () -> provider().read(new SnapshotId(volume, request.recoveryPoint())));
    }

    @Test
    void snapshotDoesNotChangeWhenItsVolumeDoes() throws Exception {
        var volume = freshVolume();
        var original = randomBytes(7, VOLUME_BYTES);
        write(volume, 0, original);
        var snapshot = cut(volume);

        write(volume, 0, randomBytes(8, VOLUME_BYTES));
        write(volume, 0, new byte[100_000]);

        assertThat(contentOf(snapshot)).isEqualTo(original);
    }

    @Test
    void snapshotDoesNotChangeWhenRangesOfItsVolumeAreZeroed() throws Exception {
        var volume = freshBlocks();
        var original = randomBytes(7, VOLUME_BYTES);
        write(volume, 0, original);
        var snapshot = cut(volume);

        try (var writer = provider().write(volume)) {
            writer.writeZeroes(new BlockRange(0, 100_000));
            writer.flush();
        }

        assertThat(contentOf(snapshot)).isEqualTo(original);
    }

    @Test
    void snapshotHoldsWhatAnOpenWriterHasWritten() throws Exception {
        var volume = freshBlocks();
        SnapshotId snapshot;

        try (var writer = provider().write(volume)) {
            writer.write(0, ByteBuffer.wrap(randomBytes(9, PAGE_BYTES)));
            snapshot = cut(volume);
            writer.write(0, ByteBuffer.wrap(randomBytes(10, PAGE_BYTES)));
        }

        assertThat(contentOf(snapshot)).startsWith(randomBytes(9, PAGE_BYTES));
    }

    @Test
    void cutSnapshotBecomesReady() throws Exception {
        var volume = freshVolume();
        var snapshot = cut(volume);

        assertThat(provider().readiness(snapshot)).isNotInstanceOf(Readiness.Failed.class);
    }

    @Test
    void readerServesAnyRangeWithinTheImageAndRefusesOthers() throws Exception {
        var volume = freshBlocks();
        var content = randomBytes(11, VOLUME_BYTES);
        write(volume, 0, content);

        try (var reader = provider().read(cut(volume))) {
            assertThat(reader.sizeBytes()).isEqualTo(VOLUME_BYTES);
            var target = ByteBuffer.allocate(777).position(7);
            reader.read(VOLUME_BYTES - 770, target);
            assertThat(target.remaining()).isZero();
            assertThat(target.array()[7]).isEqualTo(content[VOLUME_BYTES - 770]);
            assertThat(target.array()[776]).isEqualTo(content[VOLUME_BYTES - 1]);
            reader.read(VOLUME_BYTES, ByteBuffer.allocate(0));
            assertThatThrownBy(() -> reader.read(VOLUME_BYTES - 1, ByteBuffer.allocate(2)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> reader.read(-1, ByteBuffer.allocate(1)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> reader.read(Long.MAX_VALUE, ByteBuffer.allocate(1)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void closedReaderReadsNothingMore() throws Exception {
        var reader = provider().read(cut(freshBlocks()));
        reader.close();
        reader.close();

        errorOf(ProviderError.class, () -> reader.read(0, ByteBuffer.allocate(1)));
    }

    @Test
    void absentSnapshotIsNotFoundByEveryCallThatNeedsOne() throws Exception {
        var volume = freshVolume();
        var absent = new SnapshotId(volume, recoveryPoint());
        var present = cut(volume);

        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().read(absent));
        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().readiness(absent));
        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().changedRanges(absent, present));
        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().changedRanges(present, absent));
        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().allocatedRanges(absent));
        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().clone(new CloneRequest(absent, volumeName())));
        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().rollback(absent));
        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().hold(absent, LINK));
        provider().release(absent, LINK);
    }

    @Test
    void pagesHoldEverySnapshotOnceInOrderOfId() throws Exception {
        var expected = new ArrayList<SnapshotId>();
        for (var name : List.of("a", "a-b", "a.b", "B")) {
            var volume = make(name, VOLUME_BYTES);
            for (int count = 0; count < 3; count++) {
                expected.add(cut(volume));
            }
        }
        expected.sort(Comparator.comparing(SnapshotId::volume).thenComparing(SnapshotId::recoveryPoint));

        var found = new ArrayList<SnapshotId>();
        var query = new SnapshotQuery(Optional.empty(), Optional.empty(), Optional.empty(), 5);
        var page = provider().snapshots(query);
        while (true) {
            assertThat(page.snapshots()).hasSizeLessThanOrEqualTo(5);
            page.snapshots().stream().map(Snapshot::id).forEach(found::add);
            if (page.nextCursor().isEmpty()) {
                break;
            }
            page = provider().snapshots(query.after(page.nextCursor().get()));
        }

        assertThat(found).isEqualTo(expected);
    }

    @Test
    void pageThatStartsAfterADeletedSnapshotGoesOnBehindIt() throws Exception {
        var volume = freshVolume();
        var ids = List.of(cut(volume), cut(volume), cut(volume));
        var query = new SnapshotQuery(Optional.of(volume), Optional.empty(), Optional.empty(), 1);
        var first = provider().snapshots(query);
        done(provider().delete(ids.getFirst()));

        var second = provider().snapshots(query.after(first.nextCursor().orElseThrow()));

        assertThat(second.snapshots().getFirst().id()).isEqualTo(ids.get(1));
    }

    @Test
    void listsAreNarrowedByVolumeAndByRecoveryPoint() throws Exception {
        var one = freshVolume();
        var two = freshVolume();
        var both = new CutRequest(new RecoveryPointId("rp-both"), List.of(one, two));
        provider().cut(both);
        var single = cut(two);

        var ofTwo = provider().snapshots(SnapshotQuery.ofVolume(two)).snapshots();
        var ofBoth = provider()
                .snapshots(SnapshotQuery.ofRecoveryPoint(both.recoveryPoint()))
                .snapshots();

        assertThat(ofTwo.stream().map(Snapshot::id))
                .containsExactlyInAnyOrder(single, new SnapshotId(two, both.recoveryPoint()));
        assertThat(ofBoth.stream().map(snapshot -> snapshot.id().volume())).containsExactly(one, two);
        assertThat(provider().snapshots(SnapshotQuery.ofVolume(volumeName())).snapshots())
                .isEmpty();
    }

    @Test
    void deletedSnapshotIsGoneAndDeletingAgainIsDone() throws Exception {
        var volume = freshVolume();
        var snapshot = cut(volume);
        var other = cut(volume);

        done(provider().delete(snapshot));
        done(provider().delete(snapshot));

        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().read(snapshot));
        assertThat(provider().snapshots(SnapshotQuery.everything()).snapshots().stream()
                        .map(Snapshot::id))
                .containsExactly(other);
    }

    @Test
    void heldSnapshotIsNotDeletedUntilEveryOwnerReleasedIt() throws Exception {
        var snapshot = cut(freshVolume());
        provider().hold(snapshot, LINK);
        provider().hold(snapshot, LINK);
        provider().hold(snapshot, USER);

        var error = errorOf(ProviderError.Held.class, () -> provider().delete(snapshot));
        assertThat(error.owners()).containsExactlyInAnyOrder(LINK, USER);
        provider().release(snapshot, LINK);
        provider().release(snapshot, LINK);
        assertThat(errorOf(ProviderError.Held.class, () -> provider().delete(snapshot))
                        .owners())
                .containsExactly(USER);

        provider().release(snapshot, USER);
        done(provider().delete(snapshot));
        errorOf(ProviderError.SnapshotNotFound.class, () -> provider().readiness(snapshot));
    }

    @Test
    void holdDiesWithItsSnapshotAndDoesNotComeBackWithItsName() throws Exception {
        var volume = freshVolume();
        var request = new CutRequest(recoveryPoint(), List.of(volume));
        var snapshot = snapshotOf(provider().cut(request));
        provider().hold(snapshot, LINK);
        provider().release(snapshot, LINK);
        done(provider().delete(snapshot));

        provider().cut(request);

        done(provider().delete(snapshot));
        assertThat(provider().snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
    }

    @Test
    void cloneHasTheSnapshotsBytesAndLivesItsOwnLife() throws Exception {
        var volume = freshVolume();
        needs(volume, Capability.CLONE);
        var content = randomBytes(12, VOLUME_BYTES);
        write(volume, 0, content);
        var snapshot = cut(volume);

        var clone = cloneOf(snapshot, volumeName()).id();
        assertThat(contentOf(clone)).isEqualTo(content);
        write(clone, 0, randomBytes(13, 10_000));
        write(volume, 50_000, randomBytes(14, 10_000));

        assertThat(contentOf(snapshot)).isEqualTo(content);
        assertThat(contentOf(clone)).startsWith(randomBytes(13, 10_000));
        assertThat(contentOf(volume)).startsWith(Arrays.copyOf(content, 50_000));
    }

    @Test
    void cloningTwiceUnderOneNameMakesOneVolumeAndKeepsItsWrites() throws Exception {
        var volume = freshVolume();
        needs(volume, Capability.CLONE);
        var snapshot = cut(volume);
        var name = volumeName();
        cloneOf(snapshot, name);
        write(name, 0, randomBytes(15, PAGE_BYTES));

        cloneOf(snapshot, name);

        assertThat(contentOf(name)).startsWith(randomBytes(15, PAGE_BYTES));
        assertThat(provider().volumes()).hasSize(2);
    }

    @Test
    void cloneUnderTheNameOfAnotherVolumeIsRefused() throws Exception {
        var volume = freshVolume();
        needs(volume, Capability.CLONE);
        var first = cut(volume);
        var second = cut(volume);
        var taken = freshVolume();
        var clone = cloneOf(first, volumeName()).id();

        errorOf(ProviderError.VolumeExists.class, () -> provider().clone(new CloneRequest(first, taken)));
        errorOf(ProviderError.VolumeExists.class, () -> provider().clone(new CloneRequest(first, volume)));
        errorOf(ProviderError.VolumeExists.class, () -> provider().clone(new CloneRequest(second, clone)));
    }

    @Test
    void cloneOutlivesItsSnapshotAndItsVolume() throws Exception {
        var volume = freshVolume();
        needs(volume, Capability.CLONE);
        write(volume, 0, randomBytes(16, PAGE_BYTES));
        var snapshot = cut(volume);
        var clone = cloneOf(snapshot, volumeName()).id();

        done(provider().delete(snapshot));
        putOutOfUse(volume);
        provider().remove(volume);

        assertThat(contentOf(clone)).startsWith(randomBytes(16, PAGE_BYTES));
        assertThat(contentOf(cut(clone))).startsWith(randomBytes(16, PAGE_BYTES));
    }

    @Test
    void rollbackRestoresTheBytesAndKeepsEverySnapshot() throws Exception {
        var volume = freshVolume();
        needs(volume, Capability.ROLLBACK);
        var content = randomBytes(17, VOLUME_BYTES);
        write(volume, 0, content);
        var older = cut(volume);
        write(volume, 0, randomBytes(18, VOLUME_BYTES));
        var newer = cut(volume);
        putOutOfUse(volume);

        var result = done(provider().rollback(older));

        assertThat(result.id()).isEqualTo(volume);
        assertThat(contentOf(volume)).isEqualTo(content);
        assertThat(contentOf(newer)).isEqualTo(randomBytes(18, VOLUME_BYTES));
        putOutOfUse(volume);
        done(provider().rollback(newer));
        assertThat(contentOf(volume)).isEqualTo(randomBytes(18, VOLUME_BYTES));
        assertThat(contentOf(older)).isEqualTo(content);
        assertThat(provider().snapshots(SnapshotQuery.everything()).snapshots()).hasSize(2);
    }

    @Test
    void rollbackUnderAnOpenWriterIsRefused() throws Exception {
        var volume = freshBlocks();
        needs(volume, Capability.ROLLBACK);
        var snapshot = cut(volume);

        try (var writer = provider().write(volume)) {
            writer.write(0, ByteBuffer.wrap(new byte[] {1}));
            errorOf(ProviderError.Busy.class, () -> provider().rollback(snapshot));
            errorOf(ProviderError.Busy.class, () -> provider().refuseWhileOpen(volume));
            writer.flush();
        }

        provider().refuseWhileOpen(volume);
        assertThat(contentOf(volume)).startsWith(1, 0);
    }
}
