package io.tidemark.agent.remote;

import java.io.Serial;

/** Long work is begun, or may be, and what it came to cannot be told now: no failure, but to be asked again. */
final class AskAgainException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /** @param reason one lower-case phrase */
    AskAgainException(String reason) {
        super(reason);
    }

    AskAgainException(String reason, Throwable cause) {
        super(reason, cause);
    }
}
