package io.tidemark.provider.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every provider must do. A provider's test class extends this one, says how to open the provider over storage
 * of its own, and adds only its own quirks. Changed and allocated ranges are held against a byte-wise compare.
 */
public abstract class ProviderContract extends SnapshotContract {

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 41})
    void changedRangesLeaveOutNothingThatChanged(long seed) throws Exception {
        var random = new Random(seed);
        var volume = freshBlocks();
        var snapshots = new ArrayList<>(List.of(cut(volume)));

        for (int round = 0; round < rounds(); round++) {
            change(volume, random);
            snapshots.add(cut(volume));
            var newer = snapshots.getLast();
            var older = snapshots.get(random.nextInt(snapshots.size()));
            assertChangesNamed(snapshots.get(snapshots.size() - 2), newer, "seed %d round %d".formatted(seed, round));
            assertChangesNamed(older, newer, "seed %d round %d, far".formatted(seed, round));
            assertChangesNamed(newer, older, "seed %d round %d, backwards".formatted(seed, round));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {5, 6})
    void changedRangesHoldAcrossRollbacks(long seed) throws Exception {
        var random = new Random(seed);
        var volume = freshBlocks();
        needs(volume, Capability.ROLLBACK);
        change(volume, random);
        var snapshots = new ArrayList<>(List.of(cut(volume)));

        for (int round = 0; round < rounds(); round++) {
            change(volume, random);
            snapshots.add(cut(volume));
            done(provider().rollback(snapshots.get(random.nextInt(snapshots.size()))));
            change(volume, random);
            snapshots.add(cut(volume));
            for (var older : snapshots) {
                assertChangesNamed(older, snapshots.getLast(), "seed %d round %d".formatted(seed, round));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {7, 8})
    void changedRangesHoldWithinAClonesOwnHistory(long seed) throws Exception {
        var random = new Random(seed);
        var volume = freshBlocks();
        needs(volume, Capability.CLONE);
        change(volume, random);
        var clone = cloneOf(cut(volume), volumeName()).id();
        var older = cut(clone);

        for (int round = 0; round < rounds(); round++) {
            change(clone, random);
            change(volume, random);
            var newer = cut(clone);
            assertChangesNamed(older, newer, "seed %d round %d".formatted(seed, round));
            older = newer;
        }
    }

    @Test
    void nothingIsNamedBetweenEqualSnapshotsOfATrackingVolume() throws Exception {
        var volume = freshBlocks();
        needs(volume, Capability.CHANGED_RANGES);
        write(volume, 0, randomBytes(1, VOLUME_BYTES));
        var older = cut(volume);
        var newer = cut(volume);

        var ranges = collect(provider().changedRanges(older, newer), VOLUME_BYTES);

        assertThat(ranges).isEmpty();
    }

    @Test
    void trackingVolumeNamesLittleMoreThanWhatChanged() throws Exception {
        var volume = freshBlocks();
        needs(volume, Capability.TRACKED_CHANGES);
        write(volume, 0, randomBytes(2, VOLUME_BYTES));
        var older = cut(volume);
        write(volume, 40L * PAGE_BYTES, randomBytes(3, PAGE_BYTES));
        write(volume, 90L * PAGE_BYTES, randomBytes(4, 2 * PAGE_BYTES));
        var newer = cut(volume);

        var answer = provider().changedRanges(older, newer);
        long twoPlaces = 2L * answer.granularityBytes();
        var ranges = collect(answer, VOLUME_BYTES);

        long named = ranges.stream().mapToLong(BlockRange::lengthBytes).sum();
        assertThat(named).isBetween(3L * PAGE_BYTES, Math.max(16L * PAGE_BYTES, twoPlaces));
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13})
    void allocatedRangesCoverEverythingThatIsNotZero(long seed) throws Exception {
        var random = new Random(seed);
        var volume = freshBlocks();

        for (int round = 0; round < rounds(); round++) {
            change(volume, random);
            var snapshot = cut(volume);
            var content = contentOf(snapshot);
            var named = collect(provider().allocatedRanges(snapshot), content.length);
            assertCovered(
                    named, differing(content, new byte[content.length]), "seed %d round %d".formatted(seed, round));
        }
    }

    /** One round of what writers do: writes, overwrites with the same bytes, zeros written, ranges zeroed away. */
    private void change(VolumeId volume, Random random) throws ProviderException {
        try (var writer = provider().write(volume)) {
            int count = 1 + random.nextInt(12);
            for (int index = 0; index < count; index++) {
                changeOnce(writer, random);
            }
            writer.flush();
        }
    }

    private static void changeOnce(VolumeWriter writer, Random random) throws ProviderException {
        int length = 1 + random.nextInt(random.nextInt(8) == 0 ? 200_000 : 9_000);
        long offset = random.nextInt(VOLUME_BYTES - length + 1);
        if (random.nextInt(3) == 0) {
            offset -= offset % PAGE_BYTES;
            length = Math.toIntExact(Math.min(VOLUME_BYTES - offset, (length / PAGE_BYTES + 1L) * PAGE_BYTES));
        }
        var bytes = new byte[length];
        switch (random.nextInt(6)) {
            case 0 -> writer.writeZeroes(new BlockRange(offset, length));
            case 1 -> writer.write(offset, ByteBuffer.wrap(bytes));
            case 2 -> {
                var same = ByteBuffer.allocate(length);
                writer.read(offset, same);
                writer.write(offset, same.flip());
            }
            case 3 -> {
                random.nextBytes(bytes);
                writer.writeZeroes(new BlockRange(offset, length));
                writer.write(offset, ByteBuffer.wrap(bytes, 0, length / 2 + 1));
            }
            default -> {
                random.nextBytes(bytes);
                writer.write(offset, ByteBuffer.wrap(bytes));
            }
        }
    }

    /** For a provider's own tests: whatever differs between the two snapshots must be named. */
    protected final void assertChangesNamed(SnapshotId older, SnapshotId newer, String context) throws Exception {
        var left = contentOf(older);
        var right = contentOf(newer);
        var named = collect(provider().changedRanges(older, newer), Math.max(left.length, right.length));
        assertCovered(named, differing(left, right), context);
    }

    private static BitSet differing(byte[] left, byte[] right) {
        int length = Math.max(left.length, right.length);
        var differing = new BitSet(length);
        for (int index = 0; index < length; index++) {
            boolean past = index >= left.length || index >= right.length;
            if (past || left[index] != right[index]) {
                differing.set(index);
            }
        }
        return differing;
    }

    private static void assertCovered(List<BlockRange> named, BitSet differing, String context) {
        var left = (BitSet) differing.clone();
        for (var range : named) {
            left.clear(Math.toIntExact(range.offsetBytes()), Math.toIntExact(range.endBytes()));
        }
        assertThat(left.nextSetBit(0))
                .as("%s: first changed byte not named", context)
                .isEqualTo(-1);
    }
}
