package io.tidemark.export.protocol;

/** Errors that a request can be answered with. */
public enum NbdError {
    NONE(0),
    NOT_PERMITTED(1),
    IO(5),
    INVALID(22),
    NO_SPACE(28),
    OVERFLOW(75),
    SHUTDOWN(108);

    private final int code;

    NbdError(int code) {
        this.code = code;
    }

    /** As on the wire: the number of the like errno of Linux. */
    public int code() {
        return code;
    }
}
