package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LvmReportTest {
    /** LVM 2.03.16 of Debian 12, shortened. */
    private static final String REPORT = """
              {
                  "report": [
                      {
                          "lv": [
                              {"lv_name":"pool", "lv_size":"536870912", "segtype":"thin-pool", "pool_lv":"", "thin_id":"", "chunk_size":"65536", "data_percent":"4.39", "metadata_percent":"11.52", "lv_active":"active", "lv_device_open":"open", "lv_tags":""},
                              {"lv_name":"[pool_tmeta]", "lv_size":"4194304", "segtype":"linear", "pool_lv":"", "thin_id":"", "chunk_size":"0", "data_percent":"", "metadata_percent":"", "lv_active":"active", "lv_device_open":"open", "lv_tags":""},
                              {"lv_name":"s1", "lv_size":"268435456", "segtype":"thin", "pool_lv":"pool", "thin_id":"2", "chunk_size":"0", "data_percent":"", "metadata_percent":"", "lv_active":"", "lv_device_open":"unknown", "lv_tags":"tidemark.bytes=1050112,tidemark.point=rp-1"}
                          ]
                      }
                  ]
              }
            """;

    @Test
    void poolsPartsAndSnapshotsAreReadAsTheyAre() throws Exception {
        var volumes = LvmReport.parse(REPORT);

        assertThat(volumes).hasSize(3);
        assertThat(volumes.getFirst())
                .returns("thin-pool", LogicalVolume::segmentType)
                .returns(65_536, LogicalVolume::chunkBytes)
                .returns(4.39, LogicalVolume::dataPercent)
                .returns(-1, LogicalVolume::thinId)
                .returns(true, LogicalVolume::open);
        assertThat(volumes.get(1).name()).isEqualTo("pool_tmeta");
        assertThat(volumes.getLast())
                .returns(2, LogicalVolume::thinId)
                .returns(false, LogicalVolume::active)
                .returns(false, LogicalVolume::open);
        assertThat(volumes.getLast().tag(LvmNames.POINT)).contains("rp-1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "no json",
                "{\"report\":[{\"lv\":[{\"lv_name\":\"a\"}]}]}",
                "{\"report\":[{\"lv\":[{\"lv_name\":7}]}]}"
            })
    void whatIsNotSuchAReportIsUnexpectedWithItsText(String text) {
        assertThatThrownBy(() -> LvmReport.parse(text))
                .isInstanceOfSatisfying(
                        ProviderException.class,
                        e -> assertThat(e.error())
                                .isInstanceOfSatisfying(
                                        ProviderError.Unexpected.class,
                                        error -> assertThat(error.answer()).contains(text)));
    }
}
