package io.tidemark.export.protocol;

import java.io.Serial;

/** The client does not keep to the protocol, so that nothing after it could be understood: the connection ends. */
public final class NbdException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    public NbdException(String message) {
        super(message);
    }
}
