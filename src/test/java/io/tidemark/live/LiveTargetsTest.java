package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.Protocol;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Volumes of the peer that a live link may not name. */
@Timeout(60)
class LiveTargetsTest {
    private static final int MIB = 1 << 20;
    private static final int SIZE = 8 * MIB;

    @TempDir
    Path folder;

    private LiveSite a;
    private LiveSite b;

    @BeforeEach
    void pair() throws Exception {
        a = new LiveSite(folder.resolve("a"));
        b = new LiveSite(folder.resolve("b"));
        a.trust("b", b, b.address());
        b.trust("a", a, "127.0.0.1:1");
        a.provider.create(a.volume, SIZE);
    }

    @AfterEach
    void close() throws Exception {
        a.close();
        b.close();
    }

    private LiveHost.Link link() {
        return new LiveHost.Link(
                LiveSite.LINK,
                new PeerId("b"),
                a.volume,
                b.volume,
                SIZE,
                true,
                new LiveHost.Terms(Protocol.C, Congestion.BLOCK, MIB, 67, 0, 0, false),
                Instant.now());
    }

    @Test
    void peerNamesNoVolumeThatALinkWrites() throws Exception {
        b.linkTargets.add(b.volume);

        assertThatExceptionOfType(ReplicationException.class)
                .isThrownBy(() -> a.links.create(link(), true))
                .withMessageContaining("needed by a link whose target it is");

        assertThat(b.links.all()).isEmpty();
        assertThat(a.links.all()).isEmpty();
    }

    @Test
    void peerNamesNoVolumeOfAnotherLiveLink() throws Exception {
        a.links.create(link(), false);
        var other = new VolumeId("memory:other");
        a.provider.create(other, SIZE);
        var first = link();
        var second = new LiveHost.Link(
                new LinkId("ln-2"), first.peer(), other, b.volume, SIZE, true, first.terms(), first.createdAt());

        assertThatExceptionOfType(ReplicationException.class)
                .isThrownBy(() -> a.links.create(second, true))
                .withMessageContaining("needed by live link ln-1");
    }

    /** A reversal, which saw no live link of the volume when it began. */
    @Test
    void volumeThatALinkBeginsToWriteWhileItIsLookedAtIsRefused() throws Exception {
        var looks = new AtomicInteger();
        b.afterLook = () -> {
            if (looks.incrementAndGet() == 2) {
                b.linkTargets.add(b.volume);
            }
        };

        assertThatExceptionOfType(ReplicationException.class)
                .isThrownBy(() -> a.links.create(link(), true))
                .withMessageContaining("or is about to be");

        assertThat(b.links.all()).isEmpty();
        assertThat(a.links.all()).isEmpty();
    }
}
