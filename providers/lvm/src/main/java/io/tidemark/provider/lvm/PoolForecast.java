package io.tidemark.provider.lvm;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * When a thin pool, or a store, will be full, from how it was filled so far. What is measured is the pool's own use, so that a write of
 * one byte counts as the chunk it maps. Only what came in counts, not what deletions gave back in between: they do not
 * repeat by themselves. Pure: time comes with the samples.
 *
 * @param dataBytes size of the pool's data
 * @param metadataBytes size of its metadata
 * @param samples in order of time
 */
record PoolForecast(long dataBytes, long metadataBytes, List<Sample> samples) {
    /** A rate from less says more of chance than of the pool. */
    static final Duration SPAN_MINIMUM = Duration.ofSeconds(60);

    /** Beyond this an estimate helps nobody. */
    static final Duration LEFT_MAXIMUM = Duration.ofDays(365);

    PoolForecast {
        samples = List.copyOf(samples);
    }

    record Sample(Instant at, long usedDataBytes, long usedMetadataBytes) {}

    /** Empty where nothing came in, or too little time has been seen. */
    Optional<Duration> dataLeft() {
        return left(dataBytes, Sample::usedDataBytes);
    }

    Optional<Duration> metadataLeft() {
        return left(metadataBytes, Sample::usedMetadataBytes);
    }

    private Optional<Duration> left(long sizeBytes, ToLongFunction<Sample> used) {
        if (samples.size() < 2) {
            return Optional.empty();
        }
        var span = Duration.between(samples.getFirst().at(), samples.getLast().at());
        long cameIn = 0;
        for (int i = 1; i < samples.size(); i++) {
            cameIn += Math.max(0, used.applyAsLong(samples.get(i)) - used.applyAsLong(samples.get(i - 1)));
        }
        if (span.compareTo(SPAN_MINIMUM) < 0 || cameIn == 0) {
            return Optional.empty();
        }
        long freeBytes = Math.max(0, sizeBytes - used.applyAsLong(samples.getLast()));
        double seconds = (double) freeBytes * span.toMillis() / 1_000 / cameIn;
        return Optional.of(Duration.ofSeconds((long) Math.min(seconds, (double) LEFT_MAXIMUM.toSeconds())));
    }

    /** For people: {@code at the present rate data are full in 3 h, metadata in 40 d}; empty where there is no rate. */
    Optional<String> note() {
        var data = dataLeft().map(left -> "data are full in " + text(left));
        var metadata = metadataLeft().map(left -> "metadata are full in " + text(left));
        return data.map(first -> metadata.map(second -> first + ", " + second).orElse(first))
                .or(() -> metadata)
                .map(text -> "at the present rate " + text);
    }

    private static String text(Duration left) {
        if (left.compareTo(LEFT_MAXIMUM) >= 0) {
            return "more than a year";
        }
        if (left.toDays() >= 2) {
            return left.toDays() + " d";
        }
        return left.toHours() >= 2 ? left.toHours() + " h" : left.toMinutes() + " min";
    }
}
