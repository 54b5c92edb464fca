package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.LiveMessage;
import io.tidemark.replication.live.LiveWire;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.Message;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LiveSessionTest {
    private static final long LIMIT_SECONDS = 10;
    private static final LiveMessage SAID = new LiveMessage.Durable(1);

    private final AtomicLong nanos = new AtomicLong();
    private final Line line = new Line();
    private final LiveSession session = new LiveSession(1, line, nanos::get, new LiveTraffic());
    private final CountDownLatch ended = new CountDownLatch(1);

    /** What is said on one side is heard on this; an end is heard as the connection's. */
    private static final class Line implements PeerConnection {
        private static final Message END = new Message.Paired();
        private final BlockingQueue<Message> heard = new LinkedBlockingQueue<>();
        private final BlockingQueue<Message> sent = new LinkedBlockingQueue<>();

        @Override
        public String peerFingerprint() {
            return "0".repeat(64);
        }

        @Override
        public String peerAddress() {
            return "127.0.0.1:1";
        }

        @Override
        public void send(Message message) {
            sent.add(message);
        }

        @Override
        public Message receive() throws ReplicationException {
            try {
                var message = heard.take();
                if (!message.equals(END)) {
                    return message;
                }
                heard.add(END);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new ReplicationException(new ReplicationError.Cancelled(LiveSite.LINK));
        }

        @Override
        public long sentBytes() {
            return 0;
        }

        @Override
        public void finish() {}

        @Override
        public void sentAll() {
            sent.add(END);
        }

        @Override
        public void close() {
            heard.add(END);
        }
    }

    private void begin(Consumer<List<LiveMessage>> arrived) {
        Thread.ofVirtual().start(() -> {
            session.run(arrived);
            ended.countDown();
        });
    }

    private boolean hasEnded() throws InterruptedException {
        return ended.await(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    @AfterEach
    void close() {
        session.close();
    }

    @Test
    void aPeerThatSaysNothingForTooLongIsLost() throws Exception {
        begin(messages -> {});
        nanos.addAndGet(LiveSession.SILENCE.toNanos());
        session.check();
        assertThat(ended.getCount()).isEqualTo(1);

        nanos.addAndGet(1);
        session.check();

        assertThat(hasEnded()).isTrue();
    }

    @Test
    void aDiskThatTakesLongIsNotThePeersSilence() throws Exception {
        var begun = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        begin(messages -> {
            begun.countDown();
            try {
                assertThat(go.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        line.heard.add(new Message.Live(List.of(SAID)));
        assertThat(begun.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        nanos.addAndGet(10 * LiveSession.SILENCE.toNanos());
        session.check();
        session.send(SAID);

        assertThat(line.sent.poll(LIMIT_SECONDS, TimeUnit.SECONDS)).isEqualTo(new Message.Live(List.of(SAID)));
        go.countDown();
        session.end("enough");
        assertThat(hasEnded()).isTrue();
    }

    @Test
    void whatIsSentGoesInItsOrderInFramesThatHoldIt() throws Exception {
        var sent = new ArrayList<LiveMessage>();
        for (int number = 1; number <= 40; number++) {
            sent.add(new LiveMessage.Write(number, 0, 65_536, Bytes.of(ByteBuffer.allocate(65_536))));
            session.send(sent.getLast());
        }
        begin(messages -> {});

        var arrived = new ArrayList<LiveMessage>();
        while (arrived.size() < sent.size()) {
            var frame = (Message.Live) line.sent.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
            assertThat(frame).isNotNull();
            assertThat(frame.messages().stream()
                            .mapToInt(LiveWire::bytesMaximum)
                            .sum())
                    .isLessThanOrEqualTo(LiveWire.FRAME_MAXIMUM);
            arrived.addAll(frame.messages());
        }
        assertThat(arrived).isEqualTo(sent);
    }

    /** Both conclude from what the other says, and end it: what one had not sent yet the other would never hear. */
    @Test
    void theLastWordIsSaidBeforeItIsLeft() throws Exception {
        session.send(SAID);
        session.leave("nothing more is to be said");
        session.send(SAID);
        begin(messages -> {});

        assertThat(line.sent.poll(LIMIT_SECONDS, TimeUnit.SECONDS)).isEqualTo(new Message.Live(List.of(SAID)));
        assertThat(line.sent.poll(LIMIT_SECONDS, TimeUnit.SECONDS)).isEqualTo(Line.END);
        nanos.addAndGet(LiveSession.FAREWELL.toNanos());
        session.check();
        assertThat(ended.getCount()).isEqualTo(1);
        nanos.addAndGet(1);
        session.check();
        assertThat(hasEnded()).isTrue();
        assertThat(line.sent).isEmpty();
    }

    @Test
    void aPeerThatTakesItsLeaveEndsIt() throws Exception {
        begin(messages -> {});
        session.leave("nothing more is to be said");
        assertThat(line.sent.poll(LIMIT_SECONDS, TimeUnit.SECONDS)).isEqualTo(Line.END);

        line.close();

        assertThat(hasEnded()).isTrue();
    }

    @Test
    void anythingElseThanMessagesOfLiveCopiesEndsIt() throws Exception {
        begin(messages -> {});

        line.heard.add(new Message.LiveOpened());

        assertThat(hasEnded()).isTrue();
    }
}
