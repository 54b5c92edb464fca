package io.tidemark.simulation.live;

import io.tidemark.replication.live.Lease;
import io.tidemark.replication.live.LiveEvent;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import java.util.HashMap;
import java.util.Map;

/** Who runs the two hosts, and what goes wrong with them. */
final class LivePeople {
    private static final long PAUSE_MAXIMUM = 120_000;
    private static final long ROUND = 20_000;

    private final LiveWorld world;
    private final LiveChecks checks;
    private final LiveClients clients;
    /** What a person has asked of a host and not heard of. */
    private final Map<Long, Integer> asked = new HashMap<>();

    private final Map<Long, Long> promotions = new HashMap<>();
    private final long[] alone = new long[2];
    private long requests = 1_000_000_000;

    LivePeople(LiveWorld world, LiveChecks checks, LiveClients clients) {
        this.world = world;
        this.checks = checks;
        this.clients = clients;
    }

    void begin() {
        trouble();
        rounds();
    }

    private void trouble() {
        world.at(world.now() + world.random().nextLong(PAUSE_MAXIMUM), () -> {
            if (!world.isAtRest()) {
                happen();
                trouble();
            }
        });
    }

    private void happen() {
        var random = world.random();
        var host = world.host(random.nextInt(2));
        switch (random.nextInt(12)) {
            case 0, 1 -> crash(host, random.nextLong(300_000));
            case 2 -> {
                world.hosts().forEach(each -> crash(each, random.nextLong(100_000)));
            }
            case 3, 4, 5 -> {
                world.network().setBroken(true);
                later(
                        random.nextLong(random.nextBoolean() ? 20_000 : 300_000),
                        () -> world.network().setBroken(false));
            }
            case 6 -> world.network().cut(random.nextBoolean());
            case 7 -> {
                world.setKeeperCut(host.side(), true);
                later(random.nextLong(400_000), () -> world.setKeeperCut(host.side(), false));
            }
            case 8 -> {
                if (host.isPrimary()) {
                    demote(host, !world.network().isOpen() && random.nextBoolean());
                }
            }
            case 9 -> {
                if (!world.settings().isFenced() && !world.network().isOpen()) {
                    promote(host, Lease.NONE);
                }
            }
            default -> primaryIsLostAlone(random.nextLong(100_000));
        }
    }

    /** The line fails, the primary goes on for a while, and then cannot renew its lease, or dies. */
    private void primaryIsLostAlone(long goesOn) {
        world.network().setBroken(true);
        later(400_000, () -> world.network().setBroken(false));
        later(
                goesOn,
                () -> world.hosts().stream().filter(LiveHost::isPrimary).forEach(host -> {
                    if (world.isAtRest()) {
                        return;
                    }
                    if (world.random().nextBoolean()) {
                        crash(host, 300_000);
                    } else {
                        world.setKeeperCut(host.side(), true);
                        later(250_000, () -> world.setKeeperCut(host.side(), false));
                    }
                }));
    }

    private void later(long delay, Runnable what) {
        world.at(world.now() + delay, what);
    }

    private void crash(LiveHost host, long down) {
        if (!host.isUp()) {
            return;
        }
        boolean wasPrimary = host.isPrimary();
        world.log(host.side(), "crash");
        host.crash();
        clients.gone(host);
        asked.values().removeIf(side -> side == host.side());
        if (wasPrimary) {
            checks.keptByPrimary(host);
        } else {
            checks.prefix(host, "crashed as secondary");
        }
        later(down, () -> {
            if (!host.isUp()) {
                host.start();
            }
        });
    }

    /** What people and their programs look after all the time. */
    private void rounds() {
        later(ROUND, () -> {
            world.network().connect();
            world.hosts().forEach(this::lease);
            world.hosts().forEach(this::standsAlone);
            bothPrimary();
            missesPrimary();
            rounds();
        });
    }

    private void lease(LiveHost host) {
        if (!world.settings().isFenced() || !host.isPrimary() || !world.isKeeperReachable(host.side())) {
            return;
        }
        var lease = world.keeper().ask(host.side(), host.generations(), world.now());
        if (lease.isPresent()
                && (lease.get().token() == host.token() || world.random().nextBoolean())) {
            host.take(new LiveEvent.LeaseRenewed(lease.get()));
        } else if (world.random().nextInt(4) == 0) {
            // Another has it: this one is primary no more.
            demote(host, true);
        }
    }

    private void bothPrimary() {
        if (world.hosts().stream().allMatch(LiveHost::isPrimary)
                && world.random().nextInt(10) == 0) {
            demote(world.host(world.random().nextInt(2)), true);
        }
    }

    /** Somebody has to be primary. Who asks for a lease need not know that nobody is: it is refused one else. */
    private void missesPrimary() {
        var host = world.host(world.random().nextInt(2));
        boolean isMissed = world.settings().isFenced()
                ? host.status().replication() == ReplicationState.OFF
                : world.hosts().stream().noneMatch(LiveHost::isPrimary);
        boolean isNone = isMissed || world.hosts().stream().noneMatch(LiveHost::isPrimary);
        boolean isWanted = isNone && host.isUp() && !host.isPrimary() && !world.isAtRest() && asked.isEmpty();
        if (!isWanted || world.random().nextInt(3) > 0) {
            return;
        }
        if (!world.settings().isFenced()) {
            promote(host, Lease.NONE);
        } else if (world.isKeeperReachable(host.side())) {
            world.keeper().ask(host.side(), host.generations(), world.now()).ifPresent(lease -> promote(host, lease));
        }
    }

    private void promote(LiveHost host, Lease lease) {
        long request = ++requests;
        asked.put(request, host.side());
        promotions.put(request, lease.token());
        host.take(new LiveEvent.Promote(request, lease));
        if (!host.isUp()) {
            asked.remove(request);
        }
    }

    private void demote(LiveHost host, boolean isForced) {
        long request = ++requests;
        asked.put(request, host.side());
        host.take(new LiveEvent.Demote(request, isForced));
    }

    void answered(LiveHost host, long request) {
        asked.remove(request);
        var token = promotions.remove(request);
        if (token != null) {
            checks.promoted(host, token);
        }
    }

    void refused(long request) {
        asked.remove(request);
        promotions.remove(request);
    }

    /** One that stands alone waits for a person, who looks after some time and chooses. */
    private void standsAlone(LiveHost host) {
        if (!host.isUp() || host.status().replication() != ReplicationState.STAND_ALONE) {
            alone[host.side()] = 0;
            return;
        }
        if (++alone[host.side()] < 4) {
            return;
        }
        alone[host.side()] = 0;
        var peer = world.peer(host);
        if (!peer.isUp()) {
            return;
        }
        if (peer.isPrimary() && host.isPrimary()) {
            demote(host, true);
            return;
        }
        boolean isSplit = host.status()
                .why()
                .filter(why -> why.startsWith("split") || why.contains("another volume"))
                .isPresent();
        if (!isSplit) {
            if (host.isPrimary()) {
                demote(host, true);
            }
            resolve(host, true);
            return;
        }
        var kept = host.isPrimary() || (!peer.isPrimary() && world.random().nextBoolean()) ? host : peer;
        if (isKeepable(kept)) {
            choose(kept);
        } else if (isKeepable(world.peer(kept)) && !kept.isPrimary()) {
            choose(world.peer(kept));
        }
    }

    private static boolean isKeepable(LiveHost host) {
        return host.store().superblock().isConsistent();
    }

    private void choose(LiveHost kept) {
        checks.forgive(kept);
        world.keeper().choose(kept.generations());
        resolve(kept, true);
        resolve(world.peer(kept), false);
    }

    private void resolve(LiveHost host, boolean isKept) {
        host.resolve(++requests, isKept);
    }

    void heal() {
        world.network().setBroken(false);
        for (var host : world.hosts()) {
            world.setKeeperCut(host.side(), false);
            if (!host.isUp()) {
                host.start();
            }
        }
    }
}
