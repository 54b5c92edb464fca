package io.tidemark.provider.fakecloud;

/** What may go wrong with one call; one vocabulary for all clouds. */
public enum Fault {
    NONE,
    /** Refused for too many requests, in the words of the cloud; no effect. */
    THROTTLE,
    /** HTTP 500; no effect. */
    ERROR_BEFORE,
    /** HTTP 500 although the call took effect. */
    ERROR_AFTER,
    /** The connection is reset; no effect. */
    CUT_BEFORE,
    /** The connection is reset although the call took effect. */
    CUT_AFTER,
    /** The next lists that would show the new thing do not. */
    INVISIBLE,
    /** A page with nothing on it and a token of a next page. */
    EMPTY_PAGE,
    /** The token that the call carries, of a page or of a block, has expired for good. */
    EXPIRE_TOKEN,
    /** The new thing stays unfinished for long. */
    STUCK,
    /** The new thing ends in an error state. */
    END_IN_ERROR;

    /** Whether a call of that kind can suffer this. */
    public boolean befalls(CallKind kind) {
        return switch (this) {
            case NONE, THROTTLE, ERROR_BEFORE, CUT_BEFORE -> true;
            case ERROR_AFTER, CUT_AFTER -> kind == CallKind.CREATE || kind == CallKind.CHANGE;
            case INVISIBLE, STUCK, END_IN_ERROR -> kind == CallKind.CREATE;
            case EMPTY_PAGE -> kind == CallKind.LIST;
            case EXPIRE_TOKEN -> kind == CallKind.LIST || kind == CallKind.READ;
        };
    }
}
