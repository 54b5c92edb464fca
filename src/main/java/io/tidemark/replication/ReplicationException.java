package io.tidemark.replication;

import java.io.Serial;

/** Carries a {@link ReplicationError}. */
public final class ReplicationException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient ReplicationError error;

    public ReplicationException(ReplicationError error) {
        super(error.message());
        this.error = error;
    }

    public ReplicationException(ReplicationError error, Throwable cause) {
        super(error.message(), cause);
        this.error = error;
    }

    public ReplicationError error() {
        return error;
    }
}
