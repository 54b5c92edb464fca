package io.tidemark.control.port;

import java.io.Serial;

/**
 * The site's own state cannot be read or written: disk full, file damaged, database closed. Unchecked, since no use
 * case can do anything about it but end; nothing of the attempted write is kept.
 */
public class StateException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public StateException(String message) {
        super(message);
    }

    public StateException(String message, Throwable cause) {
        super(message, cause);
    }
}
