package io.tidemark.policy;

import io.tidemark.spi.DurationText;
import io.tidemark.spi.PublishedLimit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Whether a storage's published limits let a schedule be kept, before anything runs. Pure. */
public final class ScheduleCheck {
    private ScheduleCheck() {}

    /**
     * Of one kind of snapshot that the storage has.
     *
     * @param obstacles each with the nearest that is possible; none: it is possible
     */
    public record Verdict(String snapshotClass, List<Obstacle> obstacles) {
        public Verdict {
            obstacles = List.copyOf(obstacles);
        }

        public boolean possible() {
            return obstacles.isEmpty();
        }
    }

    /** @param nearest what the schedule would have to be, in words */
    public record Obstacle(String what, String nearest, PublishedLimit limit) {}

    /** One verdict for each kind of snapshot, in the order in which the limits name them. */
    public static List<Verdict> of(SnapshotSchedule schedule, List<PublishedLimit> limits) {
        Map<String, List<Obstacle>> found = new LinkedHashMap<>();
        for (var limit : limits) {
            var obstacles = found.computeIfAbsent(limit.snapshotClass(), unused -> new ArrayList<>());
            obstacle(schedule, limit).ifPresent(obstacles::add);
        }
        return found.entrySet().stream()
                .map(entry -> new Verdict(entry.getKey(), entry.getValue()))
                .toList();
    }

    private static Optional<Obstacle> obstacle(SnapshotSchedule schedule, PublishedLimit limit) {
        return switch (limit.kind()) {
            case CUTS_OF_VOLUME -> rate(schedule, limit);
            case SNAPSHOTS_OF_VOLUME ->
                schedule.keep() <= limit.count()
                        ? Optional.empty()
                        : Optional.of(new Obstacle(
                                "%d snapshots of a volume, at most %d".formatted(schedule.keep(), limit.count()),
                                "keep %d".formatted(limit.count()),
                                limit));
            case SNAPSHOTS_OF_ACCOUNT -> total(schedule, limit);
            // How long a copy takes is known once it has been made.
            case UNFINISHED_OF_VOLUME, COPIES_INTO_REGION, DISKS_OF_INSTANCE -> Optional.empty();
        };
    }

    /** In any window of the limit's time there are as many cuts as intervals fit, the last one begun too. */
    private static Optional<Obstacle> rate(SnapshotSchedule schedule, PublishedLimit limit) {
        long windowMillis = limit.per().toMillis();
        long everyMillis = schedule.every().toMillis();
        long cuts = (windowMillis + everyMillis - 1) / everyMillis;
        if (cuts <= limit.count()) {
            return Optional.empty();
        }
        // In whole seconds, which nobody has to calculate with.
        var nearest = Duration.ofSeconds(Math.ceilDiv(windowMillis, limit.count() * 1_000));
        return Optional.of(new Obstacle(
                "%d cuts of a volume in %s, at most %d".formatted(cuts, DurationText.of(limit.per()), limit.count()),
                "every " + DurationText.of(nearest),
                limit));
    }

    private static Optional<Obstacle> total(SnapshotSchedule schedule, PublishedLimit limit) {
        long all = (long) schedule.keep() * schedule.volumes();
        if (all <= limit.count()) {
            return Optional.empty();
        }
        long keep = limit.count() / schedule.volumes();
        var nearest = keep > 0 ? "keep %d".formatted(keep) : "%d volumes in this account".formatted(limit.count());
        return Optional.of(new Obstacle(
                "%d snapshots of %d volumes, at most %d in an account and region"
                        .formatted(all, schedule.volumes(), limit.count()),
                nearest,
                limit));
    }
}
