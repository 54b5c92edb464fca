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

    /** A volume of two segments, a snapshot of it, and one that has overflowed. */
    private static final String CLASSIC = """
              {"report": [{"lv": [
                  {"lv_name":"o", "lv_size":"16777216", "segtype":"linear", "pool_lv":"", "thin_id":"", "chunk_size":"0", "data_percent":"", "metadata_percent":"", "lv_active":"active", "lv_device_open":"", "lv_tags":"", "lv_attr":"owi-a-s---", "origin":"", "origin_size":"16777216", "snap_percent":"", "lv_snapshot_invalid":"unknown"},
                  {"lv_name":"o", "lv_size":"16777216", "segtype":"striped", "pool_lv":"", "thin_id":"", "chunk_size":"0", "data_percent":"", "metadata_percent":"", "lv_active":"active", "lv_device_open":"", "lv_tags":"", "lv_attr":"owi-a-s---", "origin":"", "origin_size":"16777216", "snap_percent":"", "lv_snapshot_invalid":"unknown"},
                  {"lv_name":"s", "lv_size":"4194304", "segtype":"linear", "pool_lv":"", "thin_id":"", "chunk_size":"4096", "data_percent":"2.15", "metadata_percent":"", "lv_active":"active", "lv_device_open":"", "lv_tags":"", "lv_attr":"sri-a-s---", "origin":"o", "origin_size":"16777216", "snap_percent":"2.15", "lv_snapshot_invalid":""},
                  {"lv_name":"lost", "lv_size":"4194304", "segtype":"linear", "pool_lv":"", "thin_id":"", "chunk_size":"4096", "data_percent":"100.00", "metadata_percent":"", "lv_active":"active", "lv_device_open":"", "lv_tags":"", "lv_attr":"sri-I-s---", "origin":"o", "origin_size":"16777216", "snap_percent":"100.00", "lv_snapshot_invalid":"snapshot invalid"},
                  {"lv_name":"[lvol0_pmspare]", "lv_size":"4194304", "segtype":"linear", "pool_lv":"", "thin_id":"", "chunk_size":"0", "data_percent":"", "metadata_percent":"", "lv_active":"", "lv_device_open":"", "lv_tags":"", "lv_attr":"ewi-------", "origin":"", "origin_size":"", "snap_percent":"", "lv_snapshot_invalid":"unknown"},
                  {"lv_name":"fast", "lv_size":"4194304", "segtype":"cache", "pool_lv":"c", "thin_id":"", "chunk_size":"65536", "data_percent":"", "metadata_percent":"", "lv_active":"active", "lv_device_open":"", "lv_tags":"", "lv_attr":"Cwi-a-C---", "origin":"[fast_corig]", "origin_size":"", "snap_percent":"", "lv_snapshot_invalid":"unknown"}
              ]}]}
            """;

    @Test
    void classicVolumesAreToldFromTheirSnapshotsAndFromParts() throws Exception {
        var volumes = LvmReport.parse(CLASSIC);

        assertThat(volumes.stream().map(LogicalVolume::name))
                .containsExactly("o", "s", "lost", "lvol0_pmspare", "fast");
        assertThat(volumes.stream().filter(LogicalVolume::classic).map(LogicalVolume::name))
                .containsExactly("o");
        assertThat(volumes.get(1).store()).isEqualTo(new StoreUse("o", 16_777_216, 2.15, false));
        assertThat(volumes.get(2).store().invalid()).isTrue();
        assertThat(new LvmCatalog("vg", volumes).classicSnapshotsOf(volumes.getFirst()))
                .hasSize(2);
        assertThat(new LvmCatalog("vg", volumes).volumes()).hasSize(1);
    }

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
