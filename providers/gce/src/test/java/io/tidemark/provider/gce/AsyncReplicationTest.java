package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.provider.gce.AsyncReplication.State;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AsyncReplicationTest {
    @ParameterizedTest
    @CsvSource({"zones/europe-west3-a, us-east1-b", "regions/europe-west3, us-east1"})
    void pairIsMadeStartedStoppedAndNeverGoesOn(String from, String to) throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults())) {
            var settings = new HashMap<>(GceProject.settings());
            settings.put("locations.2", to);
            var provider = project.open(GceConfig.of("gce", settings), new AtomicBoolean());
            var primary = GceProject.volume(project.cloud().createDisk(from, "orders", 10, Map.of()));
            var secondary = VolumeId.of("gce", to + "/orders-copy");
            var replication = provider.replication();
            assertThat(replication.state(primary)).isEqualTo(State.NONE);
            assertThatThrownBy(() -> replication.stop(primary, true)).hasMessageContaining("not replicated");

            replication.createSecondary(primary, secondary);
            assertThat(replication.state(secondary)).isEqualTo(State.CREATED);
            String resource = from.startsWith("zones") ? "disks" : "regionDisks";
            project.cloud().faults(FaultScript.none().on(resource + ".startAsyncReplication", 1, Fault.CUT_AFTER));
            replication.start(primary, secondary);
            assertThat(replication.state(primary)).isEqualTo(State.ACTIVE);
            assertThat(provider.volume(secondary).facts()).containsEntry("asyncReplication", "active");
            assertThatThrownBy(() -> provider.cut(new CutRequest(new RecoveryPointId("rp-1"), List.of(secondary))))
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("already being used");

            assertThatThrownBy(() -> replication.stop(primary, false))
                    .hasMessageContaining("a new secondary disk is needed");
            assertThat(replication.state(primary)).isEqualTo(State.ACTIVE);
            replication.stop(primary, true);
            replication.stop(secondary, true);
            assertThat(replication.state(secondary)).isEqualTo(State.STOPPED);
            assertThatThrownBy(() -> replication.start(primary, secondary))
                    .hasMessageContaining("make a new secondary");
            project.everyCallIsChecked();
        }
    }
}
