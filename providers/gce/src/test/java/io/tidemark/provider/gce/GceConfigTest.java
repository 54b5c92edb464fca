package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.BadSetting;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GceConfigTest {
    private static final Map<String, String> LEAST =
            Map.of("project", "my-project", "installation", "prod", "locations.0", "europe-west3-a");

    @Test
    void leastSettingsAreProjectInstallationAndAPlace() {
        var config = GceConfig.of("gce", LEAST);

        assertThat(config.locations()).containsExactly(new GceLocation("europe-west3-a"));
        assertThat(config.guestFlush()).isFalse();
        for (var left : LEAST.keySet()) {
            var without = new HashMap<>(LEAST);
            without.remove(left);
            assertThatThrownBy(() -> GceConfig.of("gce", without))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(left.replace(".0", ""));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "project, My Project",
        "installation, Prod",
        "locations.0, Frankfurt",
        "locations.1, europe-west3-a-b",
        "onlyLabelled, backup",
        "onlyLabelled, Team=a",
        "endpoint, compute.googleapis.com",
        "storageLocation, EU!",
        "guestFlush, yes",
        "snapshotType, cold",
        "helper, backup-1",
        "helper, projects/another/zones/europe-west3-a/instances/backup-1",
        "helper, projects/my-project/zones/europe-west3/instances/backup-1",
        "helperDisks, 8",
        "projekt, my-project"
    })
    void badSettingIsNamed(String key, String value) {
        var settings = new HashMap<>(LEAST);
        settings.put(key, value);

        assertThatThrownBy(() -> GceConfig.of("gce", settings))
                .isInstanceOfSatisfying(
                        BadSetting.class, bad -> assertThat(bad.setting()).isEqualTo(key));
    }

    @ParameterizedTest
    @CsvSource({"helperDisks, 128", "helperDisks, 0", "helperDevices, dev", "helperDiskType, PD"})
    void badSettingOfAHelperIsNamed(String key, String value) {
        var settings = new HashMap<>(LEAST);
        settings.put("helper", "projects/my-project/zones/europe-west3-a/instances/backup-1");
        assertThat(GceConfig.of("gce", settings).helper().orElseThrow().disks()).isEqualTo(8);
        settings.put(key, value);

        assertThatThrownBy(() -> GceConfig.of("gce", settings))
                .isInstanceOfSatisfying(
                        BadSetting.class, bad -> assertThat(bad.setting()).isEqualTo(key));
    }

    @Test
    void singlePlaceMayStandWithoutAList() {
        var settings = Map.of("project", "my-project", "installation", "prod", "locations", "europe-west3");

        assertThat(GceConfig.of("gce", settings).locations().getFirst().isZone())
                .isFalse();
    }
}
