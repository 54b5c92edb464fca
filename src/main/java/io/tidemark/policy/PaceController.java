package io.tidemark.policy;

import java.time.Duration;

/**
 * How fast a sender may go beside the host's own work: {@code (state, sample) -> state}, whose rate is what is allowed.
 * Backs off at once when the foreground's latency rises, comes back slowly, and slower still near the rate at which it
 * rose last time, so that it settles instead of swinging.
 */
public final class PaceController {
    /** Part of the time in which some task waited for a device: above it, applications feel it. */
    static final double IO_STALL_HIGH = 0.40;
    /** The same for a processor. Some waiting is a busy host's ordinary state. */
    static final double CPU_STALL_HIGH = 0.50;
    /** A write that takes this many times what it took in calm. */
    static final double LATENCY_HIGH = 2.0;
    /** Below this part of any limit there is room; between this and 1 nothing changes. */
    static final double CALM = 0.7;
    /** A rate that hurts is cut to this part: three samples bring it to a fifth. */
    static final double BACK_OFF = 0.6;
    /** Growth per calm sample: doubles in five. */
    static final double GROWTH = 1.15;
    /** Growth per calm sample near the rate that hurt last. */
    static final double GROWTH_NEAR_LIMIT = 1.005;
    /** From this part of it on a rate counts as near, up to {@link #PAST}: past that, the limit has moved. */
    static final double NEAR = 0.85;

    static final double PAST = 1.1;
    /** Growth per sample while the RPO is at risk. */
    static final double CATCH_UP = 2.0;
    /** After a back-off, how long nothing grows: the stall that it ends is still in the counters. */
    static final Duration HOLD = Duration.ofSeconds(2);
    /** Drift of what calm is taken for, per sample: a storage that became slower is not slow for ever. */
    static final double BASELINE_DRIFT = 1.001;
    /** Fewer writes a second than this on the volume's device: nobody is there to be disturbed. */
    static final double FOREGROUND_WRITES_MINIMUM = 2;
    /** Writes to count in a sample where they cannot be counted: as if somebody were there. */
    public static final double FOREGROUND_UNKNOWN = 1_000;

    private PaceController() {}

    /** @param ceilingBytes a second, {@code floorBytes} likewise: what it never falls below, whatever is felt */
    public record Bounds(long floorBytes, long ceilingBytes) {
        public Bounds {
            if (floorBytes < 1 || floorBytes > ceilingBytes) {
                throw new IllegalArgumentException(
                        "pace floor is %d bytes a second, ceiling %d".formatted(floorBytes, ceilingBytes));
            }
        }
    }

    /**
     * What was measured since the sample before.
     *
     * @param ioStalled part of the time, 0 to 1, {@code cpuStalled} likewise
     * @param writesPerSecond of everybody, on the volume's device; a sender only reads
     * @param writeMicros how long one took, on average; meaningless without writes
     * @param rpoAtRisk whether the synchronisation takes so long that the link's interval is in danger
     */
    public record Sample(
            double ioStalled, double cpuStalled, double writesPerSecond, double writeMicros, boolean rpoAtRisk) {}

    /**
     * @param bytesPerSecond what is allowed
     * @param calmMicros what a write takes in calm, as far as it is known; 0: not known
     * @param hurtBytes rate at which the foreground was hurt last; 0: never
     * @param holdUntilNanos nothing grows before
     */
    public record State(double bytesPerSecond, double calmMicros, double hurtBytes, long holdUntilNanos) {}

    /**
     * Begins half-way between the bounds, as ratios go: an idle host is used wholly after one sample, and a busy one is
     * not overrun before it.
     */
    public static State begin(Bounds bounds, long nowNanos) {
        return new State(Math.sqrt((double) bounds.floorBytes() * bounds.ceilingBytes()), 0, 0, nowNanos);
    }

    public static State next(State state, Sample sample, Bounds bounds, long nowNanos) {
        double calmMicros = calm(state, sample);
        if (sample.rpoAtRisk()) {
            return new State(
                    within(state.bytesPerSecond() * CATCH_UP, bounds), calmMicros, state.hurtBytes(), nowNanos);
        }
        boolean alone = sample.writesPerSecond() < FOREGROUND_WRITES_MINIMUM;
        double pressure = alone ? 0 : pressure(sample, calmMicros);
        if (pressure > 1) {
            if (nowNanos < state.holdUntilNanos()) {
                // The cut before has not shown its effect yet, but what it did not cure must not last.
                double milder = within(state.bytesPerSecond() * Math.sqrt(BACK_OFF), bounds);
                return new State(milder, calmMicros, state.hurtBytes(), state.holdUntilNanos());
            }
            return new State(
                    within(state.bytesPerSecond() * BACK_OFF, bounds),
                    calmMicros,
                    state.bytesPerSecond(),
                    nowNanos + HOLD.toNanos());
        }
        if (alone) {
            return new State(bounds.ceilingBytes(), calmMicros, 0, state.holdUntilNanos());
        }
        if (pressure > CALM || nowNanos < state.holdUntilNanos()) {
            return new State(state.bytesPerSecond(), calmMicros, state.hurtBytes(), state.holdUntilNanos());
        }
        boolean near =
                state.bytesPerSecond() > state.hurtBytes() * NEAR && state.bytesPerSecond() < state.hurtBytes() * PAST;
        double grown = state.bytesPerSecond() * (near ? GROWTH_NEAR_LIMIT : GROWTH);
        return new State(within(grown, bounds), calmMicros, state.hurtBytes(), state.holdUntilNanos());
    }

    /** The least that was seen, forgotten slowly. */
    private static double calm(State state, Sample sample) {
        if (sample.writesPerSecond() < FOREGROUND_WRITES_MINIMUM || sample.writeMicros() <= 0) {
            return state.calmMicros();
        }
        return state.calmMicros() == 0
                ? sample.writeMicros()
                : Math.min(sample.writeMicros(), state.calmMicros() * BASELINE_DRIFT);
    }

    /** Above 1: the foreground is hurt. */
    private static double pressure(Sample sample, double calmMicros) {
        double latency = calmMicros > 0 ? sample.writeMicros() / (calmMicros * LATENCY_HIGH) : 0;
        return Math.max(latency, Math.max(sample.ioStalled() / IO_STALL_HIGH, sample.cpuStalled() / CPU_STALL_HIGH));
    }

    private static double within(double bytesPerSecond, Bounds bounds) {
        return Math.min((double) bounds.ceilingBytes(), Math.max((double) bounds.floorBytes(), bytesPerSecond));
    }
}
