package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.control.ControlError;
import io.tidemark.control.ControlException;
import io.tidemark.control.Intent;
import io.tidemark.control.ProtectSnapshot;
import io.tidemark.control.SiteControl;
import io.tidemark.site.TestControl;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotLocks.LockMode;
import io.tidemark.spi.SnapshotLocks.LockRequest;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What storage does with snapshots beside keeping them, asked of an agent's host over a real connection: it is not. */
@Timeout(60)
class AbilitiesOfAgentsTest {
    private static final VolumeId ORDERS = new VolumeId("db1/image:orders");
    private static final SnapshotId SNAPSHOT = new SnapshotId(ORDERS, new RecoveryPointId("rp-1"));
    private static final Instant UNTIL = Instant.parse("2030-01-01T00:00:00Z");

    @TempDir
    Path folder;

    private AgentWorld world;
    private SiteControl control;

    @BeforeEach
    void start() throws Exception {
        world = new AgentWorld(folder);
        world.agent("db1");
        control = TestControl.over(world.store, world.providers, world.taker, world.agents);
        control.recover();
        world.providers.of(ORDERS).cut(new CutRequest(SNAPSHOT.recoveryPoint(), List.of(ORDERS)));
    }

    @AfterEach
    void stop() throws Exception {
        control.stop();
        world.close();
    }

    private ProtectSnapshot protect() {
        return control.volumes().protectSnapshot();
    }

    @Test
    void whatAnAgentsStorageIsNotAskedForNamesTheWayOut() {
        for (ThrowingCallable asked : List.<ThrowingCallable>of(
                () -> protect().lock(SNAPSHOT, new LockRequest(LockMode.GOVERNANCE, UNTIL, Duration.ZERO)),
                () -> protect().unlock(SNAPSHOT),
                () -> protect().archive(SNAPSHOT),
                () -> protect().restore(SNAPSHOT, Optional.empty()),
                () -> protect().setFastRestore(SNAPSHOT, List.of("a"), true),
                () -> protect().undelete(SNAPSHOT))) {
            assertThatThrownBy(asked)
                    .isInstanceOfSatisfying(
                            ProviderException.class,
                            e -> assertThat(e.error()).isInstanceOf(ProviderError.Conflict.class))
                    .hasMessageContainingAll(
                            SNAPSHOT.toString(), "it is of an agent's host", "set it up as a provider here too");
        }
    }

    @Test
    void binAndReplicationOfAnAgentsStorageAreRefusedByName() {
        assertThatThrownBy(() -> protect().binned("db1/image"))
                .isInstanceOfSatisfying(
                        ControlException.class,
                        e -> assertThat(e.error())
                                .isInstanceOfSatisfying(
                                        ControlError.Invalid.class,
                                        invalid -> assertThat(invalid.value()).isEqualTo("db1/image")))
                .hasMessageContaining("whose storage has a recycle bin");
        assertThatThrownBy(() ->
                        control.volumes().replicateInStorage().stop(ORDERS, false, true, new Intent("stop", false)))
                .isInstanceOf(ControlException.class)
                .hasMessageContainingAll("is of an agent's host", "set it up as a provider here too");
    }

    /** Looking at such a snapshot, and deleting it, needs none of it. */
    @Test
    void snapshotOfAnAgentsHostIsShownAndDeletedWithoutThem() throws Exception {
        var told = protect().of(SNAPSHOT);

        assertThat(told.lock()).isEmpty();
        assertThat(told.untold()).isEmpty();
        control.volumes().deleteSnapshot().delete(SNAPSHOT);
        assertThat(world.one("db1").host.snapshots).isEmpty();
    }
}
