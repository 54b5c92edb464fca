package io.tidemark.simulation;

import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.SourceState;
import io.tidemark.replication.SourceSync;
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
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * Two hosts, the network between them and everything that can go wrong, all from one seed: frames arrive late, damaged
 * or never, connections overlap, hosts die between any two effects and lose or tear what they had not synced, and a
 * retention deletes every snapshot that nobody holds. What must hold is checked as it runs.
 */
final class World {
    static final BlockKernel KERNEL = new JavaBlockKernel();
    static final int SYNC_FRAMES = 3;
    private static final int BLOCK_BYTES = 4 << 10;
    private static final int BLOCKS = 24;
    private static final int ROUNDS = 4;
    /** Tries of one recovery point in the faulty world; afterwards it turns kind and the next one must succeed. */
    private static final int FAULTY_TRIES = 12;

    private static final int KIND_TRIES = 4;
    private static final int TICKS_MAXIMUM = 20_000;
    private static final int CRASH_ONE_IN = 150;
    private static final int CUT_ONE_IN = 60;
    private static final int DAMAGE_ONE_IN = 120;
    private static final int RETENTION_ONE_IN = 15;
    private static final int CHECK_ONE_IN = 12;
    private static final int OPERATOR_ONE_IN = 500;

    final Random random;
    private final long seed;
    private final SimulatedSource source = new SimulatedSource(this);
    private final SimulatedTarget target = new SimulatedTarget(this);
    private final Map<RecoveryPointId, byte[]> contents = new TreeMap<>();
    private final List<SimulatedConnection> connections = new ArrayList<>();
    private int served = -1;
    private boolean faulty = true;
    private int points;
    /** Base that an operator deleted at the source in spite of its hold. */
    private Optional<RecoveryPointId> lostBase = Optional.empty();

    private final List<String> history = new ArrayList<>();

    World(long seed) {
        this.seed = seed;
        this.random = new Random(seed);
    }

    /** @throws AssertionError with the seed and what happened last, when anything that must hold does not */
    void run() {
        try {
            source.provider.create(SimulatedSource.VOLUME, (long) BLOCKS * BLOCK_BYTES);
            target.provider.create(SimulatedTarget.VOLUME, (long) BLOCKS * BLOCK_BYTES);
            boolean possible = true;
            for (int round = 0; round < ROUNDS && possible; round++) {
                faulty = true;
                possible = synchronise();
            }
        } catch (ProviderException | ReplicationException e) {
            throw violated("unexpected: " + e.getMessage());
        }
    }

    void mayCrash() {
        if (faulty && random.nextInt(CRASH_ONE_IN) == 0) {
            throw new Crash();
        }
    }

    SimulatedConnection connect() {
        var connection = new SimulatedConnection();
        connections.add(connection);
        return connection;
    }

    /** @return false when nothing can be synchronised any more, rightly */
    private boolean synchronise() throws ProviderException, ReplicationException {
        var point = take();
        for (int attempt = 0; attempt < FAULTY_TRIES + KIND_TRIES; attempt++) {
            faulty = attempt < FAULTY_TRIES;
            var here = pointsAtSource();
            if (!here.contains(point)) {
                // Retention was faster than the first hold; its owner takes another one.
                point = take();
            } else if (random.nextInt(6) == 0 && faulty) {
                point = take();
            }
            var bases = new ArrayList<>(pointsAtSource());
            bases.remove(point);
            note("try " + point + " bases " + bases);
            source.start(point, bases, (long) BLOCKS * BLOCK_BYTES);
            untilEnded();
            if (source.sync().map(sync -> sync.state() == SourceState.DONE).orElse(false)) {
                check();
                require(target.inStep.filter(point::equals).isPresent(), "acknowledged but not recorded: " + point);
                return true;
            }
            if (lostBase.isPresent() && source.failure().orElse(null) instanceof ReplicationError.NoCommonBase) {
                return false;
            }
            note("failed: " + source.failure().map(ReplicationError::message).orElse("died"));
        }
        throw violated("no synchronisation succeeds in a world without faults");
    }

    private RecoveryPointId take() throws ProviderException {
        int writes = random.nextInt(BLOCKS);
        try (var writer = source.provider.write(SimulatedSource.VOLUME)) {
            for (int write = 0; write < writes; write++) {
                byte[] block = new byte[BLOCK_BYTES];
                if (random.nextInt(4) > 0) {
                    // Few different contents: blocks change back to what they were.
                    Arrays.fill(block, (byte) random.nextInt(4));
                }
                writer.write((long) random.nextInt(BLOCKS) * BLOCK_BYTES, ByteBuffer.wrap(block));
            }
            writer.flush();
        }
        var point = new RecoveryPointId("rp-%04d".formatted(++points));
        source.provider.cut(new CutRequest(point, List.of(SimulatedSource.VOLUME)));
        contents.put(point, snapshot(source.provider, SimulatedSource.VOLUME, point));
        return point;
    }

    private List<RecoveryPointId> pointsAtSource() {
        return source.provider.snapshots(SnapshotQuery.ofVolume(SimulatedSource.VOLUME)).snapshots().stream()
                .map(snapshot -> snapshot.id().recoveryPoint())
                .sorted(Comparator.reverseOrder())
                .toList();
    }

    private void untilEnded() throws ProviderException, ReplicationException {
        for (int tick = 0; source.running(); tick++) {
            require(tick < TICKS_MAXIMUM, "a synchronisation never ends");
            if (faulty) {
                disturb();
            }
            var actions = enabled();
            require(!actions.isEmpty(), "both sides wait for each other");
            actions.get(random.nextInt(actions.size())).run();
            if (random.nextInt(CHECK_ONE_IN) == 0) {
                check();
            }
        }
    }

    private interface Action {
        void run() throws ProviderException, ReplicationException;
    }

    private List<Action> enabled() {
        var actions = new ArrayList<Action>();
        if (source.busy()) {
            actions.add(this::sourceWorks);
        }
        if (target.busy()) {
            actions.add(this::targetWorks);
        }
        for (int index = 0; index < connections.size(); index++) {
            int number = index;
            var connection = connections.get(index);
            boolean newest = number == connections.size() - 1;
            // A new session waits until the one before it is done with what it has.
            if (connection.toTarget.waiting() && (number == served || !target.busy())) {
                actions.add(() -> toTarget(number, connection));
            }
            if (newest && connection.toSource.waiting()) {
                actions.add(() -> toSource(connection));
            }
            if (newest && connection.cut && source.running() && !source.busy()) {
                actions.add(() -> source.lost(new ReplicationError.ConnectionLost("target", "cut")));
            }
        }
        return actions;
    }

    private void sourceWorks() throws ProviderException {
        try {
            source.work();
        } catch (Crash e) {
            note("source dies");
            cutAll();
            source.crash();
        }
    }

    private void targetWorks() throws ProviderException, ReplicationException {
        try {
            target.work();
        } catch (Crash e) {
            targetDies();
        }
    }

    private void targetDies() throws ProviderException, ReplicationException {
        for (int death = 0; ; death++) {
            note("target dies");
            cutAll();
            target.crash();
            check();
            try {
                target.restart();
                return;
            } catch (Crash again) {
                require(death < TICKS_MAXIMUM, "a target never comes up");
            }
        }
    }

    private void toTarget(int number, SimulatedConnection connection) throws ProviderException {
        if (number < served) {
            connection.cut();
            return;
        }
        if (number > served) {
            served = number;
            target.connected(connection);
        }
        try {
            target.received(connection.toTarget.receive(random, damaged()));
        } catch (ReplicationException e) {
            note("target gets a damaged frame");
            target.lost(e.error(), true);
        }
    }

    private void toSource(SimulatedConnection connection) {
        try {
            source.received(connection.toSource.receive(random, damaged()));
        } catch (ReplicationException e) {
            note("source gets a damaged frame");
            source.lost(e.error());
        }
    }

    private boolean damaged() {
        return faulty && random.nextInt(DAMAGE_ONE_IN) == 0;
    }

    private void disturb() throws ProviderException, ReplicationException {
        if (random.nextInt(CUT_ONE_IN) == 0 && !connections.isEmpty()) {
            note("network cut");
            connections.getLast().cut();
        }
        if (random.nextInt(CUT_ONE_IN * 8) == 0) {
            targetDies();
        }
        if (random.nextInt(OPERATOR_ONE_IN) == 0 && target.inStep.isPresent()) {
            var victim = new SnapshotId(SimulatedSource.VOLUME, target.inStep.get());
            note("operator deletes " + victim);
            source.provider.release(victim, SimulatedSource.OWNER);
            source.provider.delete(victim);
            lostBase = target.inStep;
        }
        if (random.nextInt(RETENTION_ONE_IN) == 0) {
            retention(source.provider, SimulatedSource.VOLUME);
            retention(target.provider, SimulatedTarget.VOLUME);
        }
    }

    /** Deletes whatever it may. */
    private void retention(MemoryProvider provider, VolumeId volume) throws ProviderException {
        var all = provider.snapshots(SnapshotQuery.ofVolume(volume)).snapshots();
        if (!all.isEmpty()) {
            var victim = all.get(random.nextInt(all.size())).id();
            try {
                provider.delete(victim);
                note("retention deletes " + victim);
            } catch (ProviderException e) {
                require(e.error() instanceof ProviderError.Held, "retention: " + e.getMessage());
            }
        }
    }

    private void cutAll() {
        connections.forEach(SimulatedConnection::cut);
    }

    private void check() throws ProviderException {
        for (var copy : target.provider
                .snapshots(SnapshotQuery.ofVolume(SimulatedTarget.VOLUME))
                .snapshots()) {
            var point = copy.id().recoveryPoint();
            boolean being = target.log != null && target.log.committed() && target.log.point.equals(point);
            boolean equal =
                    Arrays.equals(snapshot(target.provider, SimulatedTarget.VOLUME, point), contents.get(point));
            require(equal, "copy of %s is not the original%s".formatted(point, being ? ", being finished" : ""));
        }
        if (target.inStep.isPresent()) {
            var stands = target.inStep.get();
            requireHeld(target.provider, SimulatedTarget.VOLUME, stands, "target");
            if (!lostBase.equals(target.inStep)) {
                requireHeld(source.provider, SimulatedSource.VOLUME, stands, "source");
            }
            if (!target.between()) {
                require(
                        Arrays.equals(volume(), contents.get(stands)),
                        "volume is not at " + stands + ", where it stands");
            }
        }
        for (var connection : connections) {
            require(
                    connection.toTarget.mostFrames() <= SourceSync.WINDOW_FRAMES + 16,
                    "frames pile up: " + connection.toTarget.mostFrames());
        }
        acknowledgedIsDurable();
    }

    private void acknowledgedIsDurable() {
        var sync = source.sync();
        var log = target.log;
        boolean sending = sync.isPresent() && sync.get().state() == SourceState.SENDING;
        if (sending && log != null && log.point.equals(sync.get().task().point())) {
            require(
                    sync.get().durable().frameCount() <= log.durable().frameCount(),
                    "acknowledged %d frames, durable are %d"
                            .formatted(
                                    sync.get().durable().frameCount(),
                                    log.durable().frameCount()));
        }
    }

    private void requireHeld(MemoryProvider provider, VolumeId volume, RecoveryPointId point, String where) {
        try {
            provider.delete(new SnapshotId(volume, point));
        } catch (ProviderException e) {
            require(e.error() instanceof ProviderError.Held, where + ": " + e.getMessage());
            return;
        }
        throw violated("the %s lost its hold of %s, the base of what comes next".formatted(where, point));
    }

    private byte[] volume() throws ProviderException {
        var probe = new RecoveryPointId("rp-0probe");
        target.provider.cut(new CutRequest(probe, List.of(SimulatedTarget.VOLUME)));
        try {
            return snapshot(target.provider, SimulatedTarget.VOLUME, probe);
        } finally {
            target.provider.delete(new SnapshotId(SimulatedTarget.VOLUME, probe));
        }
    }

    private static byte[] snapshot(MemoryProvider provider, VolumeId volume, RecoveryPointId point)
            throws ProviderException {
        var buffer = ByteBuffer.allocateDirect(BLOCKS * BLOCK_BYTES);
        try (var reader = provider.read(new SnapshotId(volume, point))) {
            reader.read(0, buffer);
        }
        byte[] bytes = new byte[buffer.flip().remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private void note(String what) {
        history.add(what);
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw violated(otherwise);
        }
    }

    private AssertionError violated(String what) {
        int from = Math.max(0, history.size() - 40);
        return new AssertionError("seed %d: %s%n  %s"
                .formatted(seed, what, String.join("%n  ".formatted(), history.subList(from, history.size()))));
    }
}
