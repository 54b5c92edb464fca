package io.tidemark.cli;

import io.tidemark.client.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** How fast a volume changes, as its synchronisations have measured it. */
record ChangeRate(double bytesPerMilli) {
    /**
     * From the oldest, whose own changes are of the time before it, to the newest.
     *
     * @param synchronisations that succeeded, newest first; first copies among them are no measure
     */
    static Optional<ChangeRate> of(List<Json> synchronisations) {
        var measured = synchronisations.stream()
                .filter(each ->
                        !each.at("result").at("report").at("base").text().isEmpty())
                .toList();
        if (measured.size() < 2) {
            return Optional.empty();
        }
        var newest = Instant.parse(measured.getFirst().at("createdAt").text());
        var oldest = Instant.parse(measured.getLast().at("createdAt").text());
        long millis = Duration.between(oldest, newest).toMillis();
        if (millis <= 0) {
            return Optional.empty();
        }
        long bytes = measured.subList(0, measured.size() - 1).stream()
                .mapToLong(each ->
                        each.at("result").at("report").at("changedBytes").number())
                .sum();
        return Optional.of(new ChangeRate((double) bytes / millis));
    }

    long bytesIn(Duration time) {
        return Math.round(bytesPerMilli * time.toMillis());
    }
}
