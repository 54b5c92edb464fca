package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.gce.FakeGce;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GceRightsTest {
    @Test
    void rightThatIsMissingIsNamed() {
        try (var cloud = FakeGce.start()) {
            var settings = new HashMap<>(GceProject.settings());
            settings.put("endpoint", cloud.endpoint().toString());
            assertThat(GceProviderFactory.rights(settings))
                    .extracting(HostRequirement::state)
                    .containsExactly(State.LIMITED, State.LIMITED);

            var disk = cloud.createDisk(GceProject.ZONE, "orders", 10, Map.of());
            var id = new SnapshotId(GceProject.volume(disk), new RecoveryPointId("rp-1"));
            cloud.createSnapshot(
                    disk,
                    GceNames.snapshotOf("tests", id),
                    GceNames.labelsOf("tests", id, new GceLocation("europe-west3-a")));
            assertThat(GceProviderFactory.rights(settings))
                    .extracting(HostRequirement::state)
                    .containsExactly(State.MET, State.MET);

            cloud.deny("compute.disks.createSnapshot");
            cloud.deny("compute.snapshots.delete");
            assertThat(GceProviderFactory.rights(settings))
                    .allMatch(each -> each.state() == State.LACKING)
                    .extracting(HostRequirement::detail)
                    .anyMatch(each -> each.contains("compute.disks.createSnapshot"))
                    .anyMatch(each -> each.contains("compute.snapshots.delete"));
            assertThat(cloud.violations()).isEmpty();
            assertThat(cloud.snapshots()).hasSize(1);
        }
    }
}
