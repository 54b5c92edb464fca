package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.commands.Command;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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
                              {"lv_name":"pool", "lv_size":"536870912", "segtype":"thin-pool", "pool_lv":"", "thin_id":"", "chunk_size":"65536", "data_percent":"4.39", "metadata_percent":"11.52", "lv_active":"active", "lv_device_open":"open", "lv_tags":"", "lv_attr":"-wi-a-----", "origin":"", "origin_size":"", "snap_percent":"", "lv_snapshot_invalid":""},
                              {"lv_name":"[pool_tmeta]", "lv_size":"4194304", "segtype":"linear", "pool_lv":"", "thin_id":"", "chunk_size":"0", "data_percent":"", "metadata_percent":"", "lv_active":"active", "lv_device_open":"open", "lv_tags":"", "lv_attr":"-wi-a-----", "origin":"", "origin_size":"", "snap_percent":"", "lv_snapshot_invalid":""},
                              {"lv_name":"s1", "lv_size":"268435456", "segtype":"thin", "pool_lv":"pool", "thin_id":"2", "chunk_size":"0", "data_percent":"", "metadata_percent":"", "lv_active":"", "lv_device_open":"unknown", "lv_tags":"tidemark.bytes=1050112,tidemark.point=rp-1", "lv_attr":"-wi-a-----", "origin":"", "origin_size":"", "snap_percent":"", "lv_snapshot_invalid":""}
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

    /** A row as LVM 2.03.16 wrote it for a snapshot of ours, a thousand times. */
    @Test
    void thousandSnapshotsAreOneReportFarBelowTheLimitOfOutput() throws Exception {
        var rows = IntStream.range(0, 1_000)
                .mapToObj(number -> """
                        {"lv_name":"tidemark-s-0f3c%028d", "lv_size":"1073741824", "segtype":"thin", "pool_lv":"pool", \
                        "thin_id":"%d", "chunk_size":"0", "data_percent":"", "metadata_percent":"", "lv_active":"", \
                        "lv_device_open":"unknown", "lv_tags":"tidemark.snapshot-of=vg/orders,tidemark.point=rp-%04d,\
                        tidemark.bytes=1073741824,tidemark.cut-at=1795669952123,tidemark.hold=replication-a", "lv_attr":"-wi-a-----", "origin":"", "origin_size":"", "snap_percent":"", "lv_snapshot_invalid":""}""".formatted(number, number + 2, number))
                .collect(Collectors.joining(",\n"));
        var report = "{\"report\":[{\"lv\":[" + rows + "]}]}";

        var snapshots = new LvmCatalog("vg", LvmReport.parse(report)).snapshots();

        assertThat(snapshots).hasSize(1_000);
        assertThat(snapshots.getLast().id()).hasToString("lvm:vg/orders@rp-0999");
        assertThat(LvmCatalog.holders(snapshots.getFirst().on())).containsExactly(new HoldOwner("replication-a"));
        assertThat(report.length()).isLessThan(Command.OUTPUT_BYTES_DEFAULT / 10);
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
