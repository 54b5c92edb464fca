package io.tidemark.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.control.Observer;
import io.tidemark.control.OperationSettings;
import io.tidemark.control.port.LiveHost;
import io.tidemark.control.port.LiveHost.Aspect;
import io.tidemark.control.port.LiveHost.Carried;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.live.AfterSplitBrain;
import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.CopyId;
import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.Generations;
import io.tidemark.replication.live.LiveFigures;
import io.tidemark.replication.live.LiveMessage;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.Protocol;
import io.tidemark.site.TestSite;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Live links as the API shows them; each answer is held against the contract. */
class LiveApiTest {
    @TempDir
    static Path folder;

    private static TestSite site;
    private static ApiClient api;

    @BeforeAll
    static void start() throws Exception {
        site = TestSite.in(
                folder, InstantSource.system(), new OperationSettings(8, Duration.ofSeconds(5)), Observer.NONE);
        api = new ApiClient(site.recovered(), folder);
        site.addLive(apart());
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    private static LiveMessage.Hello said(String copy, long generation, long blocks, long since) {
        return new LiveMessage.Hello(
                new CopyId(copy),
                1 << 20,
                Protocol.C,
                new Generations(Optional.of(new Generation(generation)), Map.of(), List.of()),
                Role.SECONDARY,
                false,
                true,
                false,
                new LiveMessage.Apart(blocks, since, AfterSplitBrain.DISCONNECT));
    }

    private static LiveHost.Live apart() {
        var volume = new VolumeId("memory:v");
        var terms = new LiveHost.Terms(
                Protocol.C,
                Congestion.BLOCK,
                65_536,
                67,
                0,
                0,
                false,
                new AfterSplitBrain(NoPrimary.DISCARD_YOUNGER, OnePrimary.DISCARD_SECONDARY));
        var status = new LiveStatus(
                Role.SECONDARY,
                DiskState.CONSISTENT,
                ReplicationState.STAND_ALONE,
                3,
                Optional.of("split brain"),
                Optional.empty(),
                true);
        var figures = new LiveFigures(
                Optional.of(new Generation(10)),
                4_096,
                Optional.of(new LiveFigures.Resync(1, 3)),
                Optional.of(new LiveFigures.Apart(
                        said("a", 10, 3, 1_795_860_000_000L),
                        said("b", 11, 5, 0),
                        List.of(new DirtyBitmap.Run(2, 3)))));
        return new LiveHost.Live(
                new LiveHost.Link(
                        new LinkId("ln-1"), new PeerId("b"), volume, volume, 1 << 20, true, terms, Instant.EPOCH),
                Optional.of(status),
                "split brain",
                Optional.empty(),
                Optional.of("there"),
                Optional.empty(),
                Optional.of(figures),
                new LiveHost.Traffic(2, new Carried(1, 2, 3), new Carried(4, 5, 6)),
                Map.of(Aspect.ROLE, 1L));
    }

    @Test
    void whatEachSideHasAloneIsShown() throws Exception {
        var link = api.get("/v1/live-links/ln-1").is(200).json();

        assertThat(link.at("/generation").asText()).isEqualTo("000000000000000A");
        assertThat(link.at("/bufferUsedBytes").asLong()).isEqualTo(4_096);
        assertThat(link.at("/resync/doneBytes").asLong()).isEqualTo(4_096);
        assertThat(link.at("/traffic/received/comparedBytes").asLong()).isEqualTo(6);
        assertThat(link.at("/afterSplitBrain").asText()).isEqualTo("DISCARD_YOUNGER");
        assertThat(link.at("/afterSplitBrainPrimary").asText()).isEqualTo("DISCARD_SECONDARY");
        assertThat(link.at("/apart/local/dirtyBytes").asLong()).isEqualTo(3 * 4_096);
        assertThat(link.at("/apart/local/since").asText()).isEqualTo("2026-11-28T10:00:00Z");
        assertThat(link.at("/apart/local/ranges/0/offsetBytes").asLong()).isEqualTo(2 * 4_096);
        assertThat(link.at("/apart/local/ranges/0/lengthBytes").asLong()).isEqualTo(3 * 4_096);
        assertThat(link.at("/apart/peer/generation").asText()).isEqualTo("000000000000000B");
        assertThat(link.at("/apart/peer/since").isMissingNode()).isTrue();
        assertThat(link.at("/apart/peer/ranges").isMissingNode()).isTrue();
    }

    @Test
    void eventsAreListed() throws Exception {
        var events = api.get("/v1/live-links/ln-1/events").is(200).json();

        assertThat(events.at("/items/0/what").asText()).isEqualTo("ROLE");
        assertThat(events.at("/items/0/to").asText()).isEqualTo("PRIMARY");
        api.get("/v1/live-links/ln-2/events").is(404);
    }

    @Test
    void policyAfterASplitBrainIsSaidWhenALinkIsMadeAndElseNone() throws Exception {
        site.store.catalog().savePeer(new Peer(new PeerId("b"), "b:1", "f".repeat(64), Instant.EPOCH));
        var said =
                List.of("", ",'afterSplitBrain':'DISCARD_ZERO_CHANGES','afterSplitBrainPrimary':'DISCARD_SECONDARY'");
        var expected = List.of("DISCONNECT DISCONNECT", "DISCARD_ZERO_CHANGES DISCARD_SECONDARY");
        for (int each = 0; each < 2; each++) {
            var volume = site.addVolume("v" + each);

            var made = api.post(
                            "/v1/live-links",
                            "{'peer':'b','volume':'%s','peerVolume':'%s','protocol':'C','congestion':'BLOCK','bufferBytes':65536,'activityLogExtents':67%s}"
                                    .formatted(volume, volume, said.get(each)))
                    .is(201)
                    .json();

            assertThat(made.at("/afterSplitBrain").asText() + " "
                            + made.at("/afterSplitBrainPrimary").asText())
                    .isEqualTo(expected.get(each));
        }
        api.post(
                        "/v1/live-links",
                        "{'peer':'b','volume':'memory:v0','peerVolume':'memory:v0','protocol':'C','congestion':'BLOCK','bufferBytes':65536,'activityLogExtents':67,'afterSplitBrain':'GUESS'}")
                .is(400);
    }
}
