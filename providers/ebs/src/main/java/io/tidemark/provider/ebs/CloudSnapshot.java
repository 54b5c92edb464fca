package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.SnapshotId;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A snapshot as EC2 tells of it.
 *
 * @param state {@code pending}, {@code completed}, {@code error}, {@code recoverable}, {@code recovering}
 * @param progress 0 to 1
 * @param message why it is in error; else empty
 */
record CloudSnapshot(
        String id,
        String volume,
        long sizeBytes,
        String state,
        double progress,
        String message,
        String tier,
        Instant startedAt,
        Map<String, String> tags) {

    static final long GIB = 1L << 30;
    /** Amazon's own waiter asks as often. */
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);

    /** One of a chain, or a copy of one, has its volume's size in its tags, the first the time of its cut too; others' tags of that name are passed over. */
    CloudSnapshot asCut() {
        if (chainNumber().isEmpty() && !tags.containsKey(EbsNames.COPY_OF)) {
            return this;
        }
        long size = sizeBytes;
        var told = tags.getOrDefault(EbsNames.SIZE, "");
        if (told.matches("[0-9]{1,15}")
                && Long.parseLong(told) <= sizeBytes
                && Long.parseLong(told) > sizeBytes - GIB) {
            size = Long.parseLong(told);
        }
        var at = startedAt;
        try {
            at = Instant.parse(tags.getOrDefault(EbsNames.CUT_AT, ""));
        } catch (DateTimeParseException e) {
            // A copy, whose time is its own; or somebody has changed our tag: Amazon's own time is near.
        }
        return new CloudSnapshot(id, volume, size, state, progress, message, tier, at, tags);
    }

    CloudSnapshot tagged(Map<String, String> more) {
        var all = new LinkedHashMap<>(tags);
        all.putAll(more);
        return new CloudSnapshot(id, volume, sizeBytes, state, progress, message, tier, startedAt, all);
    }

    /** @param snapshot what it is called here */
    Readiness readiness(SnapshotId snapshot) {
        if (!tier.equals("standard")) {
            return new Readiness.Failed(new ProviderError.Conflict(
                    snapshot.toString(),
                    "%s lies in the archive: fetch it back first, which takes up to 72 h: tidemark snapshots"
                                    .formatted(id())
                            + " restore-from-archive " + snapshot));
        }
        return switch (state) {
            case "completed" -> new Readiness.Ready();
            case "error" -> new Readiness.Failed(new ProviderError.Corrupt(snapshot.toString(), message));
            case "recoverable" ->
                new Readiness.Failed(new ProviderError.Conflict(
                        snapshot.toString(), id + " is in the recycle bin: tidemark snapshots undelete " + snapshot));
            default -> new Readiness.Pending(progress, ASK_AGAIN);
        };
    }

    /** Of the layer of a chain that it was made of; none: it is of a volume of Amazon's. */
    OptionalInt chainNumber() {
        var number = tags.getOrDefault(EbsNames.CHAIN, "");
        return number.matches("[0-9]{1,9}") ? OptionalInt.of(Integer.parseInt(number)) : OptionalInt.empty();
    }
}
