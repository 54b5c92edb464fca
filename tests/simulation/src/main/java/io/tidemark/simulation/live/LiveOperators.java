package io.tidemark.simulation.live;

import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.Lease;
import io.tidemark.replication.live.LiveEvent;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.VerifyState;
import io.tidemark.replication.live.Protocol;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
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
    /** In some worlds the link's terms change; of a randomness of its own, too. */
    private final Random changes;

    private final boolean areChanging;
    /** How many blocks did when the host began to verify. */
    private final int[] differed = new int[2];

    LiveOperators(LiveWorld world, LiveChecks checks, long seed) {
        this.world = world;
        this.checks = checks;
        random = new Random(seed * 0xD1342543DE82EF95L + 1);
        changes = new Random(seed * 0xDA942042E4DD58B5L + 1);
        areChanging = changes.nextInt(5) == 0;
    }

    boolean areChanging() {
        return areChanging;
    }

    void begin() {
        if (random.nextInt(4) == 0) {
            trouble();
            repairs();
        }
        if (areChanging) {
            change();
        }
    }

    /** At the side that connects, which tells the other when it does so. */
    private void change() {
        world.at(world.now() + changes.nextLong(2 * PAUSE_MAXIMUM), () -> {
            if (!world.isAtRest()) {
                var host = world.host(0);
                host.change(other(host.settings()));
                change();
            }
        });
    }

    private LiveSettings other(LiveSettings now) {
        return new LiveSettings(
                now.self(),
                now.peer(),
                now.sizeBytes(),
                List.of(Protocol.values()).get(changes.nextInt(3)),
                changes.nextInt(3) == 0 ? Congestion.PULL_AHEAD : Congestion.BLOCK,
                LiveSettings.BUFFER_MINIMUM << changes.nextInt(3),
                now.activityLogExtents(),
                now.resyncBlocks(),
                now.resyncWindow(),
                now.patience(),
                now.isFenced(),
                changes.nextBoolean(),
                now.resyncRate(),
                now.afterSplitBrain());
    }

    /** The two are about to connect; of a change in that very moment the other is not told. */
    void tell() {
        if (areChanging && (world.isAtRest() || changes.nextInt(4) > 0)) {
            var told = world.host(0).settings();
            var now = world.host(1).settings();
            world.host(1)
                    .change(new LiveSettings(
                            now.self(),
                            now.peer(),
                            now.sizeBytes(),
                            told.protocol(),
                            told.congestion(),
                            told.bufferBytes(),
                            now.activityLogExtents(),
                            now.resyncBlocks(),
                            now.resyncWindow(),
                            now.patience(),
                            now.isFenced(),
                            told.isComparing(),
                            now.resyncRate(),
                            now.afterSplitBrain()));
        }
    }

    private void trouble() {
        world.at(world.now() + random.nextLong(PAUSE_MAXIMUM), () -> {
            if (!world.isAtRest()) {
                var host = world.host(random.nextInt(2));
                switch (random.nextInt(6)) {
                    case 0 -> invalidate(host, random.nextBoolean());
                    case 1, 2 -> host.take(new LiveEvent.Verify(++requests));
                    default -> decay(host);
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

    void changed(LiveHost host, LiveStatus before) {
        var now = state(host.status());
        if (now.equals(state(before))) {
            return;
        }
        switch (now.orElse(VerifyState.CUT_OFF)) {
            case RUNNING -> differed[host.side()] = decayed();
            case ENDED -> {
                checks.verified(host, differed[host.side()], decayed());
                // What was found is repaired when they meet the next time: somebody sees to that, mostly.
                if (host.status().dirtyBlocks() > 0 && random.nextInt(3) > 0) {
                    world.at(
                            world.now() + random.nextLong(ROUND),
                            () -> world.network().cut(false));
                }
            }
            case CUT_OFF, STOPPED -> {}
        }
    }

    private static Optional<VerifyState> state(LiveStatus status) {
        return status.verify().map(LiveStatus.Verify::state);
    }

    /** Blocks that clients do not write, and that differ. */
    private int decayed() {
        var a = world.host(0).disk().content();
        var b = world.host(1).disk().content();
        var blocks = new HashSet<>(a.keySet());
        blocks.addAll(b.keySet());
        blocks.removeIf(block -> block % LiveWorld.EXTENT_BLOCKS < DECAY_FIRST
                || block % LiveWorld.EXTENT_BLOCKS >= DECAY_END
                || Objects.equals(a.get(block), b.get(block)));
        return blocks.size();
    }

    /** Once no trouble comes any more, what has decayed is copied anew. */
    private void repairs() {
        world.at(world.now() + ROUND, () -> {
            boolean isCalm = world.isAtRest()
                    && world.areClientsIdle()
                    && world.hosts().stream()
                            .allMatch(each -> each.status().replication() == ReplicationState.ESTABLISHED);
            if (isCalm && isRepairDue()) {
                repair();
            }
            repairs();
        });
    }

    /** A disk has decayed, and the copies differ, or have to meet again. */
    boolean isRepairDue() {
        return decays > 0
                && (isMarked()
                        || !world.host(0)
                                .disk()
                                .content()
                                .equals(world.host(1).disk().content()));
    }

    private boolean isMarked() {
        return world.hosts().stream().anyMatch(host -> host.status().dirtyBlocks() > 0);
    }

    private void repair() {
        boolean isVerifying =
                world.hosts().stream().anyMatch(each -> state(each.status()).equals(Optional.of(VerifyState.RUNNING)));
        if (isVerifying) {
            return;
        }
        if (isMarked()) {
            world.network().cut(false);
            return;
        }
        if (random.nextInt(3) > 0) {
            world.host(random.nextInt(2)).take(new LiveEvent.Verify(++requests));
            return;
        }
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
