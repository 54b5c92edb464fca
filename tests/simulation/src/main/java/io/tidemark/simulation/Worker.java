package io.tidemark.simulation;

import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderException;

/**
 * A thread of a host: takes one input or carries out one effect at a time. Between any two of its moments the rest of
 * the world goes on, or the host dies, and its memory with it.
 */
abstract class Worker {
    private static final int STALL_MILLIS_MAXIMUM = 90_000;
    private static final int WORK_MILLIS_MAXIMUM = 4;

    final World world;
    final SimulatedHost host;
    private boolean waking;

    Worker(SimulatedHost host) {
        this.world = host.world;
        this.host = host;
    }

    abstract boolean hasWork();

    /** One input or one effect. */
    abstract void workOnce() throws ProviderException, ReplicationException;

    /** Memory and connections are gone. */
    abstract void forget();

    /** What it does again after a restart. */
    abstract void restarted() throws ProviderException, ReplicationException;

    abstract Object state();

    /** Of one piece of work. */
    int slownessMillis() {
        return WORK_MILLIS_MAXIMUM;
    }

    /** Goes to work, unless it is at it; each piece of work takes its time. */
    final void wake() {
        if (!host.up || waking || !hasWork()) {
            return;
        }
        waking = true;
        int mine = host.life;
        long delay = world.random.nextInt(slownessMillis());
        if (Hazards.strikes(world.hazards().stall(), world.random)) {
            delay += world.random.nextInt(STALL_MILLIS_MAXIMUM);
            note("storage stalls for %d ms".formatted(delay));
            world.network.silent(host, delay);
        }
        world.schedule.in(delay, () -> {
            if (mine == host.life) {
                waking = false;
                host.atRisk(() -> {
                    // What another thread of the host did meanwhile may have left nothing to do.
                    if (hasWork()) {
                        workOnce();
                    }
                    wake();
                });
            }
        });
    }

    final void died() {
        waking = false;
        forget();
    }

    final void note(Object event) {
        world.log.note(world.schedule.nowMillis(), host.name, event, state());
    }
}
