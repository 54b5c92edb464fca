package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.site.TestSite;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManageExportsTest {
    @TempDir
    Path folder;

    private static void receives(TestSite site, VolumeId volume) {
        var peer = new PeerId("source");
        site.store.catalog().savePeer(new Peer(peer, "127.0.0.1:1", "11".repeat(32), Instant.EPOCH));
        site.store
                .catalog()
                .saveLink(new ReplicationLink(
                        new LinkId("ln-1"),
                        ReplicationLink.Role.TARGET,
                        peer,
                        volume,
                        volume,
                        new GroupId("g"),
                        Optional.<Duration>empty(),
                        Optional.empty(),
                        Optional.empty()));
    }

    @Test
    void theTargetOfALinkIsNotExportedWritable() throws Exception {
        try (var site = TestSite.in(folder).recovered()) {
            var copy = site.addVolume("copy");
            var other = site.addVolume("other");
            receives(site, copy);

            assertThatThrownBy(() -> site.control.exports().ofVolume(copy, site.intent()))
                    .isInstanceOfSatisfying(
                            ControlException.class,
                            refused -> assertThat(refused.error())
                                    .isEqualTo(new ControlError.InUse("volume", copy.value(), "link ln-1")));
            assertThat(site.control.exports().all()).isEmpty();
            assertThat(site.control.exports().ofVolume(other, site.intent())).hasSize(1);
        }
    }

    @Test
    void aVolumeThatIsExportedWritableIsNotDeletedButSnapshotsOfItAreTaken() throws Exception {
        try (var site = TestSite.in(folder).recovered()) {
            var volume = site.addVolume("orders");
            var export = site.control
                    .exports()
                    .ofVolume(volume, site.intent())
                    .getFirst()
                    .export();

            assertThatThrownBy(() -> site.control.volumes().delete().delete(volume))
                    .isInstanceOfSatisfying(
                            ControlException.class,
                            refused -> assertThat(refused.error())
                                    .isEqualTo(
                                            new ControlError.InUse("volume", volume.value(), "export " + export.id())));
            var taken = site.control.volumes().takeSnapshot().start(volume, site.intent());
            assertThat(site.awaitEnd(taken.id()).state()).isEqualTo(Operation.State.SUCCEEDED);

            site.control.exports().remove(export.id());
            assertThat(site.control.exports().ofVolume(volume, site.intent())).hasSize(1);
        }
    }
}
