package io.tidemark.simulation;

import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.provider.memory.MemoryStorage;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.TargetEffect;
import io.tidemark.replication.TargetInput;
import io.tidemark.replication.TargetSync;
import io.tidemark.replication.TargetView;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A target host: the real machine over simulated storage. Its disk, log and record of the link outlive crashes. */
final class SimulatedTarget {
    static final VolumeId VOLUME = new VolumeId("memory:copy");
    static final HoldOwner OWNER = new HoldOwner("ln-1");
    private static final int BLOCK_BYTES = 4 << 10;

    private final World world;
    final MemoryStorage storage = new MemoryStorage();
    MemoryProvider provider = provider();

    @Nullable
    SimulatedLog log;

    Optional<RecoveryPointId> inStep = Optional.empty();
    private @Nullable SimulatedConnection connection;
    private TargetSync sync;
    private final ArrayDeque<TargetInput> inputs = new ArrayDeque<>();
    private @Nullable VolumeWriter writer;

    SimulatedTarget(World world) {
        this.world = world;
        this.sync = TargetSync.of("sim", World.SYNC_FRAMES);
    }

    private MemoryProvider provider() {
        return new MemoryProvider("memory", storage, InstantSource.fixed(Instant.EPOCH), () -> 0);
    }

    boolean busy() {
        return !inputs.isEmpty();
    }

    boolean between() {
        var open = log;
        return open != null && (open.direct || open.committed());
    }

    void connected(SimulatedConnection made) throws ProviderException {
        // A new session takes over from one that a cut left behind.
        closeWriter();
        inputs.clear();
        connection = made;
        sync = TargetSync.of("sim", World.SYNC_FRAMES);
    }

    void received(Message message) {
        inputs.add(new TargetInput.Received(message));
    }

    void lost(ReplicationError error, boolean damaged) {
        inputs.add(damaged ? new TargetInput.Failed(error) : new TargetInput.LinkLost(error));
    }

    /** Takes one input through the machine. */
    void work() throws ProviderException, ReplicationException {
        var step = sync.step(inputs.remove());
        sync = step.sync();
        for (var effect : step.effects()) {
            world.mayCrash();
            run(effect);
        }
    }

    void crash() {
        provider.close();
        storage.crash(world.random);
        if (log != null) {
            log.crash(world.random);
        }
        provider = provider();
        writer = null;
        inputs.clear();
        connection = null;
        sync = TargetSync.of("sim", World.SYNC_FRAMES);
    }

    void restart() throws ProviderException, ReplicationException {
        finishCommitted();
    }

    private void finishCommitted() throws ProviderException, ReplicationException {
        var left = log;
        if (left == null || !left.committed()) {
            return;
        }
        var kept = sync;
        sync = TargetSync.of("sim", World.SYNC_FRAMES);
        var aside = new ArrayDeque<>(inputs);
        inputs.clear();
        inputs.add(new TargetInput.CommitFound(left.point));
        while (!inputs.isEmpty()) {
            work();
        }
        inputs.addAll(aside);
        sync = kept;
    }

    private void run(TargetEffect effect) throws ProviderException, ReplicationException {
        switch (effect) {
            case TargetEffect.Send send -> {
                if (connection != null && !connection.cut) {
                    connection.toSource.send(send.message());
                }
            }
            case TargetEffect.Reached _, TargetEffect.Finish _, TargetEffect.KeepContent _ -> {}
            case TargetEffect.Fail _ -> closeWriter();
            case TargetEffect.Look _ -> {
                finishCommitted();
                inputs.add(new TargetInput.Looked(look()));
            }
            case TargetEffect.StartLog start ->
                log = new SimulatedLog(
                        start.offer().point(), start.base(), start.offer().volumeBytes(), start.direct());
            case TargetEffect.ReopenLog _ -> openLog().cutBehindCheckpoint();
            case TargetEffect.Append append -> append(append.blocks());
            case TargetEffect.SyncLog synced -> {
                flushDirect();
                openLog().appendCheckpoint(synced.totals());
                world.mayCrash();
                openLog().sync();
                inputs.add(new TargetInput.LogSynced(synced.totals()));
            }
            case TargetEffect.AnswerDigests answer -> answer(answer.wanted());
            case TargetEffect.WriteCommit commit -> {
                flushDirect();
                openLog().appendCheckpoint(commit.commit().totals());
                openLog().sync();
                openLog().appendCommit();
                world.mayCrash();
                openLog().sync();
                inputs.add(new TargetInput.CommitDurable());
            }
            case TargetEffect.ApplyLog _ -> apply();
            case TargetEffect.CutSnapshot cut -> {
                closeWriter();
                provider.cut(new CutRequest(cut.point(), List.of(VOLUME)));
                inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.HoldSnapshot hold -> {
                // As the real host does: retention may have been faster.
                provider.cut(new CutRequest(hold.point(), List.of(VOLUME)));
                provider.hold(new SnapshotId(VOLUME, hold.point()), OWNER);
                inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.RecordPoint point -> {
                inStep = Optional.of(point.point());
                inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.LetGoOfOlder older -> letGo(older.point());
            case TargetEffect.ClearLog _ -> {
                log = null;
                inputs.add(new TargetInput.StepDone());
            }
        }
    }

    private TargetView look() throws ProviderException {
        var points = provider.snapshots(SnapshotQuery.ofVolume(VOLUME)).snapshots().stream()
                .map(snapshot -> snapshot.id().recoveryPoint())
                .toList();
        var left = Optional.ofNullable(log)
                .map(open ->
                        new TargetView.LogView(open.point, open.base, open.volumeBytes, open.direct, open.durable()));
        return new TargetView(VOLUME, provider.volume(VOLUME).sizeBytes(), points, inStep, Optional.empty(), left);
    }

    private void append(Message.Blocks blocks) throws ProviderException {
        if (openLog().direct) {
            write(blocks);
        } else {
            openLog().append(blocks);
        }
    }

    private void apply() throws ProviderException {
        for (var blocks : openLog().blocks()) {
            write(blocks);
            world.mayCrash();
        }
        openWriter().flush();
        closeWriter();
        inputs.add(new TargetInput.StepDone());
    }

    private void answer(Message.DigestsWanted wanted) throws ProviderException {
        var data = ByteBuffer.allocateDirect(wanted.lengthBytes());
        openWriter().read(wanted.offsetBytes(), data);
        int blocks = (wanted.lengthBytes() + BLOCK_BYTES - 1) / BLOCK_BYTES;
        var digests = ByteBuffer.allocateDirect(blocks * HashAlgorithm.XXH3_128.digestBytes());
        World.KERNEL.hashBlocks(data.flip(), BLOCK_BYTES, HashAlgorithm.XXH3_128, digests);
        if (connection != null && !connection.cut) {
            connection.toSource.send(new Message.Digests(wanted.offsetBytes(), wanted.lengthBytes(), digests.clear()));
        }
    }

    private void write(Message.Blocks blocks) throws ProviderException {
        var data = blocks.data().duplicate();
        for (var extent : blocks.extents()) {
            if (extent.zero()) {
                openWriter().writeZeroes(new BlockRange(extent.offsetBytes(), extent.lengthBytes()));
            } else {
                openWriter().write(extent.offsetBytes(), data.slice(data.position(), extent.lengthBytes()));
                data.position(data.position() + extent.lengthBytes());
            }
        }
    }

    private void letGo(RecoveryPointId point) throws ProviderException {
        for (var snapshot : provider.snapshots(SnapshotQuery.ofVolume(VOLUME)).snapshots()) {
            if (!snapshot.id().recoveryPoint().equals(point)) {
                provider.release(snapshot.id(), OWNER);
            }
        }
        inputs.add(new TargetInput.StepDone());
    }

    private void flushDirect() throws ProviderException {
        if (openLog().direct && writer != null) {
            writer.flush();
        }
    }

    private SimulatedLog openLog() {
        if (log == null) {
            throw new IllegalStateException("no log is open in " + sync.state());
        }
        return log;
    }

    private VolumeWriter openWriter() throws ProviderException {
        var open = writer;
        if (open == null) {
            open = provider.write(VOLUME);
            writer = open;
        }
        return open;
    }

    private void closeWriter() throws ProviderException {
        var open = writer;
        writer = null;
        if (open != null) {
            open.close();
        }
    }
}
