package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.Moments;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.RateLimits;
import io.tidemark.spi.VolumeId;
import io.tidemark.transport.TlsPeerConnector;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A rate is of bytes on the wire, and as good a reason to compress as a line of that rate. */
@Timeout(60)
class PacedSyncTest {
    private static final int MIB = 1 << 20;
    private static final int SIZE = 24 * MIB;
    private static final long RATE = 8L * MIB;
    private static final VolumeId HERE = new VolumeId("memory:orders");
    private static final VolumeId THERE = new VolumeId("memory:orders-copy");

    @TempDir
    Path folder;

    @Test
    void aPacedLinkCompressesAsALineOfItsRateWould() throws Exception {
        try (var sites = PairedSites.in(folder, HERE, THERE, SIZE)) {
            var a = sites.a();
            var limits = new RateLimits(OptionalLong.of(RATE), List.of());
            var paces = new Paces(
                    Paces.HostLimits.NONE,
                    _ -> limits,
                    new HostLoad(folder),
                    new Paces.Clocks(System::nanoTime, InstantSource.system(), ZoneOffset.UTC));
            var replicator = new PeerReplicator(
                    new Providers(List.of(a.provider)),
                    new TlsPeerConnector(a.identity, TestSite.LIMITS),
                    TestSite.KERNEL,
                    Moments.NONE,
                    System::nanoTime,
                    "test",
                    Optional.of(paces),
                    TrackingTrust.unaudited(TestSite.KERNEL),
                    InFlightBudget.unlimited(),
                    SentIndexes.none(TestSite.KERNEL));
            replicator.openLink(sites.link(), sites.peer(), SIZE);
            a.write(HERE, 0, letters());
            var point = a.take(HERE, "rp-1");

            var report = replicator.sync(sites.link(), sites.peer(), point, List.of(), ProgressListener.NONE);

            assertThat(sites.b().read(THERE, "rp-1")).isEqualTo(a.read(HERE, "rp-1"));
            assertThat(report.sentPayloadBytes()).isEqualTo(SIZE);
            // 16 letters are half of a byte each; the first frames go before anything is known of the line.
            assertThat(report.sentWireBytes()).isBetween(SIZE / 2L, SIZE * 7L / 10);
            long rateMillis = report.sentWireBytes() * 1_000 / RATE;
            assertThat(report.duration().toMillis())
                    .as("no faster than its rate")
                    .isGreaterThan(rateMillis - 200);
        }
    }

    /** 16 of them, with no more order than that. */
    private static byte[] letters() {
        var alphabet = "abcdefghijklmnop".getBytes(StandardCharsets.US_ASCII);
        var random = new Random(1);
        var bytes = new byte[SIZE];
        for (int at = 0; at < bytes.length; at++) {
            bytes[at] = alphabet[random.nextInt(alphabet.length)];
        }
        return bytes;
    }
}
