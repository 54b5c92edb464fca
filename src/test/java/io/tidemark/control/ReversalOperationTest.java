package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.Capability;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ReversalOperationTest {
    private static Volume seenSomewhere(Set<Capability> capabilities) {
        return new Volume(
                new VolumeId("a:b"), 512, capabilities, Optional.empty(), List.of(Path.of("/srv/b")), Map.of());
    }

    @Test
    void aMountedVolumeOfBlocksIsNotReversed() {
        assertThatThrownBy(() -> ReversalOperation.refuseWhenMounted(seenSomewhere(Capability.ofBlocks())))
                .isInstanceOfSatisfying(
                        ControlException.class, e -> assertThat(e.error()).isInstanceOf(ControlError.InUse.class));
    }

    @Test
    void filesAreAlwaysSeenSomewhere() {
        assertThatCode(() -> ReversalOperation.refuseWhenMounted(seenSomewhere(Set.of(Capability.FILES))))
                .doesNotThrowAnyException();
    }
}
