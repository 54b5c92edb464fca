package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.FakeClock;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class CopyTurnsTest {
    private final CopyTurns turns = new CopyTurns(1, new FakeClock(Instant.EPOCH));

    /** The newer one first would be refused by Azure, or leave the older without its place. */
    @Test
    void whomAzureRefusesKeepsItsPlaceBeforeThoseWhoAskedLater() {
        var older = copy("data", "rp-1");
        var newer = copy("data", "rp-2");
        assertThat(turns.enter(older)).isTrue();
        assertThat(turns.enter(newer)).isFalse();

        turns.refused(older);

        assertThat(turns.enter(newer)).isFalse();
        assertThat(turns.enter(older)).isTrue();
    }

    /** Of the places that all disks share it takes none meanwhile. */
    @Test
    void whoComesAfterAllPlacesAreTakenWaitsUntilOneHasLeft() {
        var first = copy("data", "rp-1");
        var other = copy("more", "rp-1");
        assertThat(turns.enter(first)).isTrue();
        assertThat(turns.enter(other)).isFalse();

        turns.left(first);

        assertThat(turns.enter(other)).isTrue();
    }

    private static SnapshotId copy(String disk, String point) {
        return new SnapshotId(AzureAccount.volume(disk), new RecoveryPointId(point));
    }
}
