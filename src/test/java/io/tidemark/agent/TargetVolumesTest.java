package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderError;
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
    void onlyAVolumeOfBlocksIsATarget() {
        assertThatCode(() -> TargetVolumes.refuseFiles(volume(Capability.ofBlocks())))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> TargetVolumes.refuseFiles(volume(Set.of(Capability.FILES))))
                .isInstanceOfSatisfying(
                        ReplicationException.class,
                        thrown -> assertThat(thrown.error())
                                .isEqualTo(new ReplicationError.Storage(new ProviderError.Conflict(
                                        "a:b",
                                        "it has no blocks that a link could write; name another volume"
                                                + " of this site"))));
    }
}
