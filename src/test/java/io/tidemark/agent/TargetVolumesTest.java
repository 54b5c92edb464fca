package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.Capability;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TargetVolumesTest {
    private static Volume volume(Set<Capability> capabilities) {
        return new Volume(new VolumeId("a:b"), 512, capabilities, Optional.empty(), List.of(), Map.of());
    }

    @Test
    void bothVolumesOfALinkHaveBlocksOrAreFiles() {
        assertThatCode(() -> TargetVolumes.refuseOtherKind(volume(Capability.ofBlocks()), false))
                .doesNotThrowAnyException();
        assertThatCode(() -> TargetVolumes.refuseOtherKind(volume(Set.of(Capability.FILES)), true))
                .doesNotThrowAnyException();
        assertThat(conflict(volume(Set.of(Capability.FILES)), false))
                .contains("name a volume of this site with blocks");
        assertThat(conflict(volume(Capability.ofBlocks()), true)).contains("name a volume of this site that is files");
    }

    @Test
    void blocksAreWrittenToWhatCanBeWrittenTo() {
        assertThatCode(() -> TargetVolumes.refuseUnwritable(volume(Capability.ofBlocks())))
                .doesNotThrowAnyException();
        var thrown = catchThrowableOfType(
                ReplicationException.class,
                () -> TargetVolumes.refuseUnwritable(volume(Set.of(Capability.RANDOM_READ))));
        assertThat(thrown.error().message()).contains("can be written to");
    }

    private static String conflict(Volume volume, boolean stream) {
        var thrown =
                catchThrowableOfType(ReplicationException.class, () -> TargetVolumes.refuseOtherKind(volume, stream));
        return thrown.error().message();
    }
}
