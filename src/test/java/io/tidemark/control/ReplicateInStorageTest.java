package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.site.TestSite;
import io.tidemark.spi.StorageReplication.State;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replication that a storage does by itself is started and stopped through operations. */
@Timeout(60)
class ReplicateInStorageTest {
    private static final VolumeId ORDERS = VolumeId.of("replicating", "orders");
    private static final VolumeId COPY = VolumeId.of("replicating", "copy");

    @TempDir
    Path folder;

    private TestSite site;
    private ReplicateInStorage cases;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.mirrored(folder).recovered();
        var unused = site.providers.of(ORDERS).create(ORDERS, 1 << 20);
        cases = site.control.volumes().replicateInStorage();
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private ObjectNode ended(Operation begun) {
        var ended = site.awaitEnd(begun.id());
        assertThat(ended.state()).isEqualTo(Operation.State.SUCCEEDED);
        return Json.object(ended.resultJson().orElseThrow());
    }

    @Test
    void replicationIsFollowedUntilItIsStartedAndStopped() throws Exception {
        assertThat(cases.of(ORDERS).state()).isEqualTo(State.NONE);

        var started = ended(cases.start(ORDERS, COPY, site.intent()));
        assertThat(started.at("/storageReplication/state").asText()).isEqualTo("ACTIVE");
        assertThat(started.at("/storageReplication/partners/0").asText()).isEqualTo(COPY.toString());

        var stopped = ended(cases.stop(ORDERS, true, true, site.intent()));
        assertThat(stopped.at("/storageReplication/state").asText()).isEqualTo("STOPPED");
        assertThat(site.replicating.asked)
                .containsExactly("start %s %s".formatted(ORDERS, COPY), "stop %s true true".formatted(ORDERS));
    }

    @Test
    void cancelledStartIsToldToBeTheStoragesNow() throws Exception {
        site.replicating.isSlow = true;
        var begun = cases.start(ORDERS, COPY, site.intent());
        Awaitility.await()
                .until(() -> site.control
                        .operations()
                        .get(begun.id())
                        .progress()
                        .phase()
                        .contains("start"));

        site.control.operations().cancel(begun.id());
        var ended = site.awaitEnd(begun.id());

        assertThat(ended.state()).isEqualTo(Operation.State.CANCELLED);
        assertThat(ended.problemJson().orElseThrow())
                .contains("left-to-storage", "goes on to start", "tidemark volumes storage-replication " + ORDERS)
                .doesNotContain("nothing was kept");
    }

    @Test
    void stopIsRefusedWithWhatItCostsUntilThatIsAccepted() {
        assertThatThrownBy(() -> cases.stop(ORDERS, false, false, site.intent()))
                .isInstanceOf(ControlException.class)
                .hasMessageContaining("a new secondary is needed");
        assertThat(site.replicating.asked).isEmpty();
    }

    @Test
    void storageThatReplicatesNothingAndOtherProvidersSecondariesAreRefused() throws Exception {
        var plain = site.addVolume("plain");

        assertThatThrownBy(() -> cases.of(plain)).hasMessageContaining("does not replicate by itself");
        assertThatThrownBy(() -> cases.start(ORDERS, plain, site.intent())).hasMessageContaining("another provider");
    }
}
