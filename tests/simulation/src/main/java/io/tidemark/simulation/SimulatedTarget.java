package io.tidemark.simulation;

import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.TargetEffect;
import io.tidemark.replication.TargetInput;
import io.tidemark.replication.TargetState;
import io.tidemark.replication.TargetSync;
import io.tidemark.replication.TargetView;
import io.tidemark.replication.protocol.IngestLogFormat;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A target host: the real machine, carried out as {@code agent.TargetHost} does. Its storage, its ingest log and its
 * record of the link outlive it; its sessions are {@link TargetSessions}.
 */
class SimulatedTarget extends TargetSessions {
    static final VolumeId VOLUME = new VolumeId("memory:copy");
    static final HoldOwner OWNER = new HoldOwner("ln-1");
    private static final int BLOCK_BYTES = 4 << 10;
    /** As {@code agent.IngestFolder}. */
    private static final Duration LOG_AGE_MAXIMUM = Duration.ofDays(7);

    @Nullable
    SimulatedLog log;

    Optional<RecoveryPointId> inStep = Optional.empty();
    boolean full;
    private @Nullable VolumeWriter writer;
    private Optional<RecoveryPointId> planned = Optional.empty();

    SimulatedTarget(World world) {
        super(world);
    }

    @Override
    final void crashed(boolean power) {
        if (log != null && power) {
            log.crash(world.random);
        }
        writer = null;
    }

    /** As {@code agent.IngestFolder}: finishes what is committed, keeps what is fresh. */
    @Override
    Optional<RecoveryPointId> leftCommitted() {
        reopen();
        if (log != null && !log.committed() && log.header.createdAt().isBefore(now().minus(LOG_AGE_MAXIMUM))) {
            note("removes a log of " + log.header.createdAt());
            log = null;
        }
        return Optional.ofNullable(log).filter(SimulatedLog::committed).map(left -> left.header.point());
    }

    /** Syncs what it finds: a killed process may have left it in the kernel's memory only. */
    void reopen() {
        log = Optional.ofNullable(log).flatMap(SimulatedLog::reopened).orElse(null);
        if (log != null) {
            log.sync();
        }
    }

    @Override
    final void sessionEnded() throws ProviderException {
        closeWriter();
    }

    @Override
    void perform(TargetEffect effect, Session session) throws ProviderException, ReplicationException {
        switch (effect) {
            case TargetEffect.Send send -> session.send(send.message());
            case TargetEffect.Reached _, TargetEffect.Finish _, TargetEffect.KeepContent _ -> {}
            case TargetEffect.Fail fail -> session.failure = Optional.of(fail.error());
            case TargetEffect.Look _ -> {
                finishCommitted();
                reopen();
                var view = look();
                planned = view.stands();
                session.inputs.add(new TargetInput.Looked(view));
            }
            case TargetEffect.StartLog start -> start(start);
            case TargetEffect.ReopenLog _ -> openLog().continueFromCheckpoint();
            case TargetEffect.Append append -> append(append.blocks());
            case TargetEffect.SyncLog synced -> {
                needRoom();
                flushDirect();
                openLog().appendCheckpoint(synced.totals());
                world.mayCrash();
                openLog().sync();
                session.inputs.add(new TargetInput.LogSynced(synced.totals()));
            }
            case TargetEffect.AnswerDigests answer -> answer(answer.wanted(), session);
            case TargetEffect.WriteCommit commit -> {
                needRoom();
                flushDirect();
                refuseWhenMovedMeanwhile();
                commit(commit.commit());
                session.inputs.add(new TargetInput.CommitDurable());
            }
            case TargetEffect.ApplyLog _ -> apply(session);
            case TargetEffect.CutSnapshot cut -> {
                closeWriter();
                provider.cut(new CutRequest(cut.point(), List.of(VOLUME)));
                session.inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.HoldSnapshot hold -> hold(hold.point(), session);
            case TargetEffect.RecordPoint point -> {
                inStep = Optional.of(point.point());
                session.inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.LetGoOfOlder older -> letGo(older.point(), session);
            case TargetEffect.ClearLog _ -> {
                log = null;
                session.inputs.add(new TargetInput.StepDone());
            }
        }
    }

    private void finishCommitted() throws ProviderException, ReplicationException {
        var left = log;
        if (left == null || !left.committed()) {
            return;
        }
        var finishing = new Session(null, TargetSync.of("simulated", World.SYNC_FRAMES, versions));
        finishing.inputs.add(new TargetInput.CommitFound(left.header.point()));
        while (!finishing.idle()) {
            world.mayCrash();
            if (Hazards.strikes(world.hazards().retention(), world.random)) {
                world.retention(this, VOLUME);
            }
            turn(finishing);
        }
        closeWriter();
        if (finishing.failure.isPresent()) {
            throw new ReplicationException(finishing.failure.get());
        }
    }

    private TargetView look() throws ProviderException {
        var points = provider.snapshots(SnapshotQuery.ofVolume(VOLUME)).snapshots().stream()
                .map(snapshot -> snapshot.id().recoveryPoint())
                .toList();
        var left = Optional.ofNullable(log)
                .map(open -> new TargetView.LogView(
                        open.header.point(),
                        open.header.base(),
                        open.header.volumeBytes(),
                        open.header.direct(),
                        open.durable()));
        return new TargetView(VOLUME, provider.volume(VOLUME).sizeBytes(), points, inStep, Optional.empty(), left);
    }

    private void start(TargetEffect.StartLog start) throws ReplicationException {
        needRoom();
        var offer = start.offer();
        log = SimulatedLog.create(
                new IngestLogFormat.Header(
                        SimulatedSource.LINK,
                        offer.point(),
                        start.base(),
                        VOLUME,
                        offer.volumeBytes(),
                        start.direct(),
                        now()),
                offer.metadata());
        world.mayCrash();
        log.sync();
    }

    private void append(Message.Blocks blocks) throws ProviderException, ReplicationException {
        if (openLog().header.direct()) {
            write(blocks);
            return;
        }
        openLog().append(blocks);
        if (full) {
            openLog().tearEnd(world.random);
            needRoom();
        }
    }

    /** Two syncs: a commit record must never be durable before what it commits. */
    void commit(Message.Commit commit) {
        openLog().appendCheckpoint(commit.totals());
        world.mayCrash();
        openLog().sync();
        openLog().appendCommit(commit);
        world.mayCrash();
        openLog().sync();
    }

    private void refuseWhenMovedMeanwhile() throws ProviderException, ReplicationException {
        if (!openLog().header.direct() && !look().stands().equals(planned)) {
            throw new ReplicationException(new ReplicationError.TargetWritten(VOLUME, "stands elsewhere now"));
        }
    }

    void apply(Session session) throws ProviderException {
        if (!openLog().header.direct()) {
            for (var blocks : openLog().blocks()) {
                write(blocks);
                world.mayCrash();
            }
        }
        openWriter().flush();
        closeWriter();
        session.inputs.add(new TargetInput.StepDone());
    }

    /** As the real host does: retention may have been faster, and the volume still has the content. */
    private void hold(RecoveryPointId point, Session session) throws ProviderException {
        provider.cut(new CutRequest(point, List.of(VOLUME)));
        provider.hold(new SnapshotId(VOLUME, point), OWNER);
        session.inputs.add(new TargetInput.StepDone());
    }

    private void answer(Message.DigestsWanted wanted, Session session) throws ProviderException {
        var data = ByteBuffer.allocateDirect(wanted.lengthBytes());
        openWriter().read(wanted.offsetBytes(), data);
        int blocks = (wanted.lengthBytes() + BLOCK_BYTES - 1) / BLOCK_BYTES;
        var digests = ByteBuffer.allocateDirect(blocks * HashAlgorithm.XXH3_128.digestBytes());
        World.KERNEL.hashBlocks(data.flip(), BLOCK_BYTES, HashAlgorithm.XXH3_128, digests);
        session.send(new Message.Digests(wanted.offsetBytes(), wanted.lengthBytes(), digests.clear()));
    }

    final void write(Message.Blocks blocks) throws ProviderException {
        if (full) {
            throw new ProviderException(new ProviderError.OutOfSpace(VOLUME.value(), 0, BLOCK_BYTES));
        }
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

    private void letGo(RecoveryPointId point, Session session) throws ProviderException {
        for (var snapshot : provider.snapshots(SnapshotQuery.ofVolume(VOLUME)).snapshots()) {
            world.mayCrash();
            if (!snapshot.id().recoveryPoint().equals(point)) {
                provider.release(snapshot.id(), OWNER);
            }
        }
        session.inputs.add(new TargetInput.StepDone());
    }

    private void flushDirect() throws ProviderException {
        if (openLog().header.direct() && writer != null) {
            writer.flush();
        }
    }

    private void needRoom() throws ReplicationException {
        if (full) {
            throw new ReplicationException(new ReplicationError.State("ln-1.ingest", "no space left on device"));
        }
    }

    final SimulatedLog openLog() {
        if (log == null) {
            throw new IllegalStateException("no log is open in " + state());
        }
        return log;
    }

    final VolumeWriter openWriter() throws ProviderException {
        var open = writer;
        if (open == null) {
            open = provider.write(VOLUME);
            writer = open;
        }
        return open;
    }

    final void closeWriter() throws ProviderException {
        var open = writer;
        writer = null;
        if (open != null) {
            open.close();
        }
    }

    /** Whether the volume may be between two recovery points: a durable commit is being carried out. */
    final boolean between() {
        return log != null && log.commitDurable();
    }

    /** Whether a first copy is being written; there is no recovery point it could harm. */
    final boolean direct() {
        return log != null && log.header.direct();
    }

    /** Bytes that arrived and would be lost if this host died now. */
    final long unsyncedBytes() {
        return working()
                .filter(sync -> sync.state() == TargetState.RECEIVING)
                .map(TargetSync::unsyncedBytes)
                .orElse(0L);
    }
}
