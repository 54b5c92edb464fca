package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChangeFinderTest {
    private static final VolumeId VOLUME = VolumeId.of("zfs", "tank/v");

    /** Whose sending never ends in time. */
    private static final class SlowZfs extends FakeZfs {
        @Override
        CommandStream send(String older, String newer) throws ProviderException {
            try {
                return new CommandRunner()
                        .stream(new Command(
                                List.of("sleep", "60"), Duration.ofMillis(50), Command.OUTPUT_BYTES_DEFAULT));
            } catch (CommandException e) {
                throw ZfsErrors.of("sleep", e);
            }
        }
    }

    @Test
    void sendingThatTakesTooLongMakesAllCountAsChanged() throws Exception {
        var zfs = new SlowZfs();
        zfs.add("tank/v", Map.of());
        var older = snapshot(zfs, "rp-1");
        var newer = snapshot(zfs, "rp-2");
        var catalog = zfs.catalog();

        try (var changed = new ChangeFinder(zfs).between(catalog, catalog.get(older), catalog.get(newer))) {
            assertThat(changed.source()).isEqualTo("full");
            assertThat(changed.next()).contains(new BlockRange(0, 32_768));
        }
    }

    private static SnapshotId snapshot(FakeZfs zfs, String point) {
        var id = new SnapshotId(VOLUME, new RecoveryPointId(point));
        zfs.add("tank/v@" + ZfsNames.forSnapshot(id), Map.of(ZfsNames.POINT, point, ZfsNames.CUT_AT, "1700000000000"));
        return id;
    }
}
