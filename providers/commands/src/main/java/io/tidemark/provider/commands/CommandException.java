package io.tidemark.provider.commands;

import java.io.Serial;

/** Carries a {@link CommandError}; decide by {@code switch} over it. */
public final class CommandException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient CommandError error;

    public CommandException(CommandError error) {
        super(error.message());
        this.error = error;
    }

    public CommandException(CommandError error, Throwable cause) {
        super(error.message(), cause);
        this.error = error;
    }

    public CommandError error() {
        return error;
    }
}
