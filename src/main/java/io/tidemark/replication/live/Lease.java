package io.tidemark.replication.live;

/**
 * The right to be primary, given to one copy at a time.
 *
 * @param token the fencing token: higher each time that another copy than before is given it, the same when it is renewed
 * @param until its end, on the clock of {@link LiveCopy#on}
 */
public record Lease(long token, long until) {
    /** Of a copy that is not fenced. */
    public static final Lease NONE = new Lease(0, 0);
}
