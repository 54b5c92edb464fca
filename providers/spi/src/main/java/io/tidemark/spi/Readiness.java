package io.tidemark.spi;

import java.time.Duration;

/** Whether a snapshot's bytes can be read yet. */
public sealed interface Readiness {
    record Ready() implements Readiness {}

    /** @param progress 0 to 1 */
    record Pending(double progress, Duration askAgainAfter) implements Readiness {}

    record Failed(ProviderError error) implements Readiness {}
}
