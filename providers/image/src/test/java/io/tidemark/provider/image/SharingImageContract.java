package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds on file systems whose files can share extents, besides the contract. */
abstract class SharingImageContract extends ImageContract {
    private static final int ROUNDS = Integer.getInteger("tidemark.test.hostileRounds", 12);

    private int count;

    /** How {@code changedRanges} must have found its answer: a silent fallback would hide a broken way. */
    abstract String expectedSource();

    @ParameterizedTest
    @ValueSource(longs = {101, 102, 103, 104})
    void nothingIsMissedHoweverTheImageWasChanged(long seed) throws Exception {
        var random = new Random(seed);
        var volume = provider().create(VolumeId.of("image", "hostile"), 1 << 20);
        var snapshots = new ArrayList<SnapshotId>();
        snapshots.add(cutOf(volume.id()));

        for (int round = 0; round < ROUNDS; round++) {
            var image = provider().volume(volume.id()).device().orElseThrow();
            var writer = new HostileWriter(storage(), image, random);
            for (int change = 0; change <= random.nextInt(6); change++) {
                writer.changeOnce();
            }
            if (random.nextInt(4) == 0) {
                var back = provider().rollback(snapshots.get(random.nextInt(snapshots.size())));
                assertThat(back).isInstanceOf(Step.Done.class);
                var rolledBack = provider().volume(volume.id()).device().orElseThrow();
                new HostileWriter(storage(), rolledBack, random).changeOnce();
            }
            snapshots.add(cutOf(volume.id()));
            var newer = snapshots.getLast();
            var context = "seed %d round %d".formatted(seed, round);
            assertFound(snapshots.get(snapshots.size() - 2), newer, context);
            assertFound(snapshots.get(random.nextInt(snapshots.size())), newer, context + " far");
            assertFound(newer, snapshots.get(random.nextInt(snapshots.size())), context + " backwards");
        }
    }

    private void assertFound(SnapshotId older, SnapshotId newer, String context) throws Exception {
        try (var ranges = provider().changedRanges(older, newer)) {
            assertThat(ranges.source()).as(context).isEqualTo(expectedSource());
        }
        assertChangesNamed(older, newer, context);
    }

    final SnapshotId cutOf(VolumeId volume) throws Exception {
        var request = new CutRequest(new RecoveryPointId("rp-own" + count++), List.of(volume));
        provider().prepare(request);
        return provider().cut(request).members().getFirst().snapshot().id();
    }
}
