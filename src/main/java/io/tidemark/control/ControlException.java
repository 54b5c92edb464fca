package io.tidemark.control;

import java.io.Serial;

/** Carries a {@link ControlError}. */
public final class ControlException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient ControlError error;

    public ControlException(ControlError error) {
        super(error.message());
        this.error = error;
    }

    public ControlError error() {
        return error;
    }
}
