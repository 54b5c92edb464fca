package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PeerSenderTest {
    private final Line line = new Line();

    private PeerSender sender() {
        return new PeerSender(line, () -> new Message.Alive("test", 0, 0));
    }

    @Test
    void aSignOfLifeComesWhileNothingElseIsSent() {
        try (var sender = sender()) {
            sender.begin();

            Awaitility.await().until(() -> line.alive.get() >= 2);
        }
    }

    @Test
    void theFirstMessageIsNoSignOfLife() throws Exception {
        try (var sender = sender()) {
            Thread.sleep(Duration.ofMillis(1_500));
            assertThat(line.alive).hasValue(0);

            sender.send(new Message.Reversed());

            Awaitility.await().until(() -> line.alive.get() == 1);
        }
    }

    @Test
    void twoThreadsNeverSendAtOnce() throws Exception {
        var go = new CountDownLatch(1);
        try (var sender = sender()) {
            var other = Thread.ofPlatform().start(() -> sendMany(sender, go));
            go.countDown();
            sendMany(sender, go);
            other.join();
        }

        assertThat(line.sent).hasValue(400);
        assertThat(line.mixed).isFalse();
    }

    private static void sendMany(PeerSender sender, CountDownLatch go) {
        try {
            go.await();
            for (int index = 0; index < 200; index++) {
                sender.send(new Message.Reversed());
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void nothingComesOnceItIsClosed() throws Exception {
        var sender = sender();
        sender.begin();

        sender.close();

        Thread.sleep(Duration.ofMillis(1_500));
        assertThat(line.alive).hasValue(0);
    }

    @Test
    void aSendThatHangsDoesNotKeepItOpen() {
        line.hangs.set(true);
        var sender = sender();
        sender.begin();
        Awaitility.await().until(() -> line.inside.get() == 1);

        sender.close();

        assertThat(line.closed.getCount()).isZero();
    }

    /** Counts, and notices when two threads are in it. */
    private static final class Line implements PeerConnection {
        private final AtomicInteger alive = new AtomicInteger();
        private final AtomicInteger sent = new AtomicInteger();
        private final AtomicInteger inside = new AtomicInteger();
        private final AtomicBoolean mixed = new AtomicBoolean();
        private final AtomicBoolean hangs = new AtomicBoolean();
        private final CountDownLatch closed = new CountDownLatch(1);

        @Override
        public String peerFingerprint() {
            return "";
        }

        @Override
        public String peerAddress() {
            return "";
        }

        @Override
        public void send(Message message) {
            if (inside.incrementAndGet() > 1) {
                mixed.set(true);
            }
            try {
                if (hangs.get()) {
                    closed.await();
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            (message instanceof Message.Alive ? alive : sent).incrementAndGet();
            inside.decrementAndGet();
        }

        @Override
        public Message receive() {
            throw new AssertionError("nobody receives here");
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
        public void close() {
            closed.countDown();
        }
    }
}
