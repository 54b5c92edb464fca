package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** From the lines of a report to volumes, snapshots and their history. */
class VolumeCatalogTest {
    private static final VolumeId ORDERS = VolumeId.of("zfs", "orders/2026");
    private static final VolumeId FOREIGN = VolumeId.of("zfs", "tank/foreign");
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");

    private final List<String> report = new ArrayList<>();

    private void line(String name, String property, String value, String source) {
        report.add(String.join("\t", name, property, value, source));
    }

    private void zvol(String name, int transaction, String origin) {
        line(name, "volsize", "32768", "local");
        line(name, "volblocksize", "16384", "-");
        line(name, "guid", "18446744073709551615", "-");
        line(name, "createtxg", String.valueOf(transaction), "-");
        line(name, "origin", origin, "-");
    }

    private String snapshot(String zvol, VolumeId volume, int transaction) {
        var name = zvol + "@" + ZfsNames.forSnapshot(new SnapshotId(volume, new RecoveryPointId("rp-" + transaction)));
        line(name, "volsize", "32768", "-");
        line(name, "guid", String.valueOf(transaction), "-");
        line(name, "createtxg", String.valueOf(transaction), "-");
        line(name, ZfsNames.POINT, "rp-" + transaction, "local");
        line(name, ZfsNames.CUT_AT, "1700000000000", "local");
        return name;
    }

    private VolumeCatalog catalog() throws ProviderException {
        return new VolumeCatalog(ZfsReport.objects(String.join("\n", report)));
    }

    @Test
    void volumesOfOthersAreKnownByTheirNamesAndOursByTheirProperty() throws Exception {
        zvol("tank/foreign", 5, "-");
        zvol("tank/odd name", 6, "-");
        zvol("tank/tidemark-v-1", 7, "-");
        line("tank/tidemark-v-1", ZfsNames.VOLUME, "orders/2026", "local");
        line("tank/tidemark-v-1", ZfsNames.BYTES, "20480", "local");

        var volumes = catalog().volumes();

        assertThat(volumes).extracting(VolumeCatalog.VolumeEntry::id).containsExactly(ORDERS, FOREIGN);
        assertThat(volumes).extracting(VolumeCatalog.VolumeEntry::sizeBytes).containsExactly(20_480L, 32_768L);
    }

    @Test
    void fileSystemsAreAsLargeAsWhatTheyReferToAndTheirSnapshotsKeepTheirOwnSize() throws Exception {
        files("tank/fs", 5, "98304");
        files("tank/fs/below", 6, "24576");
        var name = "tank/fs@" + ZfsNames.forSnapshot(new SnapshotId(VolumeId.of("zfs", "tank/fs"), POINT));
        files(name, 7, "49152");
        line(name, ZfsNames.POINT, "rp-1", "local");
        line(name, ZfsNames.CUT_AT, "1700000000000", "local");
        // Which counts for blocks only.
        line("tank/fs", ZfsNames.BYTES, "8192", "local");

        var catalog = catalog();

        assertThat(catalog.volumes())
                .extracting(VolumeCatalog.VolumeEntry::sizeBytes)
                .containsExactly(98_304L, 24_576L);
        assertThat(catalog.snapshots())
                .extracting(VolumeCatalog.SnapshotEntry::sizeBytes)
                .containsExactly(49_152L);
        assertThat(catalog.below("tank/fs")).containsExactly("tank/fs/below");
    }

    private void files(String name, int transaction, String referencedBytes) {
        line(name, "volsize", "-", "-");
        line(name, "referenced", referencedBytes, "-");
        line(name, "guid", String.valueOf(transaction), "-");
        line(name, "createtxg", String.valueOf(transaction), "-");
    }

    @Test
    void whatHasNoSizeIsLeftOut() throws Exception {
        line("tank/broken", "referenced", "-", "-");
        files("tank/fs", 5, "98304");

        assertThat(catalog().volumes()).hasSize(1);
    }

    @Test
    void longListsOfNamesAreCutShort() {
        assertThat(VolumeCatalog.shown(List.of("a", "b"))).isEqualTo("a, b");
        assertThat(VolumeCatalog.shown(List.of("a", "b", "c", "d", "e", "f", "g")))
                .endsWith("e and 2 more");
    }

    @Test
    void propertyThatIsInheritedSaysNothingOfAVolume() throws Exception {
        zvol("tank/foreign", 5, "-");
        line("tank/foreign", ZfsNames.VOLUME, "orders", "inherited from tank");

        assertThat(catalog().volumes())
                .extracting(VolumeCatalog.VolumeEntry::id)
                .containsExactly(FOREIGN);
    }

    @Test
    void sizeThatWasChangedByOthersCountsInPlaceOfOurs() throws Exception {
        zvol("tank/foreign", 5, "-");
        line("tank/foreign", ZfsNames.BYTES, "8192", "local");

        assertThat(catalog().get(FOREIGN).sizeBytes()).isEqualTo(32_768);
    }

    @Test
    void sizeThatIsNoNumberIsNone() throws Exception {
        zvol("tank/foreign", 5, "-");
        line("tank/foreign", ZfsNames.BYTES, "much", "local");

        assertThat(catalog().get(FOREIGN).sizeBytes()).isEqualTo(32_768);
    }

    @Test
    void idThatTwoVolumesHaveMeansNeither() throws Exception {
        zvol("tank/foreign", 5, "-");
        zvol("tank/tidemark-v-1", 6, "-");
        line("tank/tidemark-v-1", ZfsNames.VOLUME, "tank/foreign", "local");
        var catalog = catalog();

        assertThatThrownBy(() -> catalog.get(FOREIGN))
                .hasMessageContaining("tank/foreign")
                .hasMessageContaining("tank/tidemark-v-1");
    }

    @Test
    void snapshotIsItsVolumesWhereverItLies() throws Exception {
        zvol("tank/foreign", 9, "-");
        zvol("tank/other", 9, "-");
        snapshot("tank/other", FOREIGN, 1);
        line("tank/other@daily", "volsize", "32768", "-");
        line("tank/other@daily", "guid", "3", "-");
        line("tank/other@daily", "createtxg", "3", "-");

        assertThat(catalog().snapshots())
                .extracting(VolumeCatalog.SnapshotEntry::id)
                .containsExactly(new SnapshotId(FOREIGN, POINT));
    }

    @Test
    void snapshotWhosePropertyAndNameDisagreeIsNotOurs() throws Exception {
        zvol("tank/foreign", 9, "-");
        var name = snapshot("tank/foreign", FOREIGN, 1);
        line(name, ZfsNames.POINT, "rp-2", "local");

        assertThat(catalog().snapshots()).isEmpty();
    }

    @Test
    void historyGoesOnWhereAVolumeWasCloned() throws Exception {
        zvol("tank/foreign", 9, "-");
        var oldest = snapshot("tank/foreign", FOREIGN, 1);
        var origin = snapshot("tank/foreign", FOREIGN, 2);
        snapshot("tank/foreign", FOREIGN, 8);
        zvol(ZfsNames.forBranch("tank/foreign", 1), 3, origin);
        var newest = snapshot(ZfsNames.forBranch("tank/foreign", 1), FOREIGN, 4);

        var catalog = catalog();

        assertThat(catalog.history(catalog.named(newest).orElseThrow()))
                .extracting(ZfsObject::name)
                .containsExactly(newest, origin, oldest);
        assertThat(catalog.volumes()).hasSize(1);
    }

    @Test
    void reportThatIsNoneIsRefusedWithItsText() {
        report.add("no tabs here");

        assertThatThrownBy(this::catalog).isInstanceOf(ProviderException.class).hasMessageContaining("no tabs here");
    }
}
