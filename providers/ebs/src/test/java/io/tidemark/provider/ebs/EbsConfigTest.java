package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.HostRequirement;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EbsConfigTest {
    private static final Map<String, String> LEAST = Map.of("region", "eu-central-1", "installation", "prod");

    @Test
    void leastSettingsAreRegionAndInstallation() {
        var config = EbsConfig.of("ebs", LEAST);

        assertThat(config.region()).isEqualTo("eu-central-1");
        assertThat(config.onlyTagged()).isEmpty();
        assertThat(config.parallelBlocks()).isBetween(1, EbsConfig.PARALLEL_BLOCKS_MAXIMUM);
        for (var left : LEAST.keySet()) {
            var without = new HashMap<>(LEAST);
            without.remove(left);
            assertThatThrownBy(() -> EbsConfig.of("ebs", without))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(left);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "region, Frankfurt",
        "installation, Prod",
        "onlyTagged, backup",
        "ec2Endpoint, ec2.eu-central-1.amazonaws.com",
        "ebsEndpoint, ftp://here",
        "availabilityZone, 1",
        "parallelBlocks, 0",
        "parallelBlocks, 65",
        "copiesMaximum, 0",
        "copiesMaximum, 1001",
        "staging, var/lib/staging",
        "chainClones, disk",
        "regoin, eu-central-1"
    })
    void badSettingIsNamed(String key, String value) {
        var settings = new HashMap<>(LEAST);
        settings.put(key, value);

        assertThatThrownBy(() -> EbsConfig.of("ebs", settings))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(key);
    }

    @Test
    void checkNamesAMisspeltSettingBesideAnythingElse() {
        var found = EbsProviderFactory.settings(Map.of("regoin", "eu-central-1", "installation", "prod"));

        assertThat(found.state()).isEqualTo(HostRequirement.State.LACKING);
        assertThat(found.detail()).contains("unknown setting regoin");
    }

    @Test
    void tagIsSplitAtItsFirstEqualsSign() {
        var settings = new HashMap<>(LEAST);
        settings.put("onlyTagged", "team=a=b");

        assertThat(EbsConfig.of("ebs", settings).onlyTagged()).hasValue(new EbsConfig.Tag("team", "a=b"));
    }
}
