package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.RateLimits;
import io.tidemark.domain.RateWindow;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.PaceController;
import io.tidemark.replication.port.Pace;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Paces over a clock and a kernel that a test moves. */
class PacesTest {
    private static final long MIB = 1 << 20;
    private static final long FRAME = 256 << 10;
    private static final long SECOND = 1_000_000_000;
    /** A Wednesday. */
    private static final Instant NOON = Instant.parse("2026-11-25T12:00:00Z");

    @TempDir
    Path proc;

    private long nanos;
    private RateLimits linkRates = RateLimits.NONE;

    @BeforeEach
    void kernel() throws Exception {
        Files.createDirectory(proc.resolve("pressure"));
        kernel(0, 0, 0);
    }

    private void kernel(long stalledMicros, long writes, long writeMillis) throws Exception {
        for (var resource : List.of("io", "cpu")) {
            Files.writeString(
                    proc.resolve("pressure").resolve(resource),
                    "some avg10=1.00 avg60=0.00 avg300=0.00 total=%d\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"
                            .formatted(stalledMicros));
        }
        Files.writeString(
                proc.resolve("diskstats"),
                "   7       0 loop0 1 2 3 4 %d 6 7 %d 0 1 2 3 4 5 6 0 0\n".formatted(writes, writeMillis));
    }

    private Paces paces(Paces.HostLimits limits) {
        return new Paces(
                limits,
                id -> linkRates,
                new HostLoad(proc),
                new Paces.Clocks(() -> nanos, () -> NOON.plusNanos(nanos), ZoneOffset.UTC));
    }

    private static ReplicationLink link(String id) {
        return new ReplicationLink(
                new LinkId(id),
                ReplicationLink.Role.SOURCE,
                new PeerId("b"),
                new VolumeId("memory:a"),
                new VolumeId("memory:a"),
                new GroupId("g"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    /** Bytes that pass in a second of the test's clock, asked for in turn by all. */
    private long passedInASecond(Pace... paces) {
        return passed(SECOND, paces);
    }

    private long passed(long forNanos, Pace... paces) {
        long end = nanos + forNanos;
        long bytes = 0;
        while (nanos < end) {
            long wait = Long.MAX_VALUE;
            for (var pace : paces) {
                long asked = pace.ask(FRAME);
                bytes += asked == 0 ? FRAME : 0;
                wait = Math.min(wait, asked);
            }
            nanos += Math.max(wait, 100_000);
        }
        return bytes;
    }

    private static RateLimits limit(long bytesPerSecond, RateWindow... windows) {
        return new RateLimits(OptionalLong.of(bytesPerSecond), List.of(windows));
    }

    @Test
    void aLinksRateIsKeptAndAChangeHoldsForWhatRuns() {
        linkRates = limit(8 * MIB);
        var pace = paces(Paces.HostLimits.NONE).begin(link("ln-1"), Optional.empty());
        assertThat(passedInASecond(pace)).isBetween(8 * MIB - FRAME, 9 * MIB);

        linkRates = limit(32 * MIB);
        passedInASecond(pace);

        assertThat(passedInASecond(pace)).isBetween(31 * MIB, 34 * MIB);
    }

    @Test
    void theHostsRateHoldsForAllLinksTogether() {
        var paces = paces(new Paces.HostLimits(limit(8 * MIB), Optional.empty()));

        long bytes = passedInASecond(
                paces.begin(link("ln-1"), Optional.empty()), paces.begin(link("ln-2"), Optional.empty()));

        assertThat(bytes).isBetween(8 * MIB - FRAME, 9 * MIB);
    }

    @Test
    void aWindowHoldsFromItsMinuteOn() {
        linkRates = limit(32 * MIB, RateWindow.parse("wed 12:01-13:00=1MiB/s"));
        var pace = paces(Paces.HostLimits.NONE).begin(link("ln-1"), Optional.empty());
        assertThat(passedInASecond(pace)).isGreaterThan(30 * MIB);

        nanos += 60 * SECOND;
        passedInASecond(pace);

        assertThat(passedInASecond(pace)).isLessThan(3 * MIB);
    }

    @Test
    void aBusyHostIsGivenWayToDownToTheFloorAndWhatWasReadCounts() throws Exception {
        var bounds = new PaceController.Bounds(4 * MIB, 256 * MIB);
        var pace = paces(new Paces.HostLimits(RateLimits.NONE, Optional.of(bounds)))
                .begin(link("ln-1"), Optional.of("loop0"));
        for (int half = 1; half <= 40; half++) {
            kernel(half * 450_000L, half * 500L, half * 500L);
            nanos += SECOND / 2;
            pace.untilCalm();
        }

        // Less than until the next sample: the kernel's counters stand still here.
        assertThat(passed(SECOND * 2 / 5, pace)).isBetween(MIB, 3 * MIB);
        kernel(43 * 450_000L, 43 * 500L, 43 * 500L);
        nanos += SECOND;
        assertThat(pace.untilCalm()).isZero();
        pace.read(4 * MIB);
        assertThat(pace.untilCalm()).as("what was read is owed").isGreaterThan(SECOND / 2);
    }

    @Test
    void theHostsRateHoldsWhileFramesOfAllLinksAreOnTheirWay() {
        var paces = paces(new Paces.HostLimits(limit(8 * MIB), Optional.empty()));
        long passed = 0;
        for (int link = 0; link < 32; link++) {
            passed += paces.begin(link("ln-" + link), Optional.empty()).ask(FRAME) == 0 ? FRAME : 0;
        }

        assertThat(passed).as("at once, before any of them was sent").isLessThanOrEqualTo(8 * MIB / 20 + FRAME);
    }

    @Test
    void whatCompressionSparedMayPassBesideAndTimeOfSendingIsNotWaitedForAgain() {
        linkRates = limit(MIB);
        var pace = paces(Paces.HostLimits.NONE).begin(link("ln-1"), Optional.empty());
        long bytes = 0;
        while (nanos < 20 * SECOND) {
            long wait = pace.ask(FRAME);
            nanos += wait;
            if (wait == 0) {
                // A line of the same rate.
                nanos += SECOND / 8;
                pace.sent(FRAME, FRAME / 2);
                bytes += FRAME / 2;
            }
        }

        assertThat(bytes).isBetween(19 * MIB, 21 * MIB);
    }
}
