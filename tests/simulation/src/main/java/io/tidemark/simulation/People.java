package io.tidemark.simulation;

import io.tidemark.domain.LinkState;
import io.tidemark.domain.ReplicationLink.Role;
import io.tidemark.policy.PlannedReversal;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/** What people and applications do in the world, beside asking for synchronisations. */
final class People {
    private static final int PAUSE_MILLIS_MAXIMUM = 40_000;
    private static final int WRITES_MAXIMUM = 3;
    /** One in so many events, while a hand-over is not answered. */
    private static final int HANDING_OVER_WRITES = 6;

    private static final int FOLLOWS = 250;

    private final World world;

    People(World world) {
        this.world = world;
    }

    void act() throws ProviderException, ReplicationException {
        var hazards = world.hazards();
        var target = world.other(world.source);
        if (Hazards.strikes(hazards.operator(), world.random) && target.inStep.isPresent()) {
            deleteBase(world.source, target.inStep.get());
        }
        if (Hazards.strikes(hazards.retention(), world.random)) {
            retention(world.source);
            retention(target);
        }
        if (Hazards.strikes(hazards.writer(), world.random)) {
            write(target);
        }
        boolean handing = world.source.state == LinkState.HANDING_OVER;
        int application = handing && hazards.application() > 0 ? HANDING_OVER_WRITES : hazards.application();
        if (Hazards.strikes(application, world.random)) {
            write(world.source);
        }
        if (Hazards.strikes(hazards.pause(), world.random)) {
            var paused = world.random.nextBoolean() ? world.source : target;
            paused.atRisk(paused::pause);
            if (paused.state == LinkState.PAUSED) {
                world.schedule.in(world.random.nextInt(PAUSE_MILLIS_MAXIMUM), paused::resume);
            }
        }
        follow(hazards.promotion() > 0 ? FOLLOWS : 0);
        boolean idle = target.up && target.reversal.request.isEmpty() && target.inStep.isPresent();
        if (Hazards.strikes(hazards.promotion(), world.random) && target.role == Role.TARGET && idle) {
            target.reversal.ask(SimulatedReversal.Mode.UNPLANNED, Optional.empty());
        }
    }

    /** Somebody lets a side follow, rightly or not, and does not know what the others do. */
    private void follow(int oneIn) {
        if (Hazards.strikes(oneIn, world.random)) {
            var host = world.random.nextBoolean() ? world.source : world.other(world.source);
            if (host.up && !host.busy() && host.role == Role.SOURCE) {
                host.reversal.ask(SimulatedReversal.Mode.FOLLOW, Optional.empty());
            }
        }
    }

    private void deleteBase(SimulatedHost source, RecoveryPointId base) throws ProviderException {
        source.note("operator deletes " + base);
        source.provider.release(SimulatedHost.snapshot(base), SimulatedHost.OWNER);
        source.provider.delete(SimulatedHost.snapshot(base));
        source.lost.add(base);
    }

    /** Deletes whatever it may; as a site does, never what its link is in step with. */
    void retention(SimulatedHost host) throws ProviderException {
        var all = host.snapshots();
        if (all.isEmpty()) {
            return;
        }
        var victim = all.get(world.random.nextInt(all.size()));
        if (!host.storage.holds(SimulatedHost.snapshot(victim)).isEmpty() || isClaimed(host, victim)) {
            return;
        }
        try {
            world.checks.everyCopyIsTheOriginal(host);
            host.provider.delete(SimulatedHost.snapshot(victim));
            host.recorded.remove(victim);
            host.note("retention deletes " + victim);
        } catch (ProviderException e) {
            World.require(e.error() instanceof ProviderError.Held, () -> "retention: " + e.getMessage());
        }
    }

    /** A reversal claims what it drains. */
    private static boolean isClaimed(SimulatedHost host, RecoveryPointId victim) {
        return host.reversal
                .request
                .flatMap(SimulatedReversal.Request::point)
                .filter(first -> PlannedReversal.rounds(first).contains(victim))
                .isPresent();
    }

    /**
     * Somebody writes to the volume. Not to a target before its first recovery point, nor in the moment between a
     * commit's last look and its end, while the host lives: both go unseen, docs/design/simulation.md says so.
     */
    private void write(SimulatedHost host) {
        boolean applying =
                host.target.between() && host.up && host.target.working().isPresent();
        if (host.role == Role.TARGET && (host.inStep.isEmpty() || host.target.direct() || applying)) {
            return;
        }
        int writes = 1 + world.random.nextInt(WRITES_MAXIMUM);
        for (int write = 0; write < writes; write++) {
            long offset = world.randomBlock();
            byte[] block = new byte[(int) Math.min(World.BLOCK_BYTES, world.volumeBytes - offset)];
            // Never what a recovery point has there: it would not be noticed, rightly.
            Arrays.fill(block, (byte) (10 + world.random.nextInt(100)));
            host.storage.overwrite(SimulatedHost.VOLUME, offset, ByteBuffer.wrap(block));
            world.checks.written(host, offset, block);
            host.note("somebody writes at " + offset);
        }
    }
}
