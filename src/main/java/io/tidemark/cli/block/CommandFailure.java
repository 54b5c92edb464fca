package io.tidemark.cli.block;

import java.io.Serial;

/** Ends a command with a message, what to do about it, and an exit code. */
final class CommandFailure extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int exitCode;
    private final String advice;

    CommandFailure(int exitCode, String message, String advice) {
        super(message);
        this.exitCode = exitCode;
        this.advice = advice;
    }

    int exitCode() {
        return exitCode;
    }

    String advice() {
        return advice;
    }

    String text() {
        return String.valueOf(getMessage());
    }
}
