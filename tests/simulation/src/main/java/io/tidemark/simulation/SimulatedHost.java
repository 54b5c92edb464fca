package io.tidemark.simulation;

import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.provider.memory.MemoryStorage;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.protocol.ProtocolVersion;
import io.tidemark.spi.ProviderException;
import java.time.Instant;

/**
 * A host: one thread that takes one input or carries out one effect at a time, a wall clock of its own, and storage.
 * Between any two of its moments the rest of the world goes on, or the host dies: then only its storage is left.
 */
abstract class SimulatedHost {
    /** 2026-01-01: ids of recovery points begin with the time. */
    private static final long EPOCH_MILLIS = 1_767_225_600_000L;

    private static final int DOWN_MILLIS_MAXIMUM = 20_000;
    private static final int STALL_MILLIS_MAXIMUM = 90_000;

    final World world;
    final String name;
    final MemoryStorage storage = new MemoryStorage();
    MemoryProvider provider;
    ProtocolVersion.Range versions = Hazards.PLAIN;
    boolean up = true;
    long clockOffsetMillis;
    private boolean waking;
    private int life;

    SimulatedHost(World world, String name) {
        this.world = world;
        this.name = name;
        this.provider = newProvider();
    }

    abstract boolean hasWork();

    /** One input or one effect. */
    abstract void workOnce() throws ProviderException, ReplicationException;

    /** Memory and connections are gone; storage keeps what it had synced. */
    abstract void forget();

    /** @param power whether unsynced bytes are lost too */
    abstract void crashed(boolean power);

    abstract void restarted() throws ProviderException, ReplicationException;

    abstract Object state();

    final Instant now() {
        return Instant.ofEpochMilli(EPOCH_MILLIS + world.schedule.nowMillis() + clockOffsetMillis);
    }

    /** Goes to work, unless it is at it; each piece of work takes its time. */
    final void wake() {
        if (!up || waking || !hasWork()) {
            return;
        }
        waking = true;
        int mine = life;
        long delay = world.random.nextInt(4);
        if (Hazards.strikes(world.hazards().stall(), world.random)) {
            delay += world.random.nextInt(STALL_MILLIS_MAXIMUM);
            note("storage stalls for %d ms".formatted(delay));
            world.network.silent(this, delay);
        }
        world.schedule.in(delay, () -> {
            if (mine == life) {
                waking = false;
                work();
            }
        });
    }

    private void work() throws ProviderException, ReplicationException {
        try {
            workOnce();
        } catch (Crash e) {
            die();
            return;
        }
        wake();
    }

    final void die() {
        if (!up) {
            return;
        }
        // A kill leaves what the kernel has; a power cut takes what was not synced.
        boolean power = world.random.nextInt(3) > 0;
        note(power ? "loses power" : "is killed");
        up = false;
        waking = false;
        life++;
        world.network.hostDied(this);
        provider.close();
        if (power) {
            storage.crash(world.random);
        }
        crashed(power);
        forget();
        provider = newProvider();
        world.schedule.in(1 + world.random.nextInt(DOWN_MILLIS_MAXIMUM), this::restart);
    }

    private void restart() throws ProviderException, ReplicationException {
        up = true;
        if (world.hazards().skew()) {
            versions = world.hazards().versions(world.random);
        }
        note("restarts, speaks " + versions);
        restarted();
        wake();
    }

    final void note(Object event) {
        world.log.note(world.schedule.nowMillis(), name, event, state());
    }

    private MemoryProvider newProvider() {
        return new MemoryProvider("memory", storage, this::now, () -> 0);
    }
}
