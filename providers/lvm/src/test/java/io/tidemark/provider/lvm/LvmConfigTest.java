package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.devices.KeepFor;
import io.tidemark.spi.Capability;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LvmConfigTest {
    @Test
    void groupIsNeededAndNothingUnknownIsTaken() {
        assertThat(LvmConfig.of(Map.of("group", "vg-1.a", "pool", "thin_pool")))
                .isEqualTo(new LvmConfig("vg-1.a", "thin_pool"));
        assertThat(LvmConfig.of(Map.of("group", "vg")).makesThin()).isFalse();
        assertThatThrownBy(() -> LvmConfig.of(Map.of("pool", "p"))).hasMessageContaining("group");
        assertThatThrownBy(() -> LvmConfig.of(Map.of("group", "vg", "pool", "p", "folder", "/a")))
                .hasMessageContaining("folder")
                .hasMessageContaining("group");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-a", "a/b", "a b", "a+b", "--config"})
    void namesThatWouldBeOptionsOrPathsAreRefused(String name) {
        assertThatThrownBy(() -> LvmConfig.of(Map.of("group", name, "pool", "p")))
                .hasMessageContaining("group");
    }

    @Test
    void freeSpaceThatIsKeptIsAPercentage() {
        assertThat(LvmConfig.of(Map.of("group", "vg", "pool", "p")).minimumFreePercent())
                .isEqualTo(LvmConfig.MINIMUM_FREE_DEFAULT);
        assertThat(LvmConfig.of(Map.of("group", "vg", "pool", "p", "minimumFreePercent", "0"))
                        .minimumFreePercent())
                .isZero();
        for (var wrong : List.of("", "-1", "51", "5%", "999")) {
            assertThatThrownBy(() -> LvmConfig.of(Map.of("group", "vg", "pool", "p", "minimumFreePercent", wrong)))
                    .hasMessageContaining("minimumFreePercent");
        }
    }

    @Test
    void roomOfAClassicSnapshotIsAPercentage() {
        assertThat(LvmConfig.of(Map.of("group", "vg")).classicSnapshotPercent())
                .isEqualTo(LvmConfig.CLASSIC_SNAPSHOT_DEFAULT);
        assertThat(LvmConfig.of(Map.of("group", "vg", "classicSnapshotPercent", "100"))
                        .classicSnapshotPercent())
                .isEqualTo(100);
        for (var wrong : List.of("", "0", "101", "-1", "5%")) {
            assertThatThrownBy(() -> LvmConfig.of(Map.of("group", "vg", "classicSnapshotPercent", wrong)))
                    .hasMessageContaining("classicSnapshotPercent");
        }
    }

    @Test
    void timeThatSnapshotsAreKeptHasUnitsAndLimits() {
        assertThat(LvmConfig.of(Map.of("group", "vg")).keepFor()).isEqualTo(KeepFor.NONE);
        assertThat(LvmConfig.of(Map.of("group", "vg", "keepFor", "36h"))
                        .keepFor()
                        .time())
                .isEqualTo(Duration.ofHours(36));
        assertThatThrownBy(() -> LvmConfig.of(Map.of("group", "vg", "keepFor", "36")))
                .hasMessageContainingAll("keepFor of provider lvm is 36", "1m to 90d");
    }

    /** The lab excuses the contract's tests of what is not claimed: nothing may go from here unseen. */
    @Test
    void everyCapabilityIsClaimed() {
        assertThat(ThinKind.CAPABILITIES).containsExactlyInAnyOrderElementsOf(Capability.ofBlocks());
        var classic = EnumSet.copyOf(Capability.ofBlocks());
        classic.remove(Capability.CLONE);
        assertThat(ClassicKind.CAPABILITIES).containsExactlyInAnyOrderElementsOf(classic);
    }

    @Test
    void hyphensAreDoubledForTheDeviceMapper() {
        assertThat(LvmNames.mapped("a-b", "c-d_e")).isEqualTo("a--b-c--d_e");
    }
}
