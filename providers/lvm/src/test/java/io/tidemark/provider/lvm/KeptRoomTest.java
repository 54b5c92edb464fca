package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

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
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Snapshots for which there would not be room for as long as they have to be kept, asked of the provider. */
class KeptRoomTest {
    private static final VolumeId ORDERS = VolumeId.of("lvm", "vg/orders");
    private static final CutRequest FIRST = request("rp-1");
    private static final CutRequest SECOND = request("rp-2");
    private static final int CHUNK_BYTES = 64 << 10;
    private static final long METADATA_BYTES = 64 << 20;

    private final ThinGroup thin = new ThinGroup("orders");
    private final ClassicGroup classic = new ClassicGroup("orders");
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    private static CutRequest request(String point) {
        return new CutRequest(new RecoveryPointId(point), List.of(ORDERS));
    }

    @BeforeEach
    void needsRoot() {
        TestStorage.needs(Files.isWritable(Path.of("/run")), "a provider's lock is a file of root's in /run");
        thin.listPool(CHUNK_BYTES);
        use(1_000, 8 << 20, 2_048);
    }

    private void use(long dataChunks, long metadataBytes, long allChunks) {
        thin.status = new PoolStatus(7, metadataBytes, METADATA_BYTES, dataChunks, allChunks, false, false);
    }

    private LvmProvider thinProvider(KeepFor keepFor) throws ProviderException {
        return LvmProvider.open(new LvmConfig("vg", "", 5, 20, keepFor), thin, thin, () -> now);
    }

    private LvmProvider classicProvider(int percent, KeepFor keepFor) throws ProviderException {
        return LvmProvider.open(new LvmConfig("vg", "", 5, percent, keepFor), classic, classic, () -> now);
    }

    private static KeepFor keepFor(String time) {
        return KeepFor.of(Map.of(KeepFor.SETTING, time), "lvm");
    }

    private static ProviderError.OutOfSpace refusalOf(LvmProvider provider, CutRequest request) {
        var thrown = catchThrowableOfType(ProviderException.class, () -> provider.prepare(request));
        assertThat(thrown).as("a refusal").isNotNull();
        assertThat(thrown.error()).isInstanceOf(ProviderError.OutOfSpace.class);
        return (ProviderError.OutOfSpace) thrown.error();
    }

    private static String notes(LvmProvider provider) throws ProviderException {
        return String.join("; ", provider.forecast(List.of(ORDERS)).notes());
    }

    @Test
    void poolThatWouldBeFullTooSoonRefusesTheSnapshotAndNothingIsMade() throws Exception {
        try (var provider = thinProvider(keepFor("36h"))) {
            assertThat(notes(provider)).contains("nothing is known yet for keepFor (36h)");
            provider.prepare(FIRST);
            provider.cut(FIRST);
            provider.prepare(FIRST);
            now = now.plus(Duration.ofHours(1));
            use(1_048, 8 << 20, 2_048);
            assertThat(notes(provider)).contains("data are full in 20 h, less than keepFor (36h): no snapshot is made");
            var before = Set.copyOf(thin.volumes.keySet());

            var refusal = refusalOf(provider, SECOND);

            assertThat(refusal.message())
                    .contains(
                            "thin pool vg/pool, its data (full in 20 h at the rate of the last 60 min, keepFor is 36h;")
                    .contains("lvextend -L +SIZE vg/pool; delete snapshots, or lower keepFor")
                    .contains("65536000 bytes free, 113246208 needed");
            assertThat(thin.volumes.keySet()).isEqualTo(before);
            // What there is already needs no room.
            assertThat(provider.cut(FIRST).members()).hasSize(1);
            use(1_048, 8 << 20, 4_096);
            assertThatCode(() -> provider.prepare(SECOND)).as("enlarged").doesNotThrowAnyException();
        }
    }

    @Test
    void sameSnapshotIsMadeWhereNothingIsSet() throws Exception {
        try (var provider = thinProvider(KeepFor.NONE)) {
            provider.prepare(FIRST);
            provider.cut(FIRST);
            now = now.plus(Duration.ofHours(1));
            use(1_048, 8 << 20, 2_048);

            provider.prepare(SECOND);

            assertThat(provider.cut(SECOND).members()).hasSize(1);
            assertThat(notes(provider)).contains("data are full in 20 h").doesNotContain("keepFor");
        }
    }

    @Test
    void metadataCountAsTheDataDo() throws Exception {
        try (var provider = thinProvider(keepFor("36h"))) {
            notes(provider);
            now = now.plus(Duration.ofHours(1));
            use(1_000, 10 << 20, 2_048);

            assertThat(refusalOf(provider, FIRST).message())
                    .contains("vg/pool, its metadata (full in 27 h")
                    .contains("--poolmetadatasize");
        }
    }

    @Test
    void storeThatWouldOverflowTooSoonRefusesTheClassicSnapshotAndNothingIsMade() throws Exception {
        try (var provider = classicProvider(20, keepFor("36h"))) {
            afterAnHourOfFilling(provider);
            assertThat(notes(provider))
                    .contains("a new store, at the present rate it is full in 10 h, less than keepFor (36h)");
            var before = Set.copyOf(classic.volumes.keySet());

            var refusal = refusalOf(provider, SECOND);

            assertThat(refusal.message())
                    .contains("a snapshot of vg/orders, its store (full in 10 h at the rate of the last 60 min")
                    .contains("raise classicSnapshotPercent, or lower keepFor");
            assertThat(classic.volumes.keySet()).isEqualTo(before);
        }
    }

    @Test
    void sameClassicSnapshotIsMadeWhereNothingIsSet() throws Exception {
        try (var provider = classicProvider(20, KeepFor.NONE)) {
            afterAnHourOfFilling(provider);

            provider.prepare(SECOND);

            assertThat(provider.cut(SECOND).members()).hasSize(1);
        }
    }

    @Test
    void storeThatHoldsAllOfTheVolumeIsNeverTooSmall() throws Exception {
        try (var provider = classicProvider(100, keepFor("36h"))) {
            afterAnHourOfFilling(provider);

            provider.prepare(SECOND);

            assertThat(provider.cut(SECOND).members()).hasSize(1);
            assertThat(notes(provider)).contains("it is full in").doesNotContain("keepFor");
        }
    }

    /** The first snapshot's store is at 10 % then. */
    private void afterAnHourOfFilling(LvmProvider provider) throws ProviderException {
        provider.prepare(FIRST);
        provider.cut(FIRST);
        notes(provider);
        now = now.plus(Duration.ofHours(1));
        fill(10);
    }

    private void fill(double percent) {
        var store = classic.volumes.values().stream()
                .filter(each -> each.store().present())
                .findFirst()
                .orElseThrow();
        var use = new StoreUse(store.store().origin(), store.store().originBytes(), percent, false);
        classic.put(store.name(), store.sizeBytes(), true, store.tags(), use);
    }
}
