package io.tidemark.provider.lvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Lines of {@code dmsetup status} as Linux 6.1 printed them in the storage lab. */
class PoolSpaceTest {
    private static final String READ_ONLY =
            "0 262144 thin-pool 8 512/512 64/2048 - ro no_discard_passdown error_if_no_space - 128 \n";
    private static final String NEEDS_CHECK =
            "0 262144 thin-pool 2 112/1024 64/2048 - ro no_discard_passdown error_if_no_space needs_check 256 \n";
    private static final LogicalVolume POOL = new LogicalVolume(
            "pool", 128 << 20, "thin-pool", "", -1, 64 << 10, 0, 0, true, true, List.of(), false, StoreUse.NONE);

    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private String line = "";

    private final LvmCommands commands = new LvmCommands(new CommandRunner(), "vg") {
        @Override
        Optional<PoolStatus> status(String pool) {
            return PoolStatus.parse(line);
        }
    };

    private final PoolSpace space = new PoolSpace(new LvmConfig("vg", "pool"), commands, () -> now);

    @Test
    void statusIsReadAsItIs() {
        assertThat(PoolStatus.parse(READ_ONLY))
                .contains(new PoolStatus(8, 512 << 12, 512 << 12, 64, 2048, true, false));
        assertThat(PoolStatus.parse(NEEDS_CHECK)).get().returns(true, PoolStatus::needsCheck);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0 262144 thin-pool Fail",
                "0 262144 thin-pool Error",
                "0 8 linear",
                "0 8 thin-pool a b c - rw"
            })
    void whatIsNoSuchStatusSaysNothing(String text) {
        assertThat(PoolStatus.parse(text)).isEmpty();
        line = text;
        assertThatCode(() -> space.refuseWhereScarce(POOL)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({"100/1024 1900/2048, ''", "100/1024 1950/2048, data", "780/1024 64/2048, metadata"})
    void snapshotsAreRefusedWhereTooLittleIsFree(String used, String scarce) {
        line = "0 262144 thin-pool 2 " + used + " - rw no_discard_passdown error_if_no_space - 256";

        if (scarce.isEmpty()) {
            assertThatCode(() -> space.refuseWhereScarce(POOL)).doesNotThrowAnyException();
        } else {
            assertThatThrownBy(() -> space.refuseWhereScarce(POOL))
                    .hasMessageContainingAll("vg/pool, its " + scarce + " (enlarge it: lvextend", "delete snapshots")
                    .isInstanceOfSatisfying(
                            ProviderException.class,
                            e -> assertThat(e.error()).isInstanceOf(ProviderError.OutOfSpace.class));
        }
    }

    @Test
    void poolThatTakesNoChangeIsRefusedWithItsReason() {
        line = READ_ONLY;
        assertThatThrownBy(() -> space.refuseWhereScarce(POOL)).hasMessageContaining("its metadata (enlarge");
        line = NEEDS_CHECK;
        assertThatThrownBy(() -> space.refuseWhereScarce(POOL)).hasMessageContaining("need a check");
    }

    @Test
    void timeLeftIsToldFromWhatWasMeasuredBefore() throws Exception {
        line = "0 262144 thin-pool 2 100/1024 1000/2048 - rw no_discard_passdown error_if_no_space - 256";
        assertThat(space.note(POOL)).isEmpty();
        now = now.plusSeconds(3_600);
        line = "0 262144 thin-pool 2 100/1024 1048/2048 - rw no_discard_passdown error_if_no_space - 256";

        assertThat(space.note(POOL)).isEqualTo(", at the present rate data are full in 20 h");
    }

    @Test
    void failedWriteIsForLackOfRoomOnlyWhereThePoolSaysSo() {
        var failure = new ProviderException(new ProviderError.Unexpected("syncing", "Input/output error"));
        line = "0 262144 thin-pool 2 116/1024 512/512 - out_of_data_space no_discard_passdown error_if_no_space - 256";
        assertThat(commands.explained("pool", failure))
                .hasMessageContaining("vg/pool, its data")
                .hasCause(failure);
        line = READ_ONLY;
        assertThat(commands.explained("pool", failure)).hasMessageContaining("vg/pool, its metadata");
        line = NEEDS_CHECK;
        assertThat(commands.explained("pool", failure)).isSameAs(failure);
    }
}
