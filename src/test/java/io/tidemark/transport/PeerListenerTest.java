package io.tidemark.transport;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.port.PeerSessions;
import io.tidemark.replication.protocol.PeerAddress;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PeerListenerTest {
    private static final int ROUNDS = 300;
    private static final TransportLimits LIMITS =
            new TransportLimits(Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(5), 16, 2, 10);

    @TempDir
    Path folder;

    /** The kernel listens on while a thread is inside accept: a stopped site must not have taken one connection more. */
    @Test
    void nobodyIsLetInOnceItIsClosed() throws Exception {
        var identity = SiteIdentity.in(folder, InstantSource.system());
        for (int round = 0; round < ROUNDS; round++) {
            var listener =
                    PeerListener.start("127.0.0.1", 0, identity, new NoSessions(), LIMITS, InstantSource.system());
            var address = PeerAddress.parse(listener.address());

            listener.close();

            assertThatThrownBy(() -> connect(address)).as("round %d", round).isInstanceOf(ConnectException.class);
        }
    }

    private static void connect(PeerAddress address) throws Exception {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(address.host(), address.port()), 5_000);
        }
    }

    private static final class NoSessions implements PeerSessions {
        @Override
        public boolean knows(String fingerprint) {
            return false;
        }

        @Override
        public void serve(PeerConnection connection, boolean paired) {}
    }
}
