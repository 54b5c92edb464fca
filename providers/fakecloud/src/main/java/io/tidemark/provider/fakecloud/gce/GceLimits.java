package io.tidemark.provider.fakecloud.gce;

import java.time.Duration;

/**
 * Published rates of one disk. Sources: "Create archive and standard disk snapshots" (at most one in 10 min, in a
 * burst 6 in 60 min) and "Troubleshooting instant snapshots" (30 s apart, 32 a disk).
 *
 * @param snapshotsAnHour standard and archive ones of one disk in any 60 min
 * @param instantPause between two instant ones of one disk
 * @param instantMaximum instant ones of one disk at a time
 */
public record GceLimits(int snapshotsAnHour, Duration instantPause, int instantMaximum) {
    /** As published. */
    public static GceLimits published() {
        return new GceLimits(6, Duration.ofSeconds(30), 32);
    }

    public static GceLimits withoutRates() {
        return new GceLimits(Integer.MAX_VALUE, Duration.ZERO, Integer.MAX_VALUE);
    }
}
