package io.tidemark.consistency;

import java.io.Serial;

/** Carries a {@link ConsistencyError}. */
public final class ConsistencyException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient ConsistencyError error;

    public ConsistencyException(ConsistencyError error) {
        super(error.message());
        this.error = error;
    }

    public ConsistencyException(ConsistencyError error, Throwable cause) {
        super(error.message(), cause);
        this.error = error;
    }

    public ConsistencyError error() {
        return error;
    }
}
