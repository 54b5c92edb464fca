package io.tidemark.provider.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.Capability;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Volumes: making, finding, writing, removing. */
abstract class VolumeContract extends ContractGround {

    @Test
    void newVolumeReadsAsZeros() throws Exception {
        assertThat(contentOf(freshVolume())).containsOnly(0);
    }

    @Test
    void createdVolumeHasItsSize() throws Exception {
        assertThat(provider().volume(freshCreated()).sizeBytes()).isEqualTo(VOLUME_BYTES);
    }

    @Test
    void volumesAreListedInOrderOfId() throws Exception {
        for (var name : List.of("b", "a", "a/b", "a.b", "a-b", "Z", "a_")) {
            make(name, VOLUME_BYTES);
        }

        var ids = provider().volumes().stream().map(Volume::id).toList();

        assertThat(ids).hasSize(7).isSorted();
    }

    @Test
    void namesThatLookAlikeAreDifferentVolumes() throws Exception {
        var plain = make("a/b", VOLUME_BYTES);
        var alike = make("a_b", VOLUME_BYTES);

        write(plain, 0, randomBytes(1, VOLUME_BYTES));

        assertThat(contentOf(alike)).containsOnly(0);
        assertThat(contentOf(plain)).isEqualTo(randomBytes(1, VOLUME_BYTES));
    }

    @Test
    void longestNamesCanBeCreatedCutAndCloned() throws Exception {
        needs(freshCreated(), Capability.CLONE);
        var longest = VolumeId.of(provider().name(), "v" + "/.-_".repeat(31) + "end");
        var name = VolumeId.of(provider().name(), "w" + "/.-_".repeat(31) + "end");
        provider().create(longest, 8192);

        var clone = cloneOf(cut(longest), name);

        assertThat(clone.sizeBytes()).isEqualTo(8192);
    }

    @Test
    void creatingTwiceWithTheSameSizeMakesOneVolume() throws Exception {
        var volume = freshCreated();

        var again = provider().create(volume, VOLUME_BYTES);
        var started = done(provider().startCreate(volume, VOLUME_BYTES));

        assertThat(again.id()).isEqualTo(volume);
        assertThat(started.id()).isEqualTo(volume);
        assertThat(provider().volumes()).hasSize(1);
    }

    @Test
    void creatingWithAnotherSizeIsRefused() throws Exception {
        var volume = freshCreated();

        var error = errorOf(ProviderError.VolumeExists.class, () -> provider().create(volume, VOLUME_BYTES + 512));

        assertThat(error.volume()).isEqualTo(volume);
        assertThat(provider().volume(volume).sizeBytes()).isEqualTo(VOLUME_BYTES);
    }

    @Test
    void creatingOverAVolumeWithSnapshotsIsRefused() throws Exception {
        var volume = freshCreated();
        cut(volume);

        errorOf(ProviderError.VolumeExists.class, () -> provider().create(volume, VOLUME_BYTES));
        errorOf(ProviderError.VolumeExists.class, () -> provider().startCreate(volume, VOLUME_BYTES));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -512, 511, 513, Long.MIN_VALUE})
    void sizesThatAreNotAPositiveMultipleOf512AreRefused(long sizeBytes) throws Exception {
        var volume = volumeName();

        assertThatThrownBy(() -> provider().create(volume, sizeBytes)).isInstanceOf(IllegalArgumentException.class);

        assertThat(provider().volumes()).isEmpty();
    }

    @Test
    void absentVolumeIsNotFoundByEveryCallThatNamesOne() {
        var absent = volumeName();
        var request = new CutRequest(recoveryPoint(), List.of(absent));

        errorOf(ProviderError.VolumeNotFound.class, () -> provider().volume(absent));
        errorOf(ProviderError.VolumeNotFound.class, () -> provider().forecast(List.of(absent)));
        errorOf(ProviderError.VolumeNotFound.class, () -> provider().prepare(request));
        errorOf(ProviderError.VolumeNotFound.class, () -> provider().cut(request));
        errorOf(ProviderError.VolumeNotFound.class, () -> provider().write(absent));
    }

    @Test
    void volumeOfAnotherProviderIsNotFound() {
        errorOf(ProviderError.VolumeNotFound.class, () -> provider().volume(VolumeId.of("other", "a")));
    }

    @Test
    void removedVolumeIsGoneAndRemovingAgainDoesNothing() throws Exception {
        var volume = freshVolume();
        putOutOfUse(volume);

        provider().remove(volume);
        provider().remove(volume);

        assertThat(provider().volumes()).isEmpty();
        errorOf(ProviderError.VolumeNotFound.class, () -> provider().volume(volume));
    }

    @Test
    void volumeWithSnapshotsIsNotRemoved() throws Exception {
        var volume = freshVolume();
        var snapshot = cut(volume);

        errorOf(ProviderError.Conflict.class, () -> provider().remove(volume));

        assertThat(provider().volume(volume).id()).isEqualTo(volume);
        done(provider().delete(snapshot));
        putOutOfUse(volume);
        provider().remove(volume);
        assertThat(provider().volumes()).isEmpty();
    }

    @Test
    void nameOfARemovedVolumeCanBeUsedAgain() throws Exception {
        make("again", VOLUME_BYTES);
        write(named("again"), 0, randomBytes(1, PAGE_BYTES));
        putOutOfUse(named("again"));
        provider().remove(named("again"));

        var volume = make("again", VOLUME_BYTES);

        assertThat(contentOf(volume)).containsOnly(0);
    }

    @Test
    void writtenBytesAreReadBackAndTheRestStays() throws Exception {
        var volume = freshVolume();
        var expected = new byte[VOLUME_BYTES];
        var written = randomBytes(3, 5000);
        System.arraycopy(written, 0, expected, 1234, written.length);

        write(volume, 1234, written);

        assertThat(contentOf(volume)).isEqualTo(expected);
    }

    @Test
    void zeroedRangeReadsAsZerosToTheByte() throws Exception {
        var volume = freshBlocks();
        var expected = randomBytes(4, VOLUME_BYTES);
        write(volume, 0, expected);

        try (var writer = provider().write(volume)) {
            writer.writeZeroes(new BlockRange(4000, 20_001));
            writer.writeZeroes(new BlockRange(VOLUME_BYTES - 700, 700));
            writer.flush();
        }

        Arrays.fill(expected, 4000, 24_001, (byte) 0);
        Arrays.fill(expected, VOLUME_BYTES - 700, VOLUME_BYTES, (byte) 0);
        assertThat(contentOf(volume)).isEqualTo(expected);
    }

    @Test
    void writesPastTheEndAreRefusedAndChangeNothing() throws Exception {
        var volume = freshBlocks();

        try (var writer = provider().write(volume)) {
            assertThat(writer.sizeBytes()).isEqualTo(VOLUME_BYTES);
            assertThatThrownBy(() -> writer.write(VOLUME_BYTES - 1, ByteBuffer.wrap(new byte[] {1, 1})))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.write(-1, ByteBuffer.wrap(new byte[] {1})))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.writeZeroes(new BlockRange(VOLUME_BYTES, 1)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.read(VOLUME_BYTES, ByteBuffer.allocate(1)))
                    .isInstanceOf(IllegalArgumentException.class);
        }

        assertThat(provider().volume(volume).sizeBytes()).isEqualTo(VOLUME_BYTES);
        assertThat(contentOf(volume)).containsOnly(0);
    }

    @Test
    void secondWriterIsRefusedUntilTheFirstIsClosed() throws Exception {
        var volume = freshBlocks();

        try (var writer = provider().write(volume)) {
            assertThat(writer.sizeBytes()).isEqualTo(VOLUME_BYTES);
            var error = errorOf(ProviderError.Busy.class, () -> provider().write(volume));
            assertThat(error.holder()).isNotBlank();
            errorOf(ProviderError.Busy.class, () -> provider().remove(volume));
        }

        write(volume, 0, new byte[] {1});
    }

    @Test
    void closedWriterWritesNothingMore() throws Exception {
        var volume = freshBlocks();
        var writer = provider().write(volume);
        writer.close();
        writer.close();

        errorOf(ProviderError.class, () -> writer.write(0, ByteBuffer.wrap(new byte[] {1})));

        assertThat(contentOf(volume)).containsOnly(0);
    }

    @Test
    void volumesSnapshotsHoldsAndBytesAreThereAfterReopening() throws Exception {
        Assumptions.assumeTrue(persistent(), "the provider keeps nothing beyond its own life");
        var volume = freshVolume();
        write(volume, 100, randomBytes(5, 9000));
        SnapshotId snapshot = cut(volume);
        var content = contentOf(snapshot);
        write(volume, 0, randomBytes(6, 20_000));
        long sizeBytes = provider().volume(volume).sizeBytes();
        var before = provider().snapshots(SnapshotQuery.everything());
        provider().hold(snapshot, new HoldOwner("link-1"));

        reopen();

        assertThat(provider().snapshots(SnapshotQuery.everything())).isEqualTo(before);
        assertThat(contentOf(snapshot)).isEqualTo(content);
        errorOf(ProviderError.Held.class, () -> provider().delete(snapshot));
        var again = provider().volume(volume);
        // What files take is known once they lie on the disks, which may be meanwhile.
        assertThat(again.can(Capability.FILES) || again.sizeBytes() == sizeBytes)
                .as("%d bytes before, then %d", sizeBytes, again.sizeBytes())
                .isTrue();
    }
}
