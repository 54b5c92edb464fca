package io.tidemark.system.guard;

import java.time.Duration;
import java.util.List;
import java.util.Random;

/**
 * One trial, drawn from its seed: which file systems are frozen for how long at most, what happens, and when.
 *
 * @param fileSystems numbers of those of the rig that are frozen, in order
 * @param hold how long the cut takes
 * @param delay from the phase's begin to the event
 * @param gap between the deaths of one and the next
 * @param written whether others write to the file systems all the time
 */
record GuardTrial(
        long seed,
        List<Integer> fileSystems,
        Duration limit,
        Duration hold,
        Event event,
        Phase phase,
        Duration delay,
        Duration gap,
        boolean written) {

    private static final int LIMIT_MILLIS_LEAST = 300;
    private static final int LIMIT_MILLIS_MOST = 2_000;
    private static final int GAP_MILLIS_MOST = 20;
    private static final int HOLD_BEYOND_MILLIS = 500;
    /** About what one FIFREEZE takes. */
    private static final int FREEZE_MILLIS = 35;

    enum Event {
        NONE,
        CUT_OUTLASTS_THE_LIMIT,
        SERVICE_KILLED,
        GUARD_KILLED,
        SENTINEL_KILLED,
        SERVICE_THEN_GUARD_KILLED,
        GUARD_THEN_SERVICE_KILLED,
        GUARD_THEN_SENTINEL_KILLED,
        SENTINEL_THEN_GUARD_KILLED,
        SERVICE_STOPPED,
        GUARD_STOPPED,
        SENTINEL_STOPPED_GUARD_KILLED,
        GUARD_TERMINATED,
        SERVICE_TERMINATED,
        DISK_FULL,
        MEMORY_TIGHT,
        /** All three at one instant: nobody is left, and the next start thaws. */
        ALL_KILLED;

        boolean endsService() {
            return switch (this) {
                case SERVICE_KILLED,
                        SERVICE_THEN_GUARD_KILLED,
                        GUARD_THEN_SERVICE_KILLED,
                        SERVICE_TERMINATED,
                        ALL_KILLED -> true;
                default -> false;
            };
        }

        /** Whether somebody who may be freezing or thawing is killed, or gets no memory. */
        boolean kills() {
            return name().contains("KILLED") || this == MEMORY_TIGHT;
        }

        boolean stops() {
            return this == SERVICE_STOPPED || this == GUARD_STOPPED || this == SENTINEL_STOPPED_GUARD_KILLED;
        }
    }

    /** When the event comes. */
    enum Phase {
        ARMED,
        FREEZING,
        FROZEN
    }

    /** @param available how many file systems the rig has */
    static GuardTrial draw(long seed, int available) {
        var random = new Random(seed * 0x9E3779B97F4A7C15L);
        var event = Event.values()[Math.floorMod((int) seed - 1, Event.values().length)];
        // Every fourth freezes all that there are.
        int count = random.nextInt(4) == 0 ? available : 1 + random.nextInt(available);
        var all = new java.util.ArrayList<Integer>();
        for (int number = 0; number < available; number++) {
            all.add(number);
        }
        java.util.Collections.shuffle(all, random);
        // As many short limits as long ones: each octave is as likely as another.
        double octaves = Math.log((double) LIMIT_MILLIS_MOST / LIMIT_MILLIS_LEAST);
        long limit = Math.round(LIMIT_MILLIS_LEAST * Math.exp(random.nextDouble() * octaves));
        var phase = Phase.values()[random.nextInt(Phase.values().length)];
        long delay = switch (phase) {
            case ARMED -> random.nextInt(FreezingProcess.ARMED_MILLIS);
            case FREEZING -> random.nextInt(FREEZE_MILLIS * count);
            case FROZEN -> random.nextInt((int) limit);
        };
        // Where something happens the cut outlasts the limit: the service must not be saved by asking in time.
        long hold = event == Event.NONE || event == Event.DISK_FULL ? limit / 4 : limit + HOLD_BEYOND_MILLIS;
        return new GuardTrial(
                seed,
                List.copyOf(all.subList(0, count)),
                Duration.ofMillis(limit),
                Duration.ofMillis(hold),
                event,
                phase,
                Duration.ofMillis(delay),
                Duration.ofMillis(random.nextInt(GAP_MILLIS_MOST + 1)),
                random.nextBoolean());
    }
}
