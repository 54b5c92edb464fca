package io.tidemark.attach;

import java.io.Serial;

/** An export cannot be attached or detached; the message names what is in the way. */
public final class AttachException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final String advice;

    AttachException(String message, String advice) {
        super(message);
        this.advice = advice;
    }

    /** The way out. */
    public String advice() {
        return advice;
    }
}
