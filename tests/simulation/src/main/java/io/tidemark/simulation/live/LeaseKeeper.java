package io.tidemark.simulation.live;

import java.util.OptionalLong;

/** Whoever gives out leases: to one host at a time, and to none that is known to be behind. */
final class LeaseKeeper {
    static final long LEASE = 60_000;

    private int holder = -1;
    private long until;
    private int outdated = -1;
    private final long[] told = new long[2];

    /** @return the lease's end; empty where it is refused */
    OptionalLong ask(int host, long now) {
        boolean isFree = holder == host || now >= until;
        if (!isFree || outdated == host) {
            return OptionalLong.empty();
        }
        holder = host;
        until = now + LEASE;
        return OptionalLong.of(until);
    }

    /**
     * A host tells of its peer.
     *
     * @param order what it told before this has a lower one
     * @return whether it was taken down
     */
    boolean tell(int host, long order, boolean isOutdated, long now) {
        if (order <= told[host]) {
            return true;
        }
        if (isOutdated && (holder != host || now >= until)) {
            return false;
        }
        told[host] = order;
        if (isOutdated) {
            outdated = 1 - host;
        } else if (outdated == 1 - host) {
            outdated = -1;
        }
        return true;
    }

    /** Somebody says that what the other has does not count. */
    void forget() {
        outdated = -1;
    }

    int outdated() {
        return outdated;
    }
}
