package io.tidemark.simulation;

import io.tidemark.domain.Ids;
import io.tidemark.domain.LinkState;
import io.tidemark.domain.ReplicationLink.Role;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.provider.memory.MemoryContent;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Two hosts, the network between them and everything that can go wrong, all from one seed. A link sends one recovery
 * point after the other; each is tried in a faulty world for a while, then the world turns kind and it must arrive.
 * docs/design/simulation.md says what is modelled, and what is not.
 */
final class World {
    static final BlockKernel KERNEL = new JavaBlockKernel();
    static final String METADATA = "{}";
    /** Small, so that a few blocks pass every limit there is: more than a window, several syncs, spans of digests. */
    static final int SYNC_FRAMES = 3;

    static final int WINDOW_FRAMES = 7;
    static final int SPAN_BYTES = 16 << 10;
    static final int BLOCK_BYTES = 4 << 10;
    private static final int BLOCKS = 24;
    private static final int SECTOR_BYTES = 512;
    private static final int ROUNDS = 3;
    private static final int FAULTY_TRIES = 8;
    private static final int KIND_TRIES = 30;
    private static final int BACKOFF_MILLIS_MAXIMUM = 8_000;
    private static final int FULL_MILLIS_MAXIMUM = 40_000;
    private static final long CLOCK_JUMP_MILLIS_MAXIMUM = 20L * 24 * 3_600 * 1_000;
    /** For so long after a restart, and so many times as often, a host dies. */
    private static final int FRAGILE_MILLIS = 40;

    private static final int FRAGILE = 8;
    private static final int EVENTS_MAXIMUM = 60_000;

    final RandomGenerator random;
    final Schedule schedule = new Schedule();
    final EventLog log;
    final SimulatedNetwork network = new SimulatedNetwork(this);
    final Checks checks = new Checks(this);
    final People people = new People(this);
    final long volumeBytes;
    private final Map<RecoveryPointId, MemoryContent> contents = new HashMap<>();
    private final SimulatedHost one;
    private final SimulatedHost two;
    /** Whose data counts, as the people see it. */
    SimulatedHost source;

    private final Hazards drawn;
    private final List<RecoveryPointId> taken = new ArrayList<>();
    private final Ids ids;
    private boolean faulty = true;
    private boolean over;
    /** Whether the people have looked at what stands in the way, and want it overwritten. */
    private boolean overwrite;

    private long fragileUntilMillis;
    private boolean turn;
    private boolean waiting;
    private int round;
    private int tries;

    World(long seed, EventLog log, Cast cast) {
        this.random = new SplittableRandom(seed);
        this.log = log;
        this.drawn = Hazards.draw(random);
        this.volumeBytes =
                (long) BLOCKS * BLOCK_BYTES - (random.nextBoolean() ? 0 : random.nextInt(1, 8) * SECTOR_BYTES);
        this.one = new SimulatedHost(this, "one", Role.SOURCE, cast);
        this.two = new SimulatedHost(this, "two", Role.TARGET, cast);
        this.source = one;
        this.ids = new Ids(() -> source.now(), random);
        one.versions = drawn.versions(random);
        two.versions = drawn.versions(random);
    }

    SimulatedHost other(SimulatedHost host) {
        return host == one ? two : one;
    }

    /** @throws Violation when anything that must hold does not */
    void run() {
        try {
            note(drawn);
            for (var host : List.of(one, two)) {
                host.provider.create(SimulatedHost.VOLUME, volumeBytes);
                checks.begins(host);
            }
            attempt();
            for (int event = 0; !over; event++) {
                require(event < EVENTS_MAXIMUM, () -> "a synchronisation never ends");
                disturb();
                require(schedule.runNext(), () -> "both sides wait for each other");
            }
            faulty = false;
            for (int event = 0; schedule.runNext(); event++) {
                require(event < EVENTS_MAXIMUM, () -> "the world never comes to rest");
            }
            checks.healed();
        } catch (ProviderException | ReplicationException e) {
            throw new Violation("unexpected: " + e.getMessage());
        }
    }

    Hazards hazards() {
        return faulty ? drawn : Hazards.KIND;
    }

    void mayCrash() {
        // Who died once often dies again, in the middle of cleaning up.
        int crash = schedule.nowMillis() < fragileUntilMillis
                ? hazards().crash() / FRAGILE + 1
                : hazards().crash();
        if (hazards().crash() > 0 && Hazards.strikes(crash, random)) {
            throw new Crash();
        }
    }

    /** A host is just back; who dies now loses power. */
    boolean fragile() {
        return schedule.nowMillis() < fragileUntilMillis;
    }

    /** The owner of the link asks for a synchronisation or a reversal, as often as it takes. */
    private void attempt() throws ProviderException, ReplicationException {
        waiting = false;
        if (tries >= FAULTY_TRIES) {
            heal();
        }
        var host = source;
        if (!host.up || host.busy() || other(host).reversal.request.isPresent() || host.state == LinkState.PAUSED) {
            attemptLater();
            return;
        }
        require(tries < FAULTY_TRIES + KIND_TRIES, () -> "nothing succeeds in a world without faults");
        tries++;
        if (rivals(host)) {
            rival(other(host));
        } else if (host.state == LinkState.DRAINING || host.state == LinkState.HANDING_OVER || turns(host)) {
            host.reversal.ask(SimulatedReversal.Mode.PLANNED, Optional.of(host.underway.orElseGet(ids::recoveryPoint)));
        } else {
            synchronise(host);
        }
    }

    private void attemptLater() {
        if (!waiting && !over) {
            waiting = true;
            schedule.in(random.nextInt(BACKOFF_MILLIS_MAXIMUM), this::attempt);
        }
    }

    private boolean turns(SimulatedHost host) {
        turn = turn && host.inStep.isPresent() && other(host).role == Role.TARGET;
        return turn;
    }

    private void synchronise(SimulatedHost host) throws ProviderException {
        var here = host.snapshots();
        boolean another = tries == 1 || round == ROUNDS || (faulty && random.nextInt(6) == 0);
        // Retention may have been faster than the first hold; then its owner takes another one.
        var newest = taken.isEmpty() ? Optional.<RecoveryPointId>empty() : Optional.of(taken.getLast());
        var point = another || newest.isEmpty() || !here.contains(newest.get()) ? take(host) : newest.get();
        host.source.start(
                point,
                overwrite ? Message.Purpose.RESYNC : Message.Purpose.SYNC,
                (done, why) -> tried(host, done, why));
    }

    private boolean rivals(SimulatedHost host) {
        var rival = other(host);
        boolean both = rival.role == Role.SOURCE && host.role == Role.SOURCE;
        // Who finds both does not always know that one is handing over, and must go on with that.
        return both && rival.up && !rival.busy() && (host.state == LinkState.ACTIVE || random.nextInt(4) == 0);
    }

    /** Both sides are the source: the other one tries too, or follows. */
    private void rival(SimulatedHost rival) throws ProviderException {
        if (faulty && random.nextInt(4) == 0 && rival.state == LinkState.ACTIVE) {
            rival.source.start(take(rival), Message.Purpose.SYNC, (done, why) -> {
                require(!done || rival == source, () -> "two sources, and one of them took what the other sent");
                attemptLater();
            });
        } else {
            rival.reversal.ask(SimulatedReversal.Mode.FOLLOW, Optional.empty());
        }
    }

    private void heal() {
        faulty = false;
        for (var host : List.of(one, two)) {
            host.target.full = false;
            host.versions = Hazards.PLAIN;
            host.resume();
        }
    }

    /** The host is back; what it was asked for is asked again, unless it has written that down. */
    void restarted(SimulatedHost host) {
        fragileUntilMillis = schedule.nowMillis() + FRAGILE_MILLIS;
        host.note("is back");
        attemptLater();
    }

    /** A synchronisation that the owner asked for has ended. */
    private void tried(SimulatedHost host, boolean done, Optional<ReplicationError> why) {
        note(
                done
                        ? "synchronised"
                        : "failed: " + why.map(ReplicationError::message).orElse("?"));
        if (host == source) {
            if (done) {
                roundEnds();
            }
            overwrite = !done && (overwrite || why.map(World::mustDecide).orElse(false));
        }
        attemptLater();
    }

    private void roundEnds() {
        round++;
        tries = 0;
        faulty = round < ROUNDS;
        over = round > ROUNDS;
        turn = faulty && drawn.planned() > 0 && random.nextInt(drawn.planned()) == 0;
        if (!faulty) {
            // The last one shows that all is well again.
            heal();
        }
    }

    /** A reversal has ended. */
    void reversed(SimulatedHost host, SimulatedReversal.Request request, boolean done) {
        var mode = request.mode();
        if (done && mode == SimulatedReversal.Mode.PLANNED && host == source) {
            source = other(host);
            checks.turned(false);
            roundEnds();
        } else if (!done && mode == SimulatedReversal.Mode.PLANNED && random.nextBoolean()) {
            // A synchronisation tells what stands in the way.
            turn = false;
        } else if (done && mode == SimulatedReversal.Mode.UNPLANNED && host != source) {
            source = host;
            checks.turned(true);
        } else if (done && mode == SimulatedReversal.Mode.FOLLOW) {
            source = host == source ? other(host) : source;
            checks.turned(true);
        }
        attemptLater();
    }

    /** Somebody must look, and say what counts. */
    private static boolean mustDecide(ReplicationError error) {
        return error instanceof ReplicationError.NoCommonBase
                || error instanceof ReplicationError.Diverged
                || error instanceof ReplicationError.TargetWritten;
    }

    /** Streams of this world may be damaged. */
    boolean damages() {
        return drawn.damage() + drawn.loss() + drawn.doubling() + drawn.reordering() > 0;
    }

    boolean pauses() {
        return drawn.pause() > 0;
    }

    boolean clockJumps() {
        return drawn.clockJump() > 0;
    }

    private RecoveryPointId take(SimulatedHost host) throws ProviderException {
        int writes = random.nextInt(BLOCKS);
        for (int write = 0; write < writes; write++) {
            long offset = randomBlock();
            byte[] block = new byte[(int) Math.min(BLOCK_BYTES, volumeBytes - offset)];
            if (random.nextInt(4) > 0) {
                // Few different contents: blocks change back to what they were.
                Arrays.fill(block, (byte) random.nextInt(4));
            }
            host.storage.overwrite(SimulatedHost.VOLUME, offset, ByteBuffer.wrap(block));
            checks.written(host, offset, block);
        }
        var point = ids.recoveryPoint();
        host.cut(point);
        host.recorded.add(point);
        note("takes " + point);
        return point;
    }

    long randomBlock() {
        return (long) random.nextInt(BLOCKS) * BLOCK_BYTES;
    }

    /** What a recovery point is; cut anew, it is what it is now. */
    void taken(RecoveryPointId point, MemoryContent content) {
        contents.put(point, content);
        taken.remove(point);
        taken.add(point);
    }

    MemoryContent content(RecoveryPointId point) {
        return Optional.ofNullable(contents.get(point)).orElseThrow(() -> new Violation("unknown " + point));
    }

    /** Place in the order of taking; ids follow a clock that jumps. */
    int sequence(RecoveryPointId point) {
        return taken.indexOf(point);
    }

    private void disturb() throws ProviderException, ReplicationException {
        var hazards = hazards();
        if (Hazards.strikes(hazards.cut(), random)) {
            network.cut();
        }
        if (Hazards.strikes(hazards.oneWay(), random)) {
            network.silenceOneWay();
        }
        if (Hazards.strikes(hazards.crash(), random) && random.nextInt(4) == 0) {
            (random.nextBoolean() ? one : two).die();
        }
        var target = other(source).target;
        if (Hazards.strikes(hazards.full(), random) && !target.full) {
            note("target is full");
            target.full = true;
            schedule.in(random.nextInt(FULL_MILLIS_MAXIMUM), () -> target.full = false);
        }
        if (Hazards.strikes(hazards.clockJump(), random)) {
            var host = random.nextBoolean() ? one : two;
            long jump = random.nextLong(-CLOCK_JUMP_MILLIS_MAXIMUM, CLOCK_JUMP_MILLIS_MAXIMUM);
            host.clockOffsetMillis = random.nextInt(3) == 0 ? 0 : jump;
            host.note("clock is now " + host.now());
        }
        people.act();
    }

    private void note(Object what) {
        log.note(schedule.nowMillis(), "world", what, "");
    }

    static void require(boolean holds, Supplier<String> otherwise) {
        if (!holds) {
            throw new Violation(otherwise.get());
        }
    }
}
