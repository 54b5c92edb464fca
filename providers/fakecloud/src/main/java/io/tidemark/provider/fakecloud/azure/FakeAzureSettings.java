package io.tidemark.provider.fakecloud.azure;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * What a fake account is like.
 *
 * @param locations regions, the first being that of what tests make without naming one
 * @param takes how long a creation or deletion goes on after its answer; a snapshot's content is that of its end
 * @param copies how long data is copied after a snapshot of another region, or of an Ultra or Premium SSD v2 disk, is
 *     said to have succeeded
 * @param retryAfter what is told to who has to ask again, in whole seconds
 * @param pageItems what a page of a list holds
 */
public record FakeAzureSettings(
        String subscription,
        List<String> locations,
        Instant start,
        Duration takes,
        Duration copies,
        Duration retryAfter,
        int pageItems) {
    public FakeAzureSettings {
        locations = List.copyOf(locations);
    }

    /** Everything is done at once; one page holds 1,000. */
    public static FakeAzureSettings defaults() {
        return new FakeAzureSettings(
                "11111111-2222-3333-4444-555555555555",
                List.of("westeurope", "northeurope"),
                Instant.parse("2026-01-01T00:00:00Z"),
                Duration.ZERO,
                Duration.ZERO,
                Duration.ofSeconds(2),
                1_000);
    }

    public FakeAzureSettings taking(Duration creations, Duration dataCopies) {
        return new FakeAzureSettings(subscription, locations, start, creations, dataCopies, retryAfter, pageItems);
    }

    public FakeAzureSettings withPages(int items) {
        return new FakeAzureSettings(subscription, locations, start, takes, copies, retryAfter, items);
    }
}
