package io.tidemark.store;

import io.tidemark.control.port.StateException;
import java.io.Serial;

/** The database could not be opened, read or written; nothing of the attempted write is kept. */
public final class StoreException extends StateException {
    @Serial
    private static final long serialVersionUID = 1L;

    public StoreException(String message) {
        super(message);
    }

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
