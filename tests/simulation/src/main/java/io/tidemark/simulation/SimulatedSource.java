package io.tidemark.simulation;

import io.tidemark.block.ChangedBlocks;
import io.tidemark.block.ChangedBlocksByDigest;
import io.tidemark.block.ChangedRuns;
import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.provider.memory.MemoryStorage;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.SourceEffect;
import io.tidemark.replication.SourceInput;
import io.tidemark.replication.SourceSync;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.SyncCost;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A source host: the real machine over simulated storage. Only its disk outlives crashes. */
final class SimulatedSource {
    static final VolumeId VOLUME = new VolumeId("memory:orders");
    static final HoldOwner OWNER = new HoldOwner("ln-1");

    private final World world;
    final MemoryStorage storage = new MemoryStorage();
    MemoryProvider provider = provider();
    private final ArrayDeque<SourceInput> inputs = new ArrayDeque<>();
    private final ArrayDeque<Message.Digests> digests = new ArrayDeque<>();
    private @Nullable SourceSync sync;
    private @Nullable SimulatedConnection connection;
    private @Nullable ChangedRuns runs;
    private Optional<ReplicationError> failure = Optional.empty();

    SimulatedSource(World world) {
        this.world = world;
    }

    private MemoryProvider provider() {
        return new MemoryProvider("memory", storage, InstantSource.fixed(Instant.EPOCH), () -> 0);
    }

    void start(RecoveryPointId point, List<RecoveryPointId> candidates, long volumeBytes) {
        end();
        failure = Optional.empty();
        sync = SourceSync.of(new SourceSync.Task(
                new io.tidemark.domain.LinkId("ln-1"), point, candidates, volumeBytes, "{}", "sim"));
        inputs.add(new SourceInput.Start());
    }

    boolean running() {
        return sync != null && !sync.state().ended();
    }

    boolean busy() {
        return running() && !inputs.isEmpty();
    }

    Optional<SourceSync> sync() {
        return Optional.ofNullable(sync);
    }

    Optional<ReplicationError> failure() {
        return failure;
    }

    void received(Message message) {
        inputs.add(new SourceInput.Received(message));
    }

    void lost(ReplicationError error) {
        inputs.add(new SourceInput.Failed(error));
    }

    void crash() {
        provider.close();
        storage.crash(world.random);
        provider = provider();
        end();
        sync = null;
    }

    private void end() {
        inputs.clear();
        digests.clear();
        runs = null;
        connection = null;
    }

    /** Takes one input through the machine. */
    void work() throws ProviderException {
        var running = sync;
        if (running == null) {
            return;
        }
        var step = running.step(inputs.remove());
        sync = step.sync();
        for (var effect : step.effects()) {
            world.mayCrash();
            try {
                run(effect, step.sync());
            } catch (ProviderException e) {
                inputs.addFirst(new SourceInput.Failed(new ReplicationError.Storage(e.error())));
                return;
            }
        }
    }

    private void run(SourceEffect effect, SourceSync now) throws ProviderException {
        switch (effect) {
            case SourceEffect.Connect _ -> {
                connection = world.connect();
                inputs.add(new SourceInput.Connected());
            }
            case SourceEffect.Send send -> {
                if (connection != null && !connection.cut) {
                    connection.toTarget.send(send.message());
                }
            }
            case SourceEffect.Hold hold -> {
                provider.hold(snapshot(hold.point()), OWNER);
                inputs.add(new SourceInput.Held());
            }
            case SourceEffect.OpenImage open -> open(open, now.task().point());
            case SourceEffect.UseDigests use -> {
                var copy = ByteBuffer.allocate(use.digests().digests().remaining())
                        .put(use.digests().digests().duplicate());
                digests.add(new Message.Digests(
                        use.digests().offsetBytes(), use.digests().lengthBytes(), copy.flip()));
            }
            case SourceEffect.ReadBlocks _ -> inputs.add(read(now.task().point()));
            case SourceEffect.MoveHolds move -> {
                for (var point : move.letGo()) {
                    world.mayCrash();
                    provider.release(snapshot(point), OWNER);
                }
                inputs.add(new SourceInput.HoldsMoved());
            }
            case SourceEffect.Reached _, SourceEffect.Finish _ -> {}
            case SourceEffect.Fail fail -> failure = Optional.of(fail.error());
        }
    }

    private void open(SourceEffect.OpenImage open, RecoveryPointId point) throws ProviderException {
        if (open.base().isEmpty()) {
            return;
        }
        var base = snapshot(open.base().get());
        provider.hold(base, OWNER);
        for (var older : open.letGo()) {
            provider.release(snapshot(older), OWNER);
        }
        runs = new ChangedBlocks(
                provider.changedRanges(base, snapshot(point)),
                provider.read(base),
                provider.read(snapshot(point)),
                World.KERNEL,
                open.resumeBytes());
    }

    /** One run a frame: many small frames make more moments to die in. */
    private SourceInput read(RecoveryPointId point) throws ProviderException {
        var open = runs;
        if (open == null && !digests.isEmpty()) {
            var span = digests.remove();
            open = new ChangedBlocksByDigest(
                    provider.read(snapshot(point)),
                    World.KERNEL,
                    new ChangedBlocksByDigest.SpanDigests(span.offsetBytes(), span.lengthBytes(), span.digests()));
            runs = open;
        }
        var run = open == null ? null : open.next().orElse(null);
        if (run == null) {
            runs = null;
            return new SourceInput.NothingLeft(SyncCost.NONE);
        }
        var data = ByteBuffer.allocate(run.data().remaining()).put(run.data().duplicate());
        return new SourceInput.BlocksRead(
                List.of(new BlockExtent(run.offsetBytes(), (int) run.lengthBytes(), run.zero())), data.flip());
    }

    private static SnapshotId snapshot(RecoveryPointId point) {
        return new SnapshotId(VOLUME, point);
    }
}
