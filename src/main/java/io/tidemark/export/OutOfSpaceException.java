package io.tidemark.export;

import java.io.IOException;
import java.io.Serial;

/** There is no room for what is to be written. */
final class OutOfSpaceException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    OutOfSpaceException(String message) {
        super(message);
    }
}
