package io.tidemark.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FrameBuffersTest {
    private static final Duration SHORT = Duration.ofMillis(20);
    private static final Duration LONG = Duration.ofMinutes(5);

    private final FrameBuffers pool = new FrameBuffers(32);

    private static ArrayDeque<ByteBuffer> takeAll(FrameBuffers.Share share) throws InterruptedException {
        var taken = new ArrayDeque<ByteBuffer>();
        while (true) {
            try {
                taken.add(share.take(SHORT));
            } catch (TimeoutException e) {
                return taken;
            }
        }
    }

    @Test
    void twoThatHangLeaveTheOthersTheirShare() throws Exception {
        var first = takeAll(pool.share());
        var second = takeAll(pool.share());
        var third = takeAll(pool.share());

        assertThat(first).hasSize(16);
        assertThat(second).hasSize(4);
        assertThat(third).hasSize(4);
    }

    @Test
    void whatIsGivenBackIsTakenAgain() throws Exception {
        var share = pool.share();
        var taken = takeAll(share);
        var given = taken.remove();

        share.give(given);

        assertThat(share.take(SHORT)).isSameAs(given);
    }

    @Test
    void closingEndsAWait() throws Exception {
        var share = pool.share();
        var taken = takeAll(share);
        var ended = new AtomicReference<Throwable>();
        var waiting = Thread.ofVirtual().start(() -> {
            try {
                share.take(LONG);
            } catch (InterruptedException | TimeoutException e) {
                ended.set(e);
            }
        });

        share.close();

        waiting.join();
        assertThat(ended.get()).isInstanceOf(TimeoutException.class);
        assertThat(taken).isNotEmpty();
    }

    @Test
    void aClosedShareGivesNothing() {
        var share = pool.share();
        share.close();

        assertThatThrownBy(() -> share.take(LONG)).hasMessage("closed here");
    }
}
