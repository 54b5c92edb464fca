package io.tidemark.bootstrap;

import java.io.Serial;

/** The configuration is not usable; the message names file, line, key, what is allowed. */
public final class SettingsException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    SettingsException(String message) {
        super(message);
    }
}
