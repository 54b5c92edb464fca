package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.control.port.RecoveryPointStore;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at new recovery points until all their snapshots can be read, or never will: some storage makes them in steps after
 * the cut, and takes the next one when it is asked.
 */
final class NewPoints {
    private static final Logger log = LoggerFactory.getLogger(NewPoints.class);

    /** The newest alone; one that is older and not readable yet is asked about when somebody uses it. */
    private static final int LOOKED_AT_MAXIMUM = 100;

    private static final Duration PAUSE_FIRST = Duration.ofMinutes(1);
    private static final Duration PAUSE_MAXIMUM = Duration.ofMinutes(10);

    private final RecoveryPointStore points;
    private final Providers providers;
    private final Set<RecoveryPointId> settled = new HashSet<>();
    private final Map<RecoveryPointId, Next> waiting = new HashMap<>();

    /** @param pause before the look after it, half the one after that */
    private record Next(Instant at, Duration pause) {
        Next again(Instant now) {
            var longer = pause.multipliedBy(2);
            return new Next(now.plus(pause), longer.compareTo(PAUSE_MAXIMUM) < 0 ? longer : PAUSE_MAXIMUM);
        }
    }

    NewPoints(RecoveryPointStore points, Providers providers) {
        this.points = points;
        this.providers = providers;
    }

    void look(Instant now) {
        var newest = points.page(Optional.empty(), OptionalLong.empty(), LOOKED_AT_MAXIMUM)
                .items();
        for (var point : newest) {
            var next = waiting.getOrDefault(point.id(), new Next(now, PAUSE_FIRST));
            if (settled.contains(point.id()) || next.at().isAfter(now)) {
                continue;
            }
            if (isSettled(point)) {
                settled.add(point.id());
            } else {
                waiting.put(point.id(), next.again(now));
            }
        }
        var ids = newest.stream().map(RecoveryPoint::id).collect(Collectors.toSet());
        settled.retainAll(ids);
        waiting.keySet().retainAll(ids);
    }

    private boolean isSettled(RecoveryPoint point) {
        boolean all = true;
        for (var member : point.members()) {
            var snapshot = member.snapshot();
            try {
                switch (providers.of(snapshot.volume()).readiness(snapshot)) {
                    case Readiness.Ready() -> {}
                    case Readiness.Pending ignored -> all = false;
                    case Readiness.Failed(var error) -> {
                        // Not the end: somebody may grant the right that lacks, and some storage makes it again.
                        all = false;
                        log.error("recovery_point.unreadable snapshot={} {}", snapshot, error.message());
                    }
                }
            } catch (ProviderException failure) {
                all = false;
                if (failure.error().retryable()) {
                    log.debug("recovery_point.not_looked_at snapshot={} {}", snapshot, failure.getMessage());
                } else {
                    log.error("recovery_point.unreadable snapshot={} {}", snapshot, failure.getMessage());
                }
            }
        }
        return all;
    }
}
