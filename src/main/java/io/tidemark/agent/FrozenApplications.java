package io.tidemark.agent;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.Quiescer;
import io.tidemark.domain.Certificate;
import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The applications of one recovery point, frozen in order, asked and thawed in reverse. Owned by one thread. */
final class FrozenApplications implements AutoCloseable {
    private final List<Held> held = new ArrayList<>();

    private record Held(Quiescer quiescer, Frozen frozen) {}

    void freeze(Quiescer quiescer, RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
        held.add(new Held(quiescer, quiescer.freeze(recoveryPoint, limit)));
    }

    /** @throws ConsistencyException where one could not be held, or all of them took too much of the limit */
    void hold(Duration limit) throws ConsistencyException {
        long started = System.nanoTime();
        for (var each : held) {
            each.frozen().hold(limit);
            var taken = Duration.ofNanos(System.nanoTime() - started);
            if (taken.compareTo(Frozen.holdingLimit(limit)) > 0) {
                throw new ConsistencyException(new ConsistencyError.FreezeFailed(
                        each.quiescer().kind(),
                        each.quiescer().subject(),
                        "its writers were held after %d ms, more than half of the freeze limit of %d ms; nothing would be left for the cut"
                                .formatted(taken.toMillis(), limit.toMillis())));
            }
        }
    }

    boolean any() {
        return !held.isEmpty();
    }

    /** Asks each whether it held, then thaws it. Evidence of one name from several applications is told apart. */
    Frozen.Release askAndThaw() {
        List<Certificate.Freeze> freezes = new ArrayList<>();
        Map<String, String> evidence = new LinkedHashMap<>();
        for (var each : held.reversed()) {
            boolean heldUntilNow = each.frozen().heldUntilNow();
            var release = each.frozen().thaw();
            freezes.addAll(
                    0, heldUntilNow ? release.freezes() : release.notHeld().freezes());
            release.evidence().forEach((name, text) -> evidence.put(evidenceName(each.quiescer(), name), text));
        }
        return new Frozen.Release(freezes, evidence);
    }

    private String evidenceName(Quiescer quiescer, String name) {
        return held.size() == 1 ? name : "%s %s/%s".formatted(quiescer.kind(), quiescer.subject(), name);
    }

    @Override
    public void close() {
        RuntimeException first = null;
        for (var each : held.reversed()) {
            try {
                each.frozen().close();
            } catch (RuntimeException e) {
                // The others are still held.
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
