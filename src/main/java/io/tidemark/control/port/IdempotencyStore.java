package io.tidemark.control.port;

import java.time.Instant;
import java.util.Optional;

/** Keeps idempotency keys: what was asked with each, which id it makes, and what was answered. */
public interface IdempotencyStore {

    /**
     * @param requestHash of the first request with this key
     * @param idBody body of the id of what the request makes
     * @param answer what was answered; empty while it acts, or after a crash in the middle
     * @param fresh whether this call made the reservation
     */
    record Reservation(String requestHash, String idBody, Optional<String> answer, boolean fresh) {}

    /** Reserves the key, or answers the reservation that is there and has not expired. */
    Reservation reserve(String key, String requestHash, String idBody, Instant now, Instant expiresAt);

    void answered(String key, String answer);

    /** Forgets a key whose request changed nothing. */
    void release(String key);

    int forgetExpired(Instant now);
}
