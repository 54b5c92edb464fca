package io.tidemark.control;

import io.tidemark.control.port.IdempotencyStore;
import io.tidemark.domain.Ids;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Acts once for each idempotency key and answers repetitions as the first time. */
public final class IdempotentRequests {
    /** A client that retries for longer than a day has lost more than an answer. */
    public static final Duration REMEMBERED = Duration.ofHours(24);
    /** A request takes seconds at most; what it starts goes on without it. */
    private static final Duration IN_FLIGHT_RETRY = Duration.ofSeconds(1);
    /** Kept instead of an answer that held a secret. */
    private static final String SHOWN_ONCE = "";

    private final IdempotencyStore store;
    private final Ids ids;
    private final InstantSource clock;
    private final Set<String> inFlight = ConcurrentHashMap.newKeySet();

    IdempotentRequests(IdempotencyStore store, Ids ids, InstantSource clock) {
        this.store = store;
        this.ids = ids;
        this.clock = clock;
    }

    /** What the request does; answers text that can be given again. */
    @FunctionalInterface
    public interface Act {
        String of(Intent intent) throws Exception;
    }

    /**
     * Acts, or answers what the first request with this key was answered. A failure is not remembered: the same key may
     * be tried again.
     *
     * @param requestHash of everything that makes two requests the same
     * @param secret whether the answer must not be kept
     */
    public String once(Optional<String> key, String requestHash, boolean secret, Act act) throws Exception {
        if (key.isEmpty()) {
            return act.of(new Intent(newBody(), false));
        }
        String keyValue = key.orElseThrow();
        if (!inFlight.add(keyValue)) {
            throw new ControlException(new ControlError.IdempotencyInFlight(keyValue, IN_FLIGHT_RETRY));
        }
        try {
            return reserved(keyValue, requestHash, secret, act);
        } finally {
            inFlight.remove(keyValue);
        }
    }

    private String reserved(String key, String requestHash, boolean secret, Act act) throws Exception {
        var now = clock.instant();
        var reservation = store.reserve(key, requestHash, newBody(), now, now.plus(REMEMBERED));
        if (!reservation.requestHash().equals(requestHash)) {
            throw new ControlException(new ControlError.IdempotencyMismatch(key));
        }
        if (reservation.answer().isPresent()) {
            String answer = reservation.answer().orElseThrow();
            if (answer.equals(SHOWN_ONCE)) {
                throw new ControlException(new ControlError.ShownOnce(key));
            }
            return answer;
        }
        String answer;
        try {
            answer = act.of(new Intent(reservation.idBody(), !reservation.fresh()));
        } catch (Exception failure) {
            store.release(key);
            throw failure;
        }
        store.answered(key, secret ? SHOWN_ONCE : answer);
        return answer;
    }

    private String newBody() {
        String operation = ids.operation().value();
        return operation.substring(operation.indexOf('-') + 1);
    }
}
