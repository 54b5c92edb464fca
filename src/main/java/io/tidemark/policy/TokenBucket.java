package io.tidemark.policy;

/**
 * Lets bytes pass at a rate: what passes is owed, and nothing more passes until it is paid off. Immutable; the rate may
 * be another one at each asking.
 *
 * @param creditBytes negative: owed
 * @param atNanos when that was so
 */
public record TokenBucket(double creditBytes, long atNanos) {
    private static final double NANOS_PER_SECOND = 1e9;
    /** Credit that a pause may build up: what 50 ms bring. More would be a burst that the foreground feels. */
    private static final double BURST_SECONDS = 0.05;

    /**
     * What an asking came to.
     *
     * @param waitNanos 0: the bytes have passed; else the bucket is as it was
     */
    public record Answer(TokenBucket bucket, long waitNanos) {}

    public static TokenBucket empty(long nowNanos) {
        return new TokenBucket(0, nowNanos);
    }

    /** @param bytesPerSecond at least 1 */
    public Answer take(long bytes, long bytesPerSecond, long nowNanos) {
        if (bytesPerSecond < 1) {
            throw new IllegalArgumentException("rate is not positive: " + bytesPerSecond);
        }
        double earned = Math.max(0, nowNanos - atNanos) / NANOS_PER_SECOND * bytesPerSecond;
        double credit = Math.min(creditBytes + earned, bytesPerSecond * BURST_SECONDS);
        if (credit < 0) {
            return new Answer(this, Math.max(1, (long) Math.ceil(-credit / bytesPerSecond * NANOS_PER_SECOND)));
        }
        return new Answer(new TokenBucket(credit - bytes, nowNanos), 0);
    }
}
