package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Moments;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ReversalPatienceTest {
    private final AtomicInteger alive = new AtomicInteger();

    /** Is welcome, lives, and does not come to an end. */
    private final class Endless implements PeerConnection {
        private boolean isWelcome;

        @Override
        public String peerFingerprint() {
            return "f".repeat(64);
        }

        @Override
        public String peerAddress() {
            return "peer:1";
        }

        @Override
        public void send(Message message) {}

        @Override
        public Message receive() {
            if (!isWelcome) {
                isWelcome = true;
                return new Message.Welcome(1, "test");
            }
            alive.incrementAndGet();
            return new Message.Alive("settling", 0, 0);
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

    @Test
    void aTargetThatOnlyLivesIsNotWaitedForWithoutEnd() {
        var replicator = new PeerReplicator(
                new Providers(List.of()),
                (address, fingerprint) -> new Endless(),
                TestSite.KERNEL,
                Moments.NONE,
                System::nanoTime,
                "test");
        var volume = new VolumeId("memory:v");
        var link = new ReplicationLink(
                new LinkId("ln-1"),
                ReplicationLink.Role.SOURCE,
                new PeerId("b"),
                volume,
                volume,
                new GroupId("g"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        var peer = new Peer(new PeerId("b"), "peer:1", "f".repeat(64), Instant.EPOCH);

        assertThatExceptionOfType(ReplicationException.class)
                .isThrownBy(() -> replicator.confirmPeerIsSource(link, peer))
                .withMessageContaining("has not answered for 10 minutes");
        assertThat(alive).hasValue(601);
    }
}
