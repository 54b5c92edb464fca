package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.Protocol;
import io.tidemark.site.TestSite;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Terms of live links that somebody changes. */
@Timeout(60)
class LiveTermsTest {
    private static final LinkId LINK = new LinkId("ln-live");
    private static final long LIMIT_SECONDS = 20;
    /** For a request that is not to come between. */
    private static final long BETWEEN_MILLIS = 200;

    @TempDir
    Path folder;

    private TestSite site;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(folder).recovered();
        site.store.catalog().savePeer(new Peer(new PeerId("site-b"), "127.0.0.1:1", "b".repeat(64), Instant.EPOCH));
        site.replicateLive(TestSite.volume("orders"));
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private static LiveHost.Terms with(LiveHost.Terms now, Protocol protocol, long bufferBytes) {
        return new LiveHost.Terms(
                protocol,
                now.congestion(),
                bufferBytes,
                now.activityLogExtents(),
                now.resyncFloorBytes(),
                now.resyncCeilingBytes(),
                now.isComparing(),
                now.afterSplitBrain());
    }

    @Test
    void ofTwoChangesAtOnceNoneIsUndone() throws Exception {
        var isReading = new CountDownLatch(1);
        var other = new CountDownLatch(1);
        var first = CompletableFuture.runAsync(
                () -> change(now -> {
                    isReading.countDown();
                    try {
                        assertThat(other.await(BETWEEN_MILLIS, TimeUnit.MILLISECONDS))
                                .as("the other has come between")
                                .isFalse();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    return with(now, Protocol.A, now.bufferBytes());
                }),
                Thread::startVirtualThread);
        assertThat(isReading.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        change(now -> with(now, now.protocol(), 2 << 20));
        other.countDown();
        first.get(LIMIT_SECONDS, TimeUnit.SECONDS);

        var terms = site.control.live().find(LINK).link().terms();
        assertThat(terms.protocol()).isEqualTo(Protocol.A);
        assertThat(terms.bufferBytes()).isEqualTo(2 << 20);
        assertThat(terms.congestion()).isEqualTo(Congestion.BLOCK);
    }

    private void change(UnaryOperator<LiveHost.Terms> change) {
        try {
            site.control.live().change(LINK, change);
        } catch (ControlException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatIsOutOfItsLimitsIsRefusedAndNothingChanges() throws Exception {
        var refusal = catchThrowableOfType(
                ControlException.class, () -> site.control.live().change(LINK, now -> with(now, Protocol.A, 1)));

        assertThat(refusal.error())
                .isInstanceOfSatisfying(
                        ControlError.Invalid.class, e -> assertThat(e.field()).isEqualTo("bufferBytes"));
        assertThat(site.control.live().find(LINK).link().terms().protocol()).isEqualTo(Protocol.C);
    }
}
