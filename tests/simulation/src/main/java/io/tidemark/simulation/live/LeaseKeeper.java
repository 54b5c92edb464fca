package io.tidemark.simulation.live;

import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.Generations;
import io.tidemark.replication.live.Lease;
import java.util.Optional;

/** Whoever gives out leases: to one host at a time, and to none that lacks what a primary told of. */
final class LeaseKeeper {
    static final long LEASE = 60_000;

    private int holder = -1;
    private long until;
    private long token;
    private Optional<Generation> needed = Optional.empty();

    /** @return empty where it is refused */
    Optional<Lease> ask(int host, Generations has, long now) {
        boolean isHeld = holder == host;
        boolean isFree = isHeld || now >= until;
        boolean isNew = needed.filter(generation ->
                        !has.current().equals(needed) && !has.history().contains(generation))
                .isEmpty();
        if (!isFree || !(isHeld || isNew)) {
            return Optional.empty();
        }
        if (!isHeld) {
            token++;
        }
        holder = host;
        until = now + LEASE;
        return Optional.of(new Lease(token, until * LiveHost.NANOS));
    }

    /**
     * A primary has begun a generation that its peer does not have.
     *
     * @param of the token of the lease that it tells with
     * @return whether it was taken down
     */
    boolean tell(int host, long of, Generation generation, long now) {
        if (of != token || holder != host || now >= until) {
            return false;
        }
        needed = Optional.of(generation);
        return true;
    }

    /** Somebody has chosen a copy's content. */
    void choose(Generations kept) {
        needed = kept.current();
        holder = -1;
    }
}
