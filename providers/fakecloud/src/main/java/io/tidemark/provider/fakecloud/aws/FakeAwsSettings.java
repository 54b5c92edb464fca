package io.tidemark.provider.fakecloud.aws;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * How a fake account begins.
 *
 * @param regions names, at least one; the first is the one that {@link FakeAws} means where none is named
 * @param accountId 12 digits
 * @param start where the clock begins
 * @param limits quotas and rates
 * @param takes how long, on the fake clock, a snapshot or copy is pending, a volume creating, a completed upload sealed
 * @param notFoundAfterStart how many calls after StartSnapshot are told that there is no such snapshot
 * @param publicSnapshots how many snapshots of other owners see all who do not ask for {@code self} alone
 */
public record FakeAwsSettings(
        List<String> regions,
        String accountId,
        Instant start,
        AwsLimits limits,
        Duration takes,
        int notFoundAfterStart,
        int publicSnapshots) {

    public FakeAwsSettings {
        regions = List.copyOf(regions);
        if (regions.isEmpty() || !accountId.matches("[0-9]{12}") || takes.isNegative()) {
            throw new IllegalArgumentException("regions %s, account %s, takes %s".formatted(regions, accountId, takes));
        }
    }

    /** One region, no waiting, no rates: what most tests of a client want. Two public snapshots stand in the way. */
    public static FakeAwsSettings defaults() {
        return new FakeAwsSettings(
                List.of("eu-central-1"),
                "123456789012",
                Instant.parse("2026-11-27T00:00:00Z"),
                AwsLimits.withoutRates(),
                Duration.ZERO,
                0,
                2);
    }

    public FakeAwsSettings regions(String... names) {
        return new FakeAwsSettings(
                List.of(names), accountId, start, limits, takes, notFoundAfterStart, publicSnapshots);
    }

    public FakeAwsSettings limits(AwsLimits other) {
        return new FakeAwsSettings(regions, accountId, start, other, takes, notFoundAfterStart, publicSnapshots);
    }

    public FakeAwsSettings takes(Duration other) {
        return new FakeAwsSettings(regions, accountId, start, limits, other, notFoundAfterStart, publicSnapshots);
    }

    public FakeAwsSettings notFoundAfterStart(int calls) {
        return new FakeAwsSettings(regions, accountId, start, limits, takes, calls, publicSnapshots);
    }

    public FakeAwsSettings publicSnapshots(int count) {
        return new FakeAwsSettings(regions, accountId, start, limits, takes, notFoundAfterStart, count);
    }
}
