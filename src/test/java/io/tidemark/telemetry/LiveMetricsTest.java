package io.tidemark.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.control.port.LiveHost;
import io.tidemark.control.port.LiveHost.Aspect;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.LiveFigures;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.Protocol;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class LiveMetricsTest {
    private static LiveHost.Live live(Role role, long sent, Optional<String> address) {
        var volume = new VolumeId("memory:v");
        var link = new LiveHost.Link(
                new LinkId("ln-1"),
                new PeerId("b"),
                volume,
                volume,
                1 << 20,
                true,
                new LiveHost.Terms(Protocol.C, Congestion.BLOCK, 65_536, 67, 0, 0, false),
                Instant.EPOCH);
        var status = new LiveStatus(
                role, DiskState.UP_TO_DATE, ReplicationState.SYNC_SOURCE, 3, Optional.empty(), Optional.empty());
        var figures = new LiveFigures(
                Optional.of(new Generation(1)), 8_192, Optional.of(new LiveFigures.Resync(5, 3)), Optional.empty());
        return new LiveHost.Live(
                link,
                Optional.of(status),
                "",
                Optional.empty(),
                address,
                Optional.empty(),
                Optional.of(figures),
                new LiveHost.Traffic(2, new LiveHost.Carried(sent, 40, 50), new LiveHost.Carried(60, 70, 80)),
                Map.of(Aspect.ROLE, 4L));
    }

    @Test
    void linksAreShownAsTheyAreAtEachScrape() {
        var links = new AtomicReference<>(List.of(live(Role.PRIMARY, 30, Optional.of("there"))));
        try (var metrics = new Metrics()) {
            metrics.watchLive(links::get);

            assertThat(metrics.scrape())
                    .contains(
                            "tidemark_live_role{link=\"ln-1\",state=\"primary\"} 1.0",
                            "tidemark_live_role{link=\"ln-1\",state=\"secondary\"} 0.0",
                            "tidemark_live_disk{link=\"ln-1\",state=\"up_to_date\"} 1.0",
                            "tidemark_live_replication{link=\"ln-1\",state=\"sync_source\"} 1.0",
                            "tidemark_live_replication{link=\"ln-1\",state=\"off\"} 0.0",
                            "tidemark_live_connected{link=\"ln-1\"} 1.0",
                            "tidemark_live_dirty_bytes{link=\"ln-1\"} 12288.0",
                            "tidemark_live_buffer_used_bytes{link=\"ln-1\"} 8192.0",
                            "tidemark_live_buffer_limit_bytes{link=\"ln-1\"} 65536.0",
                            "tidemark_live_resync_done_bytes{link=\"ln-1\"} 20480.0",
                            "tidemark_live_resync_left_bytes{link=\"ln-1\"} 12288.0",
                            "tidemark_live_sessions_total{link=\"ln-1\"} 2.0",
                            "tidemark_live_sent_bytes_total{link=\"ln-1\",what=\"write\"} 30.0",
                            "tidemark_live_sent_bytes_total{link=\"ln-1\",what=\"compare\"} 50.0",
                            "tidemark_live_received_bytes_total{link=\"ln-1\",what=\"resync\"} 70.0",
                            "tidemark_live_changes_total{link=\"ln-1\",what=\"role\"} 4.0",
                            "tidemark_live_changes_total{link=\"ln-1\",what=\"generation\"} 0.0");
            links.set(List.of(live(Role.SECONDARY, 31, Optional.empty())));
            assertThat(metrics.scrape())
                    .contains(
                            "tidemark_live_role{link=\"ln-1\",state=\"primary\"} 0.0",
                            "tidemark_live_connected{link=\"ln-1\"} 0.0",
                            "tidemark_live_sent_bytes_total{link=\"ln-1\",what=\"write\"} 31.0");
        }
    }

    @Test
    void linkThatIsEndedIsToldOfNoMore() {
        var links = new AtomicReference<>(List.of(live(Role.PRIMARY, 1, Optional.empty())));
        try (var metrics = new Metrics()) {
            metrics.watchLive(links::get);
            assertThat(metrics.scrape()).contains("tidemark_live_role{link=\"ln-1\"");

            links.set(List.of());

            assertThat(metrics.scrape()).doesNotContain("ln-1");
        }
    }
}
