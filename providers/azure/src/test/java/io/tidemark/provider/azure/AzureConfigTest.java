package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.HostRequirement;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AzureConfigTest {
    private static final Map<String, String> LEAST = Map.of(
            "subscription", "11111111-2222-3333-4444-555555555555",
            "location", "westeurope",
            "resourceGroup", "Production",
            "installation", "prod");

    @Test
    void eachOfTheLeastSettingsIsNeeded() {
        var config = AzureConfig.of("azure", LEAST);

        assertThat(config.resourceGroup()).isEqualTo("production");
        assertThat(config.listedGroups()).containsExactly("production");
        assertThat(config.isSecure()).isTrue();
        for (var left : LEAST.keySet()) {
            var without = new HashMap<>(LEAST);
            without.remove(left);
            assertThatThrownBy(() -> AzureConfig.of("azure", without))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(left);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "subscription, mine",
        "location, West Europe",
        "resourceGroup, (odd)",
        "installation, Prod",
        "otherGroups, some",
        "otherGroups.0, a/b",
        "onlyTagged, backup",
        "onlyTagged, back/up=1",
        "endpoint, http://management.azure.com",
        "endpoint, management.azure.com",
        "parallelReads, 0",
        "parallelReads, 33",
        "subscripton, x"
    })
    void badSettingIsNamed(String key, String value) {
        var settings = new HashMap<>(LEAST);
        settings.put(key, value);

        assertThatThrownBy(() -> AzureConfig.of("azure", settings))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(key.equals("otherGroups.0") ? "entry 1 of otherGroups" : key);
    }

    @Test
    void groupsAreListedOneByOneOrAllAtOnce() {
        var some = new HashMap<>(LEAST);
        some.put("otherGroups.0", "Data");
        some.put("otherGroups.1", "production");
        var all = new HashMap<>(LEAST);
        all.put("otherGroups", "*");

        assertThat(AzureConfig.of("azure", some).listedGroups()).containsExactly("production", "data");
        assertThat(AzureConfig.of("azure", some).sees("DATA")).isTrue();
        assertThat(AzureConfig.of("azure", some).sees("other")).isFalse();
        assertThat(AzureConfig.of("azure", all).listedGroups()).isEmpty();
        assertThat(AzureConfig.of("azure", all).sees("other")).isTrue();
    }

    @Test
    void checkNamesAMisspeltSettingBesideAnythingElse() {
        var found = AzureProviderFactory.settings(Map.of("subscripton", "x"));

        assertThat(found.state()).isEqualTo(HostRequirement.State.LACKING);
        assertThat(found.detail()).contains("unknown setting subscripton");
    }
}
