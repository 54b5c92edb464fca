package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.devices.KeepFor;
import io.tidemark.spi.Capability;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ZfsConfigTest {
    @Test
    void datasetIsNeededAndNothingElseIsKnown() {
        assertThat(ZfsConfig.of(Map.of("dataset", "tank/a.b/c_d-1"))).isEqualTo(new ZfsConfig("tank/a.b/c_d-1"));
        assertThatThrownBy(() -> ZfsConfig.of(Map.of())).hasMessageContaining("dataset");
        assertThatThrownBy(() -> ZfsConfig.of(Map.of("dataset", "tank", "pool", "tank")))
                .hasMessageContaining("pool")
                .hasMessageContaining("dataset");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "-r", "/tank", "tank/", "tank//a", "tank/-a", "tank@a", "tank#a", "a b", "tank/a%b", "1a"})
    void namesThatWouldBeOptionsOrSnapshotsAreRefused(String name) {
        assertThatThrownBy(() -> ZfsConfig.of(Map.of("dataset", name))).hasMessageContaining("dataset");
    }

    @Test
    void namesThatLeaveNoRoomForASnapshotsAreRefused() {
        assertThatThrownBy(() -> ZfsConfig.of(Map.of("dataset", "a".repeat(121))))
                .hasMessageContaining("120");
    }

    @Test
    void timeThatSnapshotsAreKeptHasUnitsAndLimits() {
        assertThat(ZfsConfig.of(Map.of("dataset", "tank")).keepFor()).isEqualTo(KeepFor.NONE);
        assertThat(ZfsConfig.of(Map.of("dataset", "tank", "keepFor", "7d"))
                        .keepFor()
                        .time())
                .isEqualTo(Duration.ofDays(7));
        assertThatThrownBy(() -> ZfsConfig.of(Map.of("dataset", "tank", "keepFor", "7")))
                .hasMessageContainingAll("keepFor of provider zfs is 7", "1m to 90d");
    }

    /** The lab excuses the contract's tests of what is not claimed: nothing may go from here unseen. */
    @Test
    void everythingIsClaimed() {
        assertThat(VolumeDescriptions.OF_BLOCKS).containsExactlyInAnyOrderElementsOf(Capability.ofBlocks());
    }
}
