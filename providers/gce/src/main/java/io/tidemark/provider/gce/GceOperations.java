package io.tidemark.provider.gce;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** Looks at work of a disk that Google has taken on. Safe for several threads. */
record GceOperations(GceCalls calls, Attempts attempts, InstantSource clock) {

    /**
     * Whether Google is still at it. Where not, who asks looks at what is there, and begins anew what is not: work that
     * is over, that Google no longer knows, and work that ended for want of what passes, a quota or a rate, once the
     * time for that has passed since its end.
     *
     * @param about for the error: what was asked for
     * @throws ProviderException Busy until then; else the error that it ended with
     */
    boolean isUnderWay(String about, GceLocation place, String name) throws ProviderException {
        var found = attempts.until(() -> calls.operation(place, name));
        if (found.isEmpty()) {
            return false;
        }
        var operation = found.get();
        if (!operation.errorCode().isEmpty()) {
            refuseUntilPassed(about, operation);
            return false;
        }
        return !operation.done();
    }

    private void refuseUntilPassed(String about, CloudOperation failed) throws ProviderException {
        var failure = GceFailures.exception(about, failed);
        if (!(failure.error() instanceof ProviderError.Busy busy)) {
            throw failure;
        }
        Instant now = clock.instant();
        Instant again = failed.endedAt().plus(busy.retryAfter());
        // An end that is still to come by our clock says that the clocks differ: waiting for it might never end.
        if (now.isBefore(failed.endedAt()) || !now.isBefore(again)) {
            return;
        }
        throw new ProviderException(new ProviderError.Busy(busy.object(), busy.holder(), Duration.between(now, again)));
    }
}
