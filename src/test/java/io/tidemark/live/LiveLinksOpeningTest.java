package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.Protocol;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a peer asks to be made here: b accepts, or does not. */
class LiveLinksOpeningTest {
    private static final int MIB = 1 << 20;
    private static final int SIZE = 8 * MIB;
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final VolumeId OTHER = new VolumeId("memory:other");
    private static final LiveHost.Terms TERMS = new LiveHost.Terms(Protocol.C, Congestion.BLOCK, MIB, 67, 0, 0, false);

    @TempDir
    Path folder;

    private LiveSite a;
    private LiveSite b;
    private CutRelay line;

    @BeforeEach
    void pair() throws Exception {
        a = new LiveSite(folder.resolve("a"));
        b = new LiveSite(folder.resolve("b"));
        line = new CutRelay(b.address());
        a.trust("b", b, line.address());
        b.trust("a", a, "127.0.0.1:1");
    }

    @AfterEach
    void close() throws Exception {
        line.close();
        a.close();
        b.close();
    }

    private static LiveHost.Link link(LinkId id, String peer, VolumeId local) {
        return new LiveHost.Link(
                id, new PeerId(peer), local, new VolumeId("memory:v"), SIZE, true, TERMS, Instant.now());
    }

    /** A peer that says one thing, and hears nothing. */
    private record Opening(Message said) implements PeerConnection {
        @Override
        public String peerFingerprint() {
            return "0".repeat(64);
        }

        @Override
        public String peerAddress() {
            return "127.0.0.1:1";
        }

        @Override
        public void send(Message message) throws ReplicationException {
            throw new ReplicationException(new ReplicationError.ConnectionLost("127.0.0.1:1", "it hears nothing"));
        }

        @Override
        public Message receive() {
            return said;
        }

        @Override
        public long sentBytes() {
            return 0;
        }

        @Override
        public void finish() {}

        @Override
        public void sentAll() {}

        @Override
        public void close() {}
    }

    private Message.OpenLive opening(LiveHost.Terms terms, long volumeBytes) {
        return new Message.OpenLive(
                LiveSite.LINK,
                OTHER,
                b.volume,
                terms.protocol(),
                terms.congestion(),
                volumeBytes,
                terms.bufferBytes(),
                terms.activityLogExtents(),
                terms.resyncFloorBytes(),
                terms.resyncCeilingBytes(),
                terms.isComparing(),
                terms.afterSplitBrain(),
                true,
                true);
    }

    /** The other way round: a scheduled link names a volume that is replicated live at its peer. */
    @Test
    void peersLinkDoesNotWriteAVolumeOfALiveLink() throws Exception {
        a.provider.create(a.volume, SIZE);
        a.links.create(link(LiveSite.LINK, "b", a.volume), false);

        assertThatExceptionOfType(ReplicationException.class)
                .isThrownBy(() -> a.openScheduled("b", new LinkId("ln-2"), b.volume, SIZE))
                .withMessageContaining("volume memory:v is needed by live link ln-1: name another");

        assertThat(b.catalog.link(new LinkId("ln-2"))).isEmpty();
        a.openScheduled("b", new LinkId("ln-2"), new VolumeId("memory:other"), SIZE);
        assertThat(b.catalog.link(new LinkId("ln-2"))).isPresent();
    }

    /** Of the copy nothing is known but that it is one: its volume may be any. */
    @Test
    void linkWhoseFolderCannotBeReadIsKeptAndNoVolumeIsGivenAway() throws Exception {
        a.provider.create(a.volume, SIZE);
        a.links.create(link(LiveSite.LINK, "b", a.volume), false);
        var file = b.liveFolder().resolve("ln-1").resolve("link");
        var whole = Files.readString(file);
        Files.createDirectory(b.liveFolder().resolve("lost+found"));

        for (var damaged :
                List.of("", whole.replace("format=1", "format=2"), whole.replace("id=ln-1", "id=ln-9"), "\\u00")) {
            Files.writeString(file, damaged);
            b.restart();

            assertThat(b.links.all()).isEmpty();
            assertThat(b.links.unread()).singleElement().satisfies(unread -> {
                assertThat(unread.id()).isEqualTo(LiveSite.LINK);
                assertThat(unread.folder()).endsWith("/live/ln-1");
                assertThat(unread.reason()).isNotEmpty();
            });
        }
        assertThatExceptionOfType(ReplicationException.class)
                .isThrownBy(() -> a.openScheduled("b", new LinkId("ln-2"), new VolumeId("memory:other"), SIZE))
                .withMessageContaining("not known there: live link ln-1 cannot be read");
        Files.writeString(file, whole);
        b.restart();

        assertThat(b.links.unread()).isEmpty();
        await().atMost(LIMIT)
                .until(() -> a.live()
                        .status()
                        .filter(status -> status.replication() == ReplicationState.ESTABLISHED)
                        .isPresent());
    }

    /** To a peer it is not one that is unknown, which it might end. */
    @Test
    void linkThatCannotBeReadIsNotMadeAgain() throws Exception {
        Files.createDirectory(b.liveFolder().resolve("ln-1"));
        b.restart();

        assertRefused(opening(TERMS, SIZE), "it cannot be read there: ");
    }

    private void assertRefused(Message.OpenLive open, String why) {
        var peer = b.catalog.peer(new PeerId("a")).orElseThrow();
        assertThatExceptionOfType(ReplicationException.class)
                .isThrownBy(() -> b.links.serve(new Opening(open), peer))
                .withMessageContaining(why);
        assertThat(b.links.all()).isEmpty();
    }

    private void assertOutOfLimits(Message.OpenLive open) {
        assertRefused(open, "limits");
    }

    @Test
    void termsOutOfTheirLimitsAreRefusedByThePeer() {
        for (var terms : new LiveHost.Terms[] {
            new LiveHost.Terms(Protocol.C, Congestion.BLOCK, MIB, Integer.MAX_VALUE, 0, 0, false),
            new LiveHost.Terms(Protocol.C, Congestion.BLOCK, MIB, 0, 0, 0, false),
            new LiveHost.Terms(Protocol.C, Congestion.BLOCK, 1L << 40, 67, 0, 0, false),
            new LiveHost.Terms(Protocol.C, Congestion.BLOCK, 1, 67, 0, 0, false)
        }) {
            assertOutOfLimits(opening(terms, SIZE));
        }
        assertOutOfLimits(opening(TERMS, BitmapRoom.SIZE_MAXIMUM_BYTES + 1));
        assertOutOfLimits(opening(TERMS, 0));
    }

    @Test
    void aPeerThatDoesNotHearOfItsLinkLeavesNoneHere() throws Exception {
        assertRefused(opening(TERMS, SIZE), "hears nothing");

        b.provider.write(b.volume).close();
        assertThat(b.liveFolder()).isEmptyDirectory();
    }

    @Test
    void afterItsEndNothingIsAccepted() {
        b.links.close();

        assertRefused(opening(TERMS, SIZE), "this process ends");
    }

    @Test
    void aLongLookAtTheVolumeKeepsNobodyWaitingAndTellsThePeerThatItLives() throws Exception {
        a.provider.create(a.volume, SIZE);
        b.provider.create(b.volume, SIZE);
        b.provider.create(OTHER, SIZE);
        b.gate = new CountDownLatch(1);
        var made = CompletableFuture.runAsync(() -> {
            try {
                a.links.create(link(LiveSite.LINK, "b", a.volume), false);
            } catch (Exception e) {
                throw new CompletionException(e);
            }
        });
        await().atMost(LIMIT).until(() -> line.bytes.get() > 0);
        await().pollInterval(Duration.ofMillis(500)).atMost(LIMIT).until(() -> {
            long before = line.bytes.getAndSet(0);
            return before == 0;
        });

        // A sign of life.
        await().atMost(LIMIT).until(() -> line.bytes.get() > 0);
        assertThatExceptionOfType(ReplicationException.class)
                .isThrownBy(() -> b.links.create(link(new LinkId("ln-2"), "a", OTHER), false));
        assertThat(made).isNotDone();

        b.gate.countDown();
        made.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertThat(b.links.all()).hasSize(1);
    }
}
