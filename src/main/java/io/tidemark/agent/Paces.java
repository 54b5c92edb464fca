package io.tidemark.agent;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.RateLimits;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.policy.PaceController;
import io.tidemark.policy.TokenBucket;
import io.tidemark.replication.port.Pace;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * Paces of all senders of this host: each within its link's rate and its own controller's, all together within the
 * host's. Guarded by {@code this}.
 */
public final class Paces {
    /** How soon a changed rate is heeded, and a change of the hour noticed. */
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
    /** Long enough for a few hundred writes of a busy database, short enough to be gone before a person notices. */
    private static final Duration SAMPLE_EVERY = Duration.ofMillis(500);
    /** A synchronisation that takes longer than this part of its link's interval puts the RPO at risk. */
    private static final double RPO_RISK = 0.7;

    private static final long RATE_UNLIMITED = RateLimits.BYTES_PER_SECOND_MAXIMUM;

    private final HostLimits limits;
    private final Function<LinkId, RateLimits> ratesOf;
    private final HostLoad load;
    private final LongSupplier nanos;
    private final InstantSource clock;
    private final ZoneId zone;
    private TokenBucket hostBucket;

    /**
     * What the configuration says.
     *
     * @param rates of all senders together
     * @param bounds of each sender's controller; empty: it goes as fast as the rates allow
     */
    public record HostLimits(RateLimits rates, Optional<PaceController.Bounds> bounds) {
        public static final HostLimits NONE = new HostLimits(RateLimits.NONE, Optional.empty());
    }

    /**
     * Times of the two kinds.
     *
     * @param nanos monotonic
     * @param zone in which windows are meant
     */
    public record Clocks(LongSupplier nanos, InstantSource clock, ZoneId zone) {}

    /** @param ratesOf asked again and again: a change holds for what is under way */
    public Paces(HostLimits limits, Function<LinkId, RateLimits> ratesOf, HostLoad load, Clocks clocks) {
        this.limits = limits;
        this.ratesOf = ratesOf;
        this.load = load;
        this.nanos = clocks.nanos();
        this.clock = clocks.clock();
        this.zone = clocks.zone();
        this.hostBucket = TokenBucket.empty(nanos.getAsLong());
    }

    /** @param device under the link's volume, as the kernel names it */
    public Pace begin(ReplicationLink link, Optional<String> device) {
        return new LinkPace(link, device);
    }

    private long rateNow(RateLimits rates) {
        var now = clock.instant().atZone(zone);
        OptionalLong rate = rates.at(now.getDayOfWeek(), now.getHour() * 60 + now.getMinute());
        return rate.orElse(RATE_UNLIMITED);
    }

    private final class LinkPace implements Pace {
        private final ReplicationLink link;
        private final Optional<String> device;
        private final long startNanos = nanos.getAsLong();
        private TokenBucket linkBucket = TokenBucket.empty(startNanos);
        private TokenBucket controlBucket = TokenBucket.empty(startNanos);
        private long linkRate;
        private long hostRate;
        private long lookedNanos = startNanos - LOOK_EVERY.toNanos();
        private Optional<PaceController.State> control;
        private HostLoad.Counters counters;
        private long sampledNanos = startNanos;

        LinkPace(ReplicationLink link, Optional<String> device) {
            this.link = link;
            this.device = device;
            this.control = limits.bounds().map(bounds -> PaceController.begin(bounds, startNanos));
            this.counters = load.read(device);
        }

        @Override
        public long untilCalm() {
            synchronized (Paces.this) {
                long now = nanos.getAsLong();
                sample(now);
                return control.isEmpty() ? 0 : controlBucket.waitNanos(controlRate(), now);
            }
        }

        @Override
        public long ask(long frameBytes) {
            synchronized (Paces.this) {
                long now = nanos.getAsLong();
                look(now);
                sample(now);
                long byRates = Math.max(linkBucket.waitNanos(linkRate, now), hostBucket.waitNanos(hostRate, now));
                long wait = Math.max(byRates, controlBucket.waitNanos(controlRate(), now));
                if (wait == 0) {
                    // All or none: what one holds back is not owed to the others.
                    charge(frameBytes, now);
                }
                return wait;
            }
        }

        @Override
        public void sent(long frameBytes, long wireBytes) {
            synchronized (Paces.this) {
                charge(wireBytes - frameBytes, nanos.getAsLong());
            }
        }

        @Override
        public void read(long bytes) {
            synchronized (Paces.this) {
                controlBucket = controlBucket.passed(bytes, controlRate(), nanos.getAsLong());
            }
        }

        private void charge(long bytes, long now) {
            linkBucket = linkBucket.passed(bytes, linkRate, now);
            hostBucket = hostBucket.passed(bytes, hostRate, now);
            controlBucket = controlBucket.passed(bytes, controlRate(), now);
        }

        private long controlRate() {
            return control.map(state -> (long) state.bytesPerSecond()).orElse(RATE_UNLIMITED);
        }

        private void look(long now) {
            if (now - lookedNanos >= LOOK_EVERY.toNanos()) {
                lookedNanos = now;
                linkRate = rateNow(ratesOf.apply(link.id()));
                hostRate = rateNow(limits.rates());
            }
        }

        private void sample(long now) {
            long tookNanos = now - sampledNanos;
            if (control.isEmpty() || tookNanos < SAMPLE_EVERY.toNanos()) {
                return;
            }
            var seen = load.read(device);
            var sample = sampleOf(counters, seen, tookNanos, rpoAtRisk(now));
            counters = seen;
            sampledNanos = now;
            control = control.map(
                    state -> PaceController.next(state, sample, limits.bounds().orElseThrow(), now));
        }

        private boolean rpoAtRisk(long now) {
            return link.every()
                    .filter(every -> now - startNanos > every.toNanos() * RPO_RISK)
                    .isPresent();
        }
    }

    static PaceController.Sample sampleOf(
            HostLoad.Counters older, HostLoad.Counters newer, long tookNanos, boolean rpoAtRisk) {
        double tookMicros = tookNanos / 1e3;
        // A device that is not known may be anybody's: its foreground is taken to be there, and its latency to be calm.
        double writes = older.writes().isPresent() && newer.writes().isPresent()
                ? newer.writes().get() - older.writes().get()
                : PaceController.FOREGROUND_UNKNOWN;
        double micros = writes > 0 ? (newer.writeMillis() - older.writeMillis()) * 1e3 / writes : 0;
        return new PaceController.Sample(
                Math.min(1, (newer.ioStalledMicros() - older.ioStalledMicros()) / tookMicros),
                Math.min(1, (newer.cpuStalledMicros() - older.cpuStalledMicros()) / tookMicros),
                writes * 1e9 / tookNanos,
                micros,
                rpoAtRisk);
    }
}
