package io.tidemark.benchmark;

import java.io.Serial;

/** A measure cannot be taken on this machine; the message says what is missing. */
final class Skipped extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    Skipped(String reason) {
        super(reason);
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
