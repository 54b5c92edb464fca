package io.tidemark.control;

import io.tidemark.control.port.OperationStore;
import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks again and again for what an operation may have made that did not succeed: in a cloud a snapshot whose creation was
 * not answered may be shown minutes later, and a storage that refused its deletion may grant it. Goes on with deletions of
 * recovery points that could not be finished, too, and with {@link NewPoints}.
 */
final class LateSweep {
    private static final Logger log = LoggerFactory.getLogger(LateSweep.class);

    /** After the operation's end; the longest delay that was reported of a cloud is 2 minutes (coldsnap, issue 43). */
    static final List<Duration> LOOKS = List.of(
            Duration.ofMinutes(1),
            Duration.ofMinutes(5),
            Duration.ofMinutes(15),
            Duration.ofMinutes(30),
            Duration.ofMinutes(60));

    /** A storage that could not be asked at the last look is asked until then; after that the next start looks. */
    static final Duration GIVEN_UP_AFTER = Duration.ofDays(1);

    private static final Duration EVERY = Duration.ofMinutes(1);
    private static final Duration AGAIN_AFTER = Duration.ofMinutes(10);
    private static final Duration DELETIONS_EVERY = Duration.ofMinutes(10);

    private final OperationStore operations;
    private final OrphanSweep sweep;
    private final DeleteRecoveryPoint deletions;
    private final NewPoints newPoints;
    private final InstantSource clock;
    /** How many of the looks at it are done. */
    private final Map<RecoveryPointId, Integer> done = new HashMap<>();

    /** Those that somebody could not be asked about. */
    private final Map<RecoveryPointId, Instant> notBefore = new HashMap<>();

    private Instant deletionsAt;
    private @Nullable Thread thread;

    LateSweep(
            OperationStore operations,
            OrphanSweep sweep,
            DeleteRecoveryPoint deletions,
            NewPoints newPoints,
            InstantSource clock) {
        this.newPoints = newPoints;
        this.operations = operations;
        this.sweep = sweep;
        this.deletions = deletions;
        this.clock = clock;
        this.deletionsAt = clock.instant().plus(DELETIONS_EVERY);
    }

    synchronized void start() {
        thread = Thread.ofVirtual().name("late-sweep").start(this::loop);
    }

    private void loop() {
        while (true) {
            try {
                Thread.sleep(EVERY);
                look();
            } catch (InterruptedException stop) {
                return;
            } catch (RuntimeException failure) {
                log.error("late_sweep.look_failed", failure);
            }
        }
    }

    /** Looks for what is due now. */
    void look() throws InterruptedException {
        var now = clock.instant();
        sweep(now);
        if (!deletionsAt.isAfter(now)) {
            deletionsAt = now.plus(DELETIONS_EVERY);
            deletions.recover();
        }
        newPoints.look(now);
    }

    private void sweep(Instant now) throws InterruptedException {
        var wanted = operations.unsuccessfulSince(now.minus(GIVEN_UP_AFTER));
        // One that has failed in this look is not asked again in it, however many there are.
        var silent = new HashSet<String>();
        for (var each : wanted) {
            long passed = LOOKS.stream()
                    .filter(after -> !each.endedAt().plus(after).isAfter(now))
                    .count();
            boolean due = passed > done.getOrDefault(each.id(), 0)
                    && !notBefore.getOrDefault(each.id(), now).isAfter(now);
            if (due && sweep.run(each.id(), silent)) {
                done.put(each.id(), (int) passed);
            } else if (due) {
                notBefore.put(each.id(), now.plus(AGAIN_AFTER));
            }
        }
        var ids = wanted.stream().map(OperationStore.MayHaveMade::id).collect(Collectors.toSet());
        done.keySet().retainAll(ids);
        notBefore.keySet().retainAll(ids);
    }

    /** Does nothing where it was not started. What is being deleted may go on for seconds. */
    synchronized void stop() {
        if (thread != null) {
            thread.interrupt();
        }
    }
}
