package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.Moment;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.PlannedReversal;
import io.tidemark.replication.ReplicationError;
import io.tidemark.site.TestSite;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Nothing that is written before a planned reversal's hand-over is left behind by it. */
@Timeout(60)
class PlannedReversalTest {
    private static final VolumeId ORDERS = TestSite.volume("orders");

    @TempDir
    Path folder;

    private TestSite site;
    private ReplicationLink link;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(folder).recovered();
        site.addGroup("orders", "orders");
        var peer = new PeerId("site-b");
        site.store.catalog().savePeer(new Peer(peer, "127.0.0.1:1", "b".repeat(64), Instant.EPOCH));
        link = site.control
                .links()
                .create()
                .create(
                        new CreateLink.Wish(
                                peer, new GroupId("orders"), ORDERS, TestSite.volume("copy"), Optional.empty()),
                        site.intent());
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private ReplicationLink now() throws Exception {
        return site.control.inventory().link(link.id());
    }

    private Operation reverse() throws Exception {
        var reversal = site.control.links().reverse().start(link.id(), ReverseLink.Mode.PLANNED, site.intent());
        return site.awaitEnd(reversal.id());
    }

    /** A reversal that dies at the moment; then the next life of the site, not recovered yet. */
    private Intent dieIn(Moment moment) throws Exception {
        site.dieAt(moment);
        var intent = site.intent();
        Thread.ofVirtual().start(() -> {
            try {
                site.control.links().reverse().start(link.id(), ReverseLink.Mode.PLANNED, intent);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        site.awaitDeath();
        site = site.reborn();
        return intent;
    }

    private void assertHandedOverWhatTheVolumeIs() throws Exception {
        assertThat(now().role()).isEqualTo(ReplicationLink.Role.TARGET);
        var handedOver = site.replicator.handedOver.getLast();
        assertThat(site.replicator.sent.getLast()).isEqualTo(handedOver);
        assertThat(now().inStep()).contains(handedOver);
        assertThat(site.replicator.changedSince(now(), handedOver)).isEmpty();
    }

    private void assertStillTheSource() throws Exception {
        assertThat(now().role()).isEqualTo(ReplicationLink.Role.SOURCE);
        assertThat(now().state()).isEqualTo(LinkState.ACTIVE);
        assertThat(site.replicator.handedOver).isEmpty();
    }

    @Test
    void aVolumeThatIsWrittenDuringTheDrainIsDrainedAgain() throws Exception {
        var writes = new AtomicInteger();
        site.replicator.whileSending = () -> {
            if (writes.incrementAndGet() == 1) {
                site.write(ORDERS, 7, 1);
            }
        };

        var ended = reverse();

        assertThat(ended.state()).as(ended.toString()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(site.replicator.sent).hasSize(2);
        assertHandedOverWhatTheVolumeIs();
    }

    @Test
    void aVolumeThatDoesNotComeToRestIsNotHandedOver() throws Exception {
        var writes = new AtomicInteger();
        site.replicator.whileSending = () -> site.write(ORDERS, 7, writes.incrementAndGet());

        var ended = reverse();

        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(ended.toString())
                .contains("volume-written")
                .contains("byte 7")
                .contains("ask for the reversal");
        assertThat(site.replicator.sent).hasSize(PlannedReversal.DRAINS_MAXIMUM);
        assertStillTheSource();
    }

    @Test
    void aVolumeThatIsMountedDuringTheDrainIsNotHandedOver() throws Exception {
        site.replicator.whileSending = () -> site.mounted.add(ORDERS);

        var ended = reverse();

        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(ended.toString()).contains("in-use").contains("/srv");
        assertStillTheSource();
    }

    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"SNAPSHOT_CUT", "SYNC_PARTLY_SENT", "SYNC_ACKNOWLEDGED"})
    void aVolumeThatIsWrittenBetweenTwoLivesIsHandedOverAsItIs(Moment moment) throws Exception {
        var intent = dieIn(moment);
        site.write(ORDERS, 7, 1);

        site.control.recover();

        var ended = site.awaitEnd(intent.operation());
        assertThat(ended.state()).as(ended.toString()).isEqualTo(Operation.State.SUCCEEDED);
        assertHandedOverWhatTheVolumeIs();
    }

    @Test
    void aHandOverThatNobodyHeardOfIsGivenUpWhenTheVolumeWasWrittenSince() throws Exception {
        var intent = dieIn(Moment.REVERSAL_DRAINED);
        site.write(ORDERS, 7, 1);
        site.replicator.refusal = Optional.of(new ReplicationError.PeerRefused("not-source", "nobody promoted it"));

        site.control.recover();

        var ended = site.awaitEnd(intent.operation());
        assertThat(ended.state()).isEqualTo(Operation.State.FAILED);
        assertThat(ended.toString()).contains("volume-written");
        assertStillTheSource();
    }

    @Test
    void aHandOverThatThePeerHasAnsweredIsFinishedWhateverWasWrittenSince() throws Exception {
        var intent = dieIn(Moment.REVERSAL_ANSWERED);
        site.write(ORDERS, 7, 1);
        site.mounted.add(ORDERS);

        site.control.recover();

        var ended = site.awaitEnd(intent.operation());
        assertThat(ended.state()).as(ended.toString()).isEqualTo(Operation.State.SUCCEEDED);
        assertThat(now().role()).isEqualTo(ReplicationLink.Role.TARGET);
    }
}
