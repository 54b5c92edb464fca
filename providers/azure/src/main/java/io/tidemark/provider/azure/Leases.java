package io.tidemark.provider.azure;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Signatures that are in use: one a snapshot, shared by all that read it, for ending one ends all of that snapshot's;
 * ended when nobody reads it any more. At most five snapshots of a disk have one at a time ("Restrictions of
 * incremental snapshots"): who comes then waits a while.
 */
final class Leases {
    static final int OF_FAMILY_MAXIMUM = 5;
    private static final int STRIPES = 64;

    private final AccessCalls calls;
    private final Duration waitMaximum;
    private final Map<String, Lease> leases = new HashMap<>();
    private final Map<String, Semaphore> families = new ConcurrentHashMap<>();
    private final Object[] stripes = new Object[STRIPES];

    /** Opens one snapshot until it is closed. */
    final class Lease {
        private final CloudSnapshot snapshot;
        private URI address;
        private int users = 1;

        private Lease(CloudSnapshot snapshot, URI address) {
            this.snapshot = snapshot;
            this.address = address;
        }

        URI address() {
            synchronized (stripe(snapshot)) {
                return address;
            }
        }

        /** What who is refused all the same has not. */
        String lacking() {
            return snapshot.network().lacking();
        }

        /** After the service has refused it; of several that ask at once, one does. */
        void renew(URI refused) throws ProviderException {
            synchronized (stripe(snapshot)) {
                if (address.equals(refused)) {
                    address = granted(snapshot);
                }
            }
        }

        /**
         * Once by each that acquired it. Where the end fails, the signature ends by itself after {@link
         * AccessCalls#DURATION}.
         */
        void release() throws ProviderException {
            synchronized (stripe(snapshot)) {
                if (--users > 0) {
                    return;
                }
                forget(snapshot);
                try {
                    calls.end(snapshot);
                } finally {
                    permits(snapshot).release();
                }
            }
        }
    }

    Leases(AccessCalls calls, Duration waitMaximum) {
        this.calls = calls;
        this.waitMaximum = waitMaximum;
        java.util.Arrays.setAll(stripes, index -> new Object());
    }

    /** @throws ProviderException Busy where five others of the disk are read and none ends in time */
    Lease acquire(CloudSnapshot snapshot) throws ProviderException {
        var shared = shared(snapshot);
        if (shared != null) {
            return shared;
        }
        await(snapshot);
        boolean isTaken = false;
        try {
            synchronized (stripe(snapshot)) {
                var other = shared(snapshot);
                if (other != null) {
                    return other;
                }
                var lease = new Lease(snapshot, granted(snapshot));
                synchronized (leases) {
                    leases.put(snapshot.id(), lease);
                }
                isTaken = true;
                return lease;
            }
        } finally {
            if (!isTaken) {
                permits(snapshot).release();
            }
        }
    }

    /**
     * Under the snapshot's stripe, and while nobody has one that opens anything. Where it fails Azure may have given
     * one all the same, which nobody knows and which would count among the five.
     */
    private URI granted(CloudSnapshot snapshot) throws ProviderException {
        try {
            return calls.grant(snapshot);
        } catch (ProviderException | RuntimeException failure) {
            try {
                calls.end(snapshot);
            } catch (ProviderException left) {
                failure.addSuppressed(left);
            }
            throw failure;
        }
    }

    private @org.jspecify.annotations.Nullable Lease shared(CloudSnapshot snapshot) {
        synchronized (stripe(snapshot)) {
            synchronized (leases) {
                var lease = leases.get(snapshot.id());
                if (lease != null) {
                    lease.users++;
                }
                return lease;
            }
        }
    }

    private void forget(CloudSnapshot snapshot) {
        synchronized (leases) {
            leases.remove(snapshot.id());
        }
    }

    private void await(CloudSnapshot snapshot) throws ProviderException {
        try {
            if (permits(snapshot).tryAcquire(waitMaximum.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProviderException(
                    new ProviderError.Unreachable("Azure, for access to " + snapshot.name(), "interrupted"), e);
        }
        throw new ProviderException(new ProviderError.Busy(
                snapshot.id(),
                "readers of %d other snapshots of its disk, which is Azure's maximum".formatted(OF_FAMILY_MAXIMUM),
                Duration.ofMinutes(1)));
    }

    private Semaphore permits(CloudSnapshot snapshot) {
        return families.computeIfAbsent(
                snapshot.family().isEmpty() ? snapshot.source() : snapshot.family(),
                key -> new Semaphore(OF_FAMILY_MAXIMUM, true));
    }

    private Object stripe(CloudSnapshot snapshot) {
        return stripes[Math.floorMod(snapshot.id().hashCode(), stripes.length)];
    }
}
