package io.tidemark.simulation;

import io.tidemark.domain.Ids;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
    private static final int EVENTS_MAXIMUM = 60_000;

    final RandomGenerator random;
    final Schedule schedule = new Schedule();
    final EventLog log;
    final SimulatedNetwork network = new SimulatedNetwork(this);
    final SimulatedSource source;
    final SimulatedTarget target;
    final Checks checks = new Checks(this);
    final long volumeBytes;
    final Map<RecoveryPointId, byte[]> contents = new HashMap<>();
    /** Recovery points whose snapshot an operator deleted at the source in spite of its hold. */
    final Set<RecoveryPointId> lost = new HashSet<>();

    private final Hazards drawn;
    private final List<RecoveryPointId> taken = new ArrayList<>();
    private final Ids ids;
    private boolean faulty = true;
    private boolean over;
    private boolean stuck;
    private boolean trying;
    private int round;
    private int tries;

    World(long seed, EventLog log, Cast cast) {
        this.random = new SplittableRandom(seed);
        this.log = log;
        this.drawn = Hazards.draw(random);
        this.volumeBytes =
                (long) BLOCKS * BLOCK_BYTES - (random.nextBoolean() ? 0 : random.nextInt(1, 8) * SECTOR_BYTES);
        this.source = cast.source().apply(this);
        this.target = cast.target().apply(this);
        this.ids = new Ids(source::now, random);
        source.versions = drawn.versions(random);
        target.versions = drawn.versions(random);
    }

    /** @throws Violation when anything that must hold does not */
    void run() {
        try {
            note(drawn);
            source.provider.create(SimulatedSource.VOLUME, volumeBytes);
            target.provider.create(SimulatedTarget.VOLUME, volumeBytes);
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
            if (!stuck) {
                checks.healed();
            }
        } catch (ProviderException | ReplicationException e) {
            throw new Violation("unexpected: " + e.getMessage());
        }
    }

    Hazards hazards() {
        return faulty ? drawn : Hazards.KIND;
    }

    void mayCrash() {
        if (Hazards.strikes(hazards().crash(), random)) {
            throw new Crash();
        }
    }

    /** The owner of the link asks for a synchronisation, as often as it takes. */
    private void attempt() throws ProviderException {
        if (!source.up || trying) {
            schedule.in(BACKOFF_MILLIS_MAXIMUM, this::attempt);
            return;
        }
        if (tries >= FAULTY_TRIES) {
            heal();
        }
        require(tries < FAULTY_TRIES + KIND_TRIES, () -> "no synchronisation succeeds in a world without faults");
        var here = pointsAtSource();
        boolean another = tries == 0 || (faulty && random.nextInt(6) == 0);
        // Retention may have been faster than the first hold; then its owner takes another one.
        var point = another || !here.contains(taken.getLast()) ? take() : taken.getLast();
        tries++;
        trying = true;
        checks.tryBegins();
        source.start(
                point,
                here.stream().filter(candidate -> !candidate.equals(point)).toList());
    }

    private void heal() {
        faulty = false;
        target.full = false;
        source.versions = Hazards.PLAIN;
        target.versions = Hazards.PLAIN;
    }

    /** A try ended, or its host died and is back. */
    void tried(boolean done, Optional<ReplicationError> why) {
        if (!trying) {
            return;
        }
        trying = false;
        note(
                done
                        ? "synchronised"
                        : "failed: " + why.map(ReplicationError::message).orElse("died"));
        checks.tryEnded(done, why);
        if (done) {
            round++;
            tries = 0;
            faulty = true;
            over = round == ROUNDS;
        } else if (why.map(World::endsRightly).orElse(false)) {
            over = true;
            stuck = true;
        }
        if (!over) {
            schedule.in(random.nextInt(BACKOFF_MILLIS_MAXIMUM), this::attempt);
        }
    }

    /** Somebody must decide; the checks have found that this is right. */
    private static boolean endsRightly(ReplicationError error) {
        return error instanceof ReplicationError.NoCommonBase || error instanceof ReplicationError.Diverged;
    }

    /** Streams of this world may be damaged. */
    boolean damages() {
        return drawn.damage() + drawn.loss() + drawn.doubling() + drawn.reordering() > 0;
    }

    boolean clockJumps() {
        return drawn.clockJump() > 0;
    }

    private RecoveryPointId take() throws ProviderException {
        int writes = random.nextInt(BLOCKS);
        try (var writer = source.provider.write(SimulatedSource.VOLUME)) {
            for (int write = 0; write < writes; write++) {
                long offset = (long) random.nextInt(BLOCKS) * BLOCK_BYTES;
                byte[] block = new byte[(int) Math.min(BLOCK_BYTES, volumeBytes - offset)];
                if (random.nextInt(4) > 0) {
                    // Few different contents: blocks change back to what they were.
                    Arrays.fill(block, (byte) random.nextInt(4));
                }
                writer.write(offset, ByteBuffer.wrap(block));
            }
            writer.flush();
        }
        var point = ids.recoveryPoint();
        source.provider.cut(new CutRequest(point, List.of(SimulatedSource.VOLUME)));
        contents.put(point, checks.snapshot(source, SimulatedSource.snapshot(point)));
        taken.add(point);
        note("takes " + point);
        return point;
    }

    /** Place in the order of taking; ids follow a clock that jumps. */
    int sequence(RecoveryPointId point) {
        return taken.indexOf(point);
    }

    List<RecoveryPointId> pointsAtSource() {
        var there = source.provider.snapshots(SnapshotQuery.ofVolume(SimulatedSource.VOLUME)).snapshots().stream()
                .map(snapshot -> snapshot.id().recoveryPoint())
                .toList();
        return taken.reversed().stream().filter(there::contains).toList();
    }

    private void disturb() throws ProviderException {
        var hazards = hazards();
        if (Hazards.strikes(hazards.cut(), random)) {
            network.cut();
        }
        if (Hazards.strikes(hazards.oneWay(), random)) {
            network.silenceOneWay();
        }
        if (Hazards.strikes(hazards.crash(), random) && random.nextInt(4) == 0) {
            (random.nextBoolean() ? source : target).die();
        }
        if (Hazards.strikes(hazards.full(), random) && !target.full) {
            note("target is full");
            target.full = true;
            schedule.in(random.nextInt(FULL_MILLIS_MAXIMUM), () -> target.full = false);
        }
        if (Hazards.strikes(hazards.clockJump(), random)) {
            var host = random.nextBoolean() ? source : target;
            long jump = random.nextLong(-CLOCK_JUMP_MILLIS_MAXIMUM, CLOCK_JUMP_MILLIS_MAXIMUM);
            host.clockOffsetMillis = random.nextInt(3) == 0 ? 0 : jump;
            host.note("clock is now " + host.now());
        }
        if (Hazards.strikes(hazards.operator(), random) && target.inStep.isPresent()) {
            operatorDeletesBase(target.inStep.get());
        }
        if (Hazards.strikes(hazards.retention(), random)) {
            retention(source, SimulatedSource.VOLUME);
            retention(target, SimulatedTarget.VOLUME);
        }
    }

    private void operatorDeletesBase(RecoveryPointId base) throws ProviderException {
        note("operator deletes the source's " + base);
        source.provider.release(SimulatedSource.snapshot(base), SimulatedSource.OWNER);
        source.provider.delete(SimulatedSource.snapshot(base));
        lost.add(base);
    }

    /** Deletes whatever it may. */
    void retention(SimulatedHost host, VolumeId volume) throws ProviderException {
        var all = host.provider.snapshots(SnapshotQuery.ofVolume(volume)).snapshots();
        if (all.isEmpty()) {
            return;
        }
        SnapshotId victim = all.get(random.nextInt(all.size())).id();
        if (!host.storage.holds(victim).isEmpty()) {
            return;
        }
        try {
            host.provider.delete(victim);
            host.note("retention deletes " + victim);
        } catch (ProviderException e) {
            require(e.error() instanceof ProviderError.Held, () -> "retention: " + e.getMessage());
        }
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
