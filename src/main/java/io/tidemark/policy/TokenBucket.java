package io.tidemark.policy;

/**
 * Lets bytes pass at a rate: what passes is owed, and nothing more passes until it is paid off. Immutable; the rate may
 * be another one each time.
 *
 * @param creditBytes negative: owed
 * @param atNanos when that was so
 */
public record TokenBucket(double creditBytes, long atNanos) {
    private static final double NANOS_PER_SECOND = 1e9;
    /** Credit that a pause may build up: what 50 ms bring. More would be a burst that the foreground feels. */
    private static final double BURST_SECONDS = 0.05;

    public static TokenBucket empty(long nowNanos) {
        return new TokenBucket(0, nowNanos);
    }

    /**
     * Until more may pass.
     *
     * @param bytesPerSecond at least 1
     * @return nanoseconds; 0: now
     */
    public long waitNanos(long bytesPerSecond, long nowNanos) {
        double credit = credit(bytesPerSecond, nowNanos);
        return credit < 0 ? Math.max(1, (long) Math.ceil(-credit / bytesPerSecond * NANOS_PER_SECOND)) : 0;
    }

    /**
     * So much has passed, whether it was to wait or not.
     *
     * @param bytes negative: less passed than was said before
     * @param bytesPerSecond at least 1
     */
    public TokenBucket passed(long bytes, long bytesPerSecond, long nowNanos) {
        double credit = Math.min(credit(bytesPerSecond, nowNanos) - bytes, bytesPerSecond * BURST_SECONDS);
        return new TokenBucket(credit, Math.max(nowNanos, atNanos));
    }

    private double credit(long bytesPerSecond, long nowNanos) {
        if (bytesPerSecond < 1) {
            throw new IllegalArgumentException("rate is not positive: " + bytesPerSecond);
        }
        double earned = Math.max(0, nowNanos - atNanos) / NANOS_PER_SECOND * bytesPerSecond;
        return Math.min(creditBytes + earned, bytesPerSecond * BURST_SECONDS);
    }
}
