package io.tidemark.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.domain.TrackingAudit;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrackingAuditTableTest {
    private static final Instant NOW = Instant.parse("2026-11-25T12:00:00Z");
    private static final VolumeId VOLUME = new VolumeId("image:orders");
    private static final RecoveryPointId FIRST = new RecoveryPointId("rp-1");
    private static final RecoveryPointId SECOND = new RecoveryPointId("rp-2");
    private static final LinkId LINK = new LinkId("ln-1");

    @TempDir
    Path folder;

    private SiteStore store;

    @BeforeEach
    void open() {
        store = SiteStore.open(folder);
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void addLink() {
        store.catalog().savePeer(new Peer(new PeerId("site-b"), "127.0.0.1:1", "f".repeat(64), NOW));
        store.links()
                .save(new ReplicationLink(
                        LINK,
                        ReplicationLink.Role.SOURCE,
                        new PeerId("site-b"),
                        VOLUME,
                        new VolumeId("image:copy"),
                        new GroupId("orders"),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty()));
    }

    @Test
    void whatWasFoundOutlivesARestart() {
        var found = new TrackingAudit.Distrust("btrfs-send", FIRST, SECOND, 4_096, 8_192, NOW);
        var audit = new TrackingAudit(VOLUME, 40_960, NOW, NOW, 3, Optional.of(found));
        store.trackingAudits().change(VOLUME, before -> audit);
        store.close();

        open();

        assertThat(store.trackingAudits().find(VOLUME)).contains(audit);
        assertThat(store.trackingAudits().distrustedCount()).isEqualTo(1);
    }

    @Test
    void aChangeSeesTheNewestAndAnswersWhatIsKept() {
        store.trackingAudits().change(VOLUME, before -> TrackingAudit.begin(VOLUME, NOW));

        var kept = store.trackingAudits().change(VOLUME, before -> {
            assertThat(before).contains(TrackingAudit.begin(VOLUME, NOW));
            return new TrackingAudit(VOLUME, 4_096, NOW, NOW, 1, Optional.empty());
        });

        assertThat(store.trackingAudits().find(VOLUME)).contains(kept);
        store.trackingAudits().remove(VOLUME);
        assertThat(store.trackingAudits().find(VOLUME)).isEmpty();
    }

    @Test
    void aLinkRemembersItsNewestTransferAlone() {
        addLink();
        store.trackingAudits().transferBegan(LINK, FIRST, 1);
        store.trackingAudits().transferBegan(LINK, SECOND, 2);

        assertThat(store.trackingAudits().transferEpoch(LINK, FIRST)).isEmpty();
        assertThat(store.trackingAudits().transferEpoch(LINK, SECOND)).hasValue(2);
        store.links().remove(LINK);
        assertThat(store.trackingAudits().transferEpoch(LINK, SECOND)).isEmpty();
    }
}
