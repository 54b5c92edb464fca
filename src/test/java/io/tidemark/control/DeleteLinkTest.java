package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.site.TestSite;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeleteLinkTest {
    private static final LinkId LINK = new LinkId("ln-1");

    @TempDir
    Path folder;

    @Test
    void aTargetKeepsItsLinkWhileTheLinkIsInWork() throws Exception {
        try (var site = TestSite.in(folder).recovered()) {
            targetLink(site);
            site.inTheWay = Optional.of("a synchronisation that is being received");

            assertThatThrownBy(() -> site.control.links().delete().delete(LINK))
                    .isInstanceOfSatisfying(
                            ControlException.class,
                            e -> assertThat(e.error())
                                    .isEqualTo(new ControlError.InUse(
                                            "link", "ln-1", "a synchronisation that is being received")));

            assertThat(site.store.links().all()).hasSize(1);
        }
    }

    @Test
    void whatTheLinkHeldIsFreeAlsoWhereNoRecoveryPointIsRecorded() throws Exception {
        try (var site = TestSite.in(folder).recovered()) {
            var volume = targetLink(site);
            var snapshot = new SnapshotId(volume, new RecoveryPointId("rp-1"));
            var provider = site.providers.of(volume);
            provider.cut(new CutRequest(snapshot.recoveryPoint(), List.of(volume)));
            provider.hold(snapshot, new HoldOwner(LINK.value()));

            site.control.links().delete().delete(LINK);

            assertThat(site.store.links().all()).isEmpty();
            provider.delete(snapshot);
            assertThat(site.snapshotCount()).isZero();
        }
    }

    private static VolumeId targetLink(TestSite site) throws Exception {
        var volume = site.addVolume("copy");
        var peer = new PeerId("source");
        site.store.catalog().savePeer(new Peer(peer, "127.0.0.1:1", "11".repeat(32), Instant.EPOCH));
        site.store
                .catalog()
                .saveLink(new ReplicationLink(
                        LINK,
                        ReplicationLink.Role.TARGET,
                        peer,
                        volume,
                        volume,
                        new GroupId("g"),
                        Optional.<Duration>empty(),
                        Optional.empty(),
                        Optional.empty()));
        return volume;
    }
}
