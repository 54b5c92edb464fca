package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.nativeblock.ZvolCalls;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.provider.devices.KeepFor;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Snapshots for which there would not be room for as long as they have to be kept, asked of the provider. */
class KeptRoomTest {
    private static final VolumeId ORDERS = VolumeId.of("zfs", "tank/volumes/orders");
    private static final CutRequest FIRST = request("rp-1");
    private static final CutRequest SECOND = request("rp-2");

    private final FakeZfs zfs = new FakeZfs();
    private final List<String> cut = new ArrayList<>();
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    private final Cutting.Storage storage = new Cutting.Storage() {
        @Override
        public void snapshot(List<String> snapshots, Map<String, String> properties) {
            cut.addAll(snapshots);
            snapshots.forEach(each -> zfs.add(each, properties));
        }

        @Override
        public Map<String, Long> referencedBytes(List<String> snapshots) {
            return Map.of();
        }
    };

    private static CutRequest request(String point) {
        return new CutRequest(new RecoveryPointId(point), List.of(ORDERS));
    }

    @BeforeEach
    void needsRoot() {
        TestStorage.needs(Files.isWritable(Path.of("/run")), "a provider's lock is a file of root's in /run");
        zfs.add(ORDERS.name(), Map.of());
        room("tank", 1_000_000, 2_000_000);
        room("tank/volumes", 900_000, 2_000_000);
    }

    private void room(String fileSystem, long usedBytes, long availableBytes) {
        zfs.rooms.put(fileSystem, new PoolRoom.Room(usedBytes, availableBytes));
    }

    private ZfsProvider open(String keepFor) throws ProviderException {
        var config = new ZfsConfig(
                "tank/volumes", keepFor.isEmpty() ? KeepFor.NONE : KeepFor.of(Map.of(KeepFor.SETTING, keepFor), "zfs"));
        var time = new ZfsProvider.Time(() -> now, () -> 1);
        return ZfsProvider.open(config, zfs, ZvolCalls.load(), storage, time);
    }

    private static String refusalOf(ZfsProvider provider, CutRequest request) {
        var thrown = catchThrowableOfType(ProviderException.class, () -> provider.prepare(request));
        assertThat(thrown).as("a refusal").isNotNull();
        assertThat(thrown.error()).isInstanceOf(ProviderError.OutOfSpace.class);
        return thrown.error().message();
    }

    private static String notes(ZfsProvider provider) throws ProviderException {
        return String.join("; ", provider.forecast(List.of(ORDERS)).notes());
    }

    @Test
    void poolThatWouldBeFullTooSoonRefusesTheSnapshotAndNothingIsMade() throws Exception {
        try (var provider = open("36h")) {
            assertThat(notes(provider)).contains("nothing is known yet for keepFor (36h)");
            provider.prepare(FIRST);
            provider.cut(FIRST);
            now = now.plus(Duration.ofHours(1));
            room("tank", 1_100_000, 1_900_000);
            room("tank/volumes", 900_000, 1_900_000);
            assertThat(notes(provider)).contains("tank is full in 19 h, less than keepFor (36h): no snapshot is made");

            assertThat(refusalOf(provider, SECOND))
                    .contains("pool tank (full in 19 h at the rate of the last 60 min, keepFor is 36h;")
                    .contains("zpool add tank DEVICE; delete snapshots, or lower keepFor")
                    .contains("1900000 bytes free, 3600000 needed");
            assertThat(cut).hasSize(1);
            assertThatCode(() -> provider.prepare(FIRST))
                    .as("what there is already needs no room")
                    .doesNotThrowAnyException();
            room("tank", 1_100_000, 3_900_000);
            assertThatCode(() -> provider.prepare(SECOND)).as("enlarged").doesNotThrowAnyException();
        }
    }

    @Test
    void sameSnapshotIsMadeWhereNothingIsSet() throws Exception {
        try (var provider = open("")) {
            notes(provider);
            now = now.plus(Duration.ofHours(1));
            room("tank", 1_100_000, 1_900_000);

            provider.prepare(FIRST);
            provider.cut(FIRST);

            assertThat(cut).hasSize(1);
            assertThat(notes(provider)).contains("tank is full in 19 h").doesNotContain("keepFor");
        }
    }

    @Test
    void datasetAtItsQuotaCountsAsThePoolDoes() throws Exception {
        room("tank/volumes", 900_000, 200_000);
        try (var provider = open("36h")) {
            notes(provider);
            now = now.plus(Duration.ofHours(1));
            room("tank", 1_010_000, 1_990_000);
            room("tank/volumes", 910_000, 190_000);

            assertThat(refusalOf(provider, FIRST))
                    .contains("dataset tank/volumes (full in 19 h", "zfs set quota=SIZE tank/volumes");
        }
    }

    @Test
    void roomsAreReadByName() throws Exception {
        var report = "tank\tused\t1064960\ntank\tavailable\t120258560\ntank/v\tused\t24576\ntank/v\tavailable\t9\n";

        assertThat(ZfsReport.rooms(report))
                .isEqualTo(Map.of(
                        "tank", new PoolRoom.Room(1_064_960, 120_258_560), "tank/v", new PoolRoom.Room(24_576, 9)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tank\tused\t1\n",
                "tank\tused\t1\ntank/v\tavailable\t1\n",
                "tank\tused\t-\ntank\tavailable\t1\n",
                "tank\tused\t-1\ntank\tavailable\t1\n",
                "tank\tquota\t1\n",
                "no room"
            })
    void whatIsNoRoomIsRefusedWithItsText(String report) {
        assertThatThrownBy(() -> ZfsReport.rooms(report))
                .isInstanceOfSatisfying(
                        ProviderException.class,
                        e -> assertThat(e.error()).isInstanceOf(ProviderError.Unexpected.class));
    }
}
