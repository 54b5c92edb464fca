package io.tidemark.spi;

import java.time.Duration;

/** Long work, one step on: done, or running under a handle that survives us. */
public sealed interface Step<T> {
    record Done<T>(T result) implements Step<T> {}

    /** @param progress 0 to 1 */
    record Running<T>(Handle handle, double progress, Duration askAgainAfter) implements Step<T> {}
}
