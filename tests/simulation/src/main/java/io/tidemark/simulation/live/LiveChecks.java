package io.tidemark.simulation.live;

import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.Chosen;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.simulation.live.LiveHistory.Written;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What must hold in every world: the six invariants of live replication, and that a split brain is told of only where there
 * is one.
 */
final class LiveChecks {
    /** Microseconds that a write may take to be confirmed. */
    private static final long ON_ITS_WAY = 50_000;

    private final LiveWorld world;
    private final LiveHistory history = new LiveHistory();
    /** When a host last took a write that the other did not get, or was about to. */
    private final long[] lastAccepted = {-1, -1};

    /** When a host last answered a write that the other did not have. */
    private final long[] lastApart = {-1, -1};

    /** When a block was last written by a host's own clients. */
    private final List<Map<Long, Long>> changed = List.of(new HashMap<>(), new HashMap<>());

    private long lastInStep;
    /** When all that one said reached the other, and they were in step. */
    private long lastTogether;

    private long lastChosen = -1;
    private long promotions;
    private long highestAnswered;
    private Map<Long, Long> atPromotion = Map.of();

    LiveChecks(LiveWorld world) {
        this.world = world;
    }

    LiveHistory history() {
        return history;
    }

    void accepted(LiveHost host) {
        lastAccepted[host.side()] = world.now();
    }

    /** A write is given to a disk; of a client's, by its primary, is taken down what was there. */
    void writes(LiveHost host, long first, Cells data) {
        if (!host.isPrimary()) {
            return;
        }
        data.values().forEach((place, number) -> {
            var write = history.of(number);
            if (write.host == host.side()) {
                changed.get(host.side()).put(first + place, world.now());
                write.over.putIfAbsent(first + place, host.disk().at(first + place));
            }
        });
        if (!isSending(host)) {
            accepted(host);
        }
    }

    private static boolean isSending(LiveHost host) {
        return host.status().replication() == ReplicationState.ESTABLISHED
                || host.status().replication() == ReplicationState.SYNC_SOURCE;
    }

    /** Two primaries never both answer, where they are fenced. */
    void answered(LiveHost host, Written write) {
        write.answered = world.now();
        if (!isSending(host) && !history.has(world.peer(host).disk()::at, write)) {
            lastApart[host.side()] = world.now();
        }
        if (!world.settings().isFenced()) {
            return;
        }
        if (host.promotion() >= highestAnswered) {
            highestAnswered = host.promotion();
            return;
        }
        for (long block = write.first; block < write.first + write.blocks; block++) {
            // The peer had confirmed it before it became primary: its answer was only long on the way.
            world.check(
                    history.comesFrom(atPromotion.getOrDefault(block, 0L), write.number, block),
                    "two primaries answer: write %d by one that another has followed",
                    write.number);
        }
    }

    /** No read returns what is older than an answered write. */
    void read(LiveHost host, long promotion, long block, long begun, long value) {
        boolean isShared = world.settings().isFenced() && world.isAlwaysC();
        for (var write : history.writes()) {
            boolean isOver = write.first <= block && block < write.first + write.blocks;
            boolean isKnown = write.answered < begun && !write.isForgiven;
            boolean isOurs = isShared || write.promotion == promotion;
            world.check(
                    !(isOver && isKnown && isOurs) || history.comesFrom(value, write.number, block),
                    "a read of block %d at %s returned write %d, and write %d had been answered before",
                    block,
                    host.side(),
                    value,
                    write.number);
        }
    }

    void promoted(LiveHost host, long token) {
        host.promoted(++promotions, token);
        atPromotion = host.disk().content();
        world.check(
                host.store().superblock().isConsistent() && host.status().disk() != DiskState.OUTDATED,
                "%s was promoted though it is %s",
                host.side(),
                host.status().disk());
        prefix(host, "was promoted");
        if (world.settings().isFenced() && world.isAlwaysC()) {
            nothingMissing(host, "was promoted");
        }
    }

    /** A copy that calls itself consistent has all up to a barrier. */
    void prefix(LiveHost host, String when) {
        if (host.store().superblock().isConsistent()) {
            var wrong = history.prefix(host.disk()::at, world.isAlwaysC());
            world.check(wrong.isEmpty(), "%s %s and has no prefix: %s", host.side(), when, wrong);
        }
    }

    /** What a flush or FUA promised a client is on the disk of the primary that promised it. */
    void keptByPrimary(LiveHost host) {
        var lost = history.lostByPowerCut(host.disk()::at, host.promotion(), world.isAlwaysC());
        world.check(lost.isEmpty(), "%s crashed as primary, and lost %s, which was flushed", host.side(), lost);
    }

    private void nothingMissing(LiveHost host, String when) {
        var missing = history.missing(host.disk()::at);
        world.check(missing.isEmpty(), "%s %s and lacks the answered writes %s", host.side(), when, missing);
    }

    void changed(LiveHost host, LiveStatus before) {
        var now = host.status();
        boolean isNew = now.replication() != before.replication();
        if (before.disk() == DiskState.INCONSISTENT && now.disk() != DiskState.INCONSISTENT) {
            // It is what the source was, whether that has heard of it or not, and has gone on or not.
            boolean isSame =
                    host.generations().current().equals(world.peer(host).kept().current());
            lastInStep = isSame ? world.now() : lastInStep;
        }
        boolean isChosen =
                now.isSplitBrain() && !before.isSplitBrain() && now.why().isEmpty();
        if (isChosen) {
            chosen(now.replication() == ReplicationState.SYNC_SOURCE ? host : world.peer(host));
        }
        if (isNew && now.replication() == ReplicationState.SYNC_SOURCE && world.isAlwaysC()) {
            nothingMissing(host, "is source of a resync");
        }
        if (isNew && now.replication() == ReplicationState.SYNC_SOURCE) {
            boolean isSplit = lastApart[0] > lastInStep && lastApart[1] > lastInStep && lastChosen < lastInStep;
            world.check(!isSplit, "%s is source of a resync, and both were written without the other", host.side());
        }
        if (isNew && now.why().filter(why -> why.startsWith("split brain")).isPresent()) {
            boolean isReal = (lastAccepted[0] > lastInStep && lastAccepted[1] > lastInStep)
                    || world.hosts().stream()
                            .allMatch(each -> each.store().superblock().wasPrimary());
            world.check(isReal, "a split brain was told of, and one side took no write without the other");
        }
    }

    /** A person has, or a policy does: then what the other has alone is given up, as far as it may be. */
    private void chosen(LiveHost kept) {
        var other = world.peer(kept);
        if (other.hasSaidToYield()) {
            return;
        }
        world.check(
                other.chosen() != Chosen.SELF, "a policy gives up %s, of which a person said it stays", other.side());
        var policy = world.settings().afterSplitBrain();
        boolean isByRole = policy.onePrimary() == OnePrimary.DISCARD_SECONDARY;
        boolean isByChanges = switch (policy.noPrimary()) {
            case DISCONNECT -> false;
            case DISCARD_ZERO_CHANGES -> lastApart[other.side()] <= lastInStep;
            case DISCARD_LEAST_CHANGES -> alone(other) <= writtenAlone(kept);
            case DISCARD_YOUNGER -> true;
        };
        world.check(
                !world.settings().isFenced() && !other.isPrimary() && (isByRole || isByChanges),
                "%s is kept after a split brain, and the policy is %s",
                kept.side(),
                policy);
        // Whoever was to yield before, and was not overwritten yet, has what it has answered again.
        history.writes().stream()
                .filter(each -> each.isForgiven && each.host == kept.side() && history.has(kept.disk()::at, each))
                .forEach(each -> each.isForgiven = false);
        forgive(kept);
    }

    /** Blocks that its clients have written since the peer was in step and reached, and what may have been on its way then. */
    private long writtenAlone(LiveHost host) {
        return changed.get(host.side()).values().stream()
                .filter(at -> at > lastTogether - ON_ITS_WAY)
                .count();
    }

    /** Blocks that the other does not have as this one has them, and that this one's clients have written last. */
    private long alone(LiveHost host) {
        var content = host.disk().content();
        var other = world.peer(host).disk();
        return content.entrySet().stream()
                .filter(each -> other.at(each.getKey()) != each.getValue() && each.getValue() > 0)
                .filter(each -> history.of(each.getValue()).host == host.side()
                        && history.of(each.getValue()).begun > lastInStep)
                .count();
    }

    /** It has told a person that its content is no more: the other has all, and a crash does not bring it back. */
    void givenUp(LiveHost host) {
        var kept = host.store().superblock();
        world.check(
                !kept.isConsistent() && kept.generations().current().isEmpty(),
                "%s has said that it has given up its content, and has it still",
                host.side());
        if (world.isAlwaysC()) {
            nothingMissing(world.peer(host), "remains alone");
        }
    }

    /** A verify of this host, that began when these blocks differed, has ended. */
    void verified(LiveHost host, int before, int after) {
        var found = host.status().verify().orElseThrow();
        world.check(
                before <= found.outOfSyncBlocks(),
                "%s has verified, and found %d of %d blocks that differ",
                host.side(),
                found.outOfSyncBlocks(),
                before);
        world.check(
                found.outOfSyncBlocks() <= after,
                "%s has verified, and found that %d blocks differ, and only %d do",
                host.side(),
                found.outOfSyncBlocks(),
                after);
        world.check(
                found.outOfSyncBlocks() <= host.status().dirtyBlocks(),
                "%s has verified, and forgotten what it found",
                host.side());
    }

    void looked() {
        if (world.hosts().stream().allMatch(LiveChecks::isEstablished)) {
            lastInStep = world.now();
            lastTogether = world.network().isWhole() ? world.now() : lastTogether;
        }
    }

    private static boolean isEstablished(LiveHost host) {
        return host.isUp() && host.status().replication() == ReplicationState.ESTABLISHED;
    }

    /** Somebody chose this copy: what it lacks is given up. */
    void forgive(LiveHost kept) {
        highestAnswered = Math.min(highestAnswered, kept.promotion());
        lastChosen = world.now();
        for (long number : history.missing(kept.disk()::at)) {
            var write = history.of(number);
            write.isForgiven |= write.host != kept.side();
        }
    }

    boolean isAtRest() {
        return world.hosts().stream().allMatch(LiveChecks::isEstablished)
                && world.hosts().stream().allMatch(host -> host.status().dirtyBlocks() == 0)
                && world.areClientsIdle();
    }

    void atRest() {
        for (var host : world.hosts()) {
            world.check(isEstablished(host), "at the end %s is %s", host.side(), host.isUp() ? host.status() : "down");
        }
        world.check(world.areClientsIdle(), "a request was never answered");
        for (var host : world.hosts()) {
            world.check(
                    host.status().disk() == LiveStatus.DiskState.UP_TO_DATE,
                    "at the end the disk of %s is %s",
                    host.side(),
                    host.status().disk());
        }
        world.hosts()
                .forEach(host -> world.check(
                        host.status().dirtyBlocks() == 0,
                        "at the end %s has %d dirty blocks",
                        host.side(),
                        host.status().dirtyBlocks()));
        var a = world.host(0).disk().content();
        var b = world.host(1).disk().content();
        world.check(a.equals(b), "at the end the copies differ: %s and %s", a, b);
        if (world.isAlwaysC()) {
            nothingMissing(world.host(0), "is at rest");
        }
    }
}
