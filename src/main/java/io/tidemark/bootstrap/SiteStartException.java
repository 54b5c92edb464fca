package io.tidemark.bootstrap;

import java.io.Serial;

/** The site could not start; the message names what stood in the way and the way out. Nothing keeps running. */
public final class SiteStartException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    SiteStartException(String message) {
        super(message);
    }

    SiteStartException(String message, Throwable cause) {
        super(message, cause);
    }
}
