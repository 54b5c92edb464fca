package io.tidemark.provider.fakecloud.gce;

import java.time.Duration;
import java.time.Instant;

/**
 * How a fake project begins.
 *
 * @param start where the clock begins
 * @param creating how long, on the fake clock, a snapshot is CREATING: its content is fixed at the end of that
 * @param takes how long after that it is UPLOADING
 * @param operations how long a disk or an instant snapshot is CREATING, and any other operation RUNNING
 * @param groupTakesMembers whether a group of instant snapshots that is deleted takes its members with it; no document
 *     says
 */
public record FakeGceSettings(
        String project,
        Instant start,
        GceLimits limits,
        Duration creating,
        Duration takes,
        Duration operations,
        boolean groupTakesMembers) {

    public FakeGceSettings {
        if (creating.isNegative() || takes.isNegative() || operations.isNegative()) {
            throw new IllegalArgumentException(
                    "a time is negative: creating %s, takes %s, operations %s".formatted(creating, takes, operations));
        }
    }

    /** No waiting, no rates. */
    public static FakeGceSettings defaults() {
        return new FakeGceSettings(
                "tidemark-tests",
                Instant.parse("2026-11-27T00:00:00Z"),
                GceLimits.withoutRates(),
                Duration.ZERO,
                Duration.ZERO,
                Duration.ZERO,
                true);
    }

    public FakeGceSettings limits(GceLimits other) {
        return new FakeGceSettings(project, start, other, creating, takes, operations, groupTakesMembers);
    }

    public FakeGceSettings creating(Duration other) {
        return new FakeGceSettings(project, start, limits, other, takes, operations, groupTakesMembers);
    }

    public FakeGceSettings takes(Duration other) {
        return new FakeGceSettings(project, start, limits, creating, other, operations, groupTakesMembers);
    }

    public FakeGceSettings operations(Duration other) {
        return new FakeGceSettings(project, start, limits, creating, takes, other, groupTakesMembers);
    }

    public FakeGceSettings groupTakesMembers(boolean other) {
        return new FakeGceSettings(project, start, limits, creating, takes, operations, other);
    }
}
