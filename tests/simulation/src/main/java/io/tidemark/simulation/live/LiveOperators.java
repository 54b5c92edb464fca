package io.tidemark.simulation.live;

import io.tidemark.replication.live.Lease;
import io.tidemark.replication.live.LiveEvent;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/**
 * Disks that return what nobody wrote, and who looks after them. In some worlds, with a randomness of their own: the others
 * stay what they were.
 */
final class LiveOperators {
    private static final long PAUSE_MAXIMUM = 400_000;
    private static final long ROUND = 100_000;
    /** Clients write nowhere between. */
    private static final int DECAY_FIRST = 100;

    private static final int DECAY_END = 900;

    private final LiveWorld world;
    private final LiveChecks checks;
    private final Random random;
    private final Map<Long, LiveHost> invalidating = new HashMap<>();
    private long requests = 2_000_000_000;
    private long decays;

    LiveOperators(LiveWorld world, LiveChecks checks, long seed) {
        this.world = world;
        this.checks = checks;
        random = new Random(seed * 0xD1342543DE82EF95L + 1);
    }

    void begin() {
        if (random.nextInt(4) == 0) {
            trouble();
            repairs();
        }
    }

    private void trouble() {
        world.at(world.now() + random.nextLong(PAUSE_MAXIMUM), () -> {
            if (!world.isAtRest()) {
                var host = world.host(random.nextInt(2));
                if (random.nextBoolean()) {
                    decay(host);
                } else {
                    invalidate(host, random.nextBoolean());
                }
                trouble();
            }
        });
    }

    /** The disk says nothing of it. */
    private void decay(LiveHost host) {
        if (host.isUp() && !host.isKeeping()) {
            int extent = random.nextInt(LiveWorld.EXTENTS);
            int block = random.nextInt(DECAY_FIRST, DECAY_END);
            host.disk().decay((long) extent * LiveWorld.EXTENT_BLOCKS + block, - ++decays);
        }
    }

    private void invalidate(LiveHost host, boolean isPeers) {
        long request = ++requests;
        if (!isPeers) {
            invalidating.put(request, host);
        }
        host.take(new LiveEvent.Invalidate(request, isPeers));
    }

    void answered(LiveHost host, long request) {
        if (invalidating.remove(request) != null) {
            checks.givenUp(host);
        }
    }

    void refused(long request) {
        invalidating.remove(request);
    }

    /** Once no trouble comes any more, what has decayed is copied anew. */
    private void repairs() {
        world.at(world.now() + ROUND, () -> {
            boolean isCalm = world.isAtRest() && checks.isAtRest();
            if (isCalm && isRepairDue()) {
                repair();
            }
            repairs();
        });
    }

    /** A disk has decayed, and the copies differ. */
    boolean isRepairDue() {
        return decays > 0
                && !world.host(0).disk().content().equals(world.host(1).disk().content());
    }

    private void repair() {
        var secondary = world.host(world.host(0).isPrimary() ? 1 : 0);
        var other = world.peer(secondary);
        if (other.isPrimary()) {
            invalidate(secondary, false);
        } else {
            // The world is at rest, and no client comes: nobody has to be asked for a lease.
            other.take(new LiveEvent.Promote(++requests, new Lease(0, 0)));
        }
    }
}
