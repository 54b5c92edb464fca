package io.tidemark.consistency.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.MountTable;
import io.tidemark.spi.Capability;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataPlacesTest {
    /** Of another file system than any folder for tests. */
    private static final Path ELSEWHERE = Path.of("/proc");

    @TempDir
    Path root;

    private ApplicationPlaces.Finding find(Path dataDirectory, Set<Capability> capabilities) {
        var mounts = MountTable.parse("22 1 254:0 / / rw - btrfs /dev/vda rw\n");
        var server = new PostgresSession.Server(
                170000, "17", false, true, true, Optional.of(dataDirectory.toString()), List.of());
        var volume = new Volume(new VolumeId("a:b"), 0, capabilities, Optional.empty(), List.of(root), Map.of());
        return new DataPlaces(mounts).find(server, true, List.of(volume));
    }

    @Test
    void volumeOfFilesHasWhatLiesOnItsOwnDeviceAlone() {
        assertThat(find(root, Set.of(Capability.FILES)).outside()).isEmpty();
        assertThat(find(ELSEWHERE, Set.of(Capability.FILES)).outside())
                .hasValueSatisfying(place -> assertThat(place).contains("/proc"));
    }

    @Test
    void volumeOfBlocksHasWhatItsMountHolds() {
        assertThat(find(ELSEWHERE, Capability.ofBlocks()).outside()).isEmpty();
    }
}
