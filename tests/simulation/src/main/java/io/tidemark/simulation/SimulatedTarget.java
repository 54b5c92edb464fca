package io.tidemark.simulation;

import io.tidemark.nativeblock.HashAlgorithm;
import io.tidemark.replication.BlocksByOthers;
import io.tidemark.replication.KeptPoints;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.TargetEffect;
import io.tidemark.replication.TargetInput;
import io.tidemark.replication.TargetSync;
import io.tidemark.replication.TargetView;
import io.tidemark.replication.protocol.IngestLogFormat;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What receives: the real machine, carried out as {@code agent.TargetHost} does. The host's storage, its ingest log and
 * what a resync has overruled outlive it; its sessions are {@link TargetSessions}, its writer {@link SimulatedIngest}.
 */
class SimulatedTarget extends TargetPromotions {
    private static final int BLOCK_BYTES = 4 << 10;
    /** As {@code agent.IngestFolder}. */
    private static final Duration LOG_AGE_MAXIMUM = Duration.ofDays(7);

    final SimulatedIngest ingest;

    @Nullable
    SimulatedLog log;

    boolean full;
    private Set<RecoveryPointId> overruled = Set.of();
    private @Nullable VolumeWriter writer;
    private Optional<RecoveryPointId> planned = Optional.empty();
    /** Of a resync: what its log builds upon. */
    private Optional<RecoveryPointId> kept = Optional.empty();

    SimulatedTarget(SimulatedHost host) {
        super(host);
        this.ingest = new SimulatedIngest(host, this);
    }

    final void losesPower() {
        if (log != null) {
            log.crash(world.random);
        }
    }

    @Override
    final void forget() {
        super.forget();
        writer = null;
    }

    /** As {@code agent.IngestFolder}: finishes what is committed, keeps what is fresh. */
    @Override
    Optional<RecoveryPointId> leftCommitted() {
        reopen();
        if (log != null
                && !log.committed()
                && log.header.createdAt().isBefore(host.now().minus(LOG_AGE_MAXIMUM))) {
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
        ingest.close();
        closeWriter();
    }

    @Override
    boolean awaitsWriter(Session session) {
        return session.effects.peek() instanceof TargetEffect.WriteCommit && ingest.busy();
    }

    @Override
    void perform(TargetEffect effect, Session session) throws ProviderException, ReplicationException {
        switch (effect) {
            case TargetEffect.Send send -> session.send(send.message());
            case TargetEffect.Reached _, TargetEffect.Finish _ -> {}
            case TargetEffect.Fail fail -> session.failure = Optional.of(fail.error());
            case TargetEffect.Look _ -> look(session);
            case TargetEffect.KeepContent _ ->
                keepAndOverrule(session.sync.offer().orElseThrow().point());
            case TargetEffect.StartLog start -> start(start, session);
            case TargetEffect.ReopenLog _ -> {
                openLog().continueFromCheckpoint();
                ingest.begin(session);
            }
            case TargetEffect.Append append -> ingest.append(append.blocks());
            case TargetEffect.SyncLog synced -> ingest.sync(synced.totals());
            case TargetEffect.AnswerDigests answer -> answer(answer.wanted(), session);
            case TargetEffect.WriteCommit commit -> {
                if (!ingest.failed()) {
                    needRoom();
                    flushDirect();
                    refuseWhenWrittenMeanwhile(session.sync);
                    commit(commit.commit());
                    session.inputs.add(new TargetInput.CommitDurable());
                }
            }
            case TargetEffect.ApplyLog _ -> apply(session);
            case TargetEffect.CutSnapshot cut -> {
                closeWriter();
                host.provider.cut(new CutRequest(cut.point(), List.of(SimulatedHost.VOLUME)));
                session.inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.HoldSnapshot hold -> hold(hold.point(), session);
            case TargetEffect.RecordPoint point -> {
                host.recorded.add(point.point());
                host.inStep = Optional.of(point.point());
                session.inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.LetGoOfOlder older -> letGo(older.point(), session);
            case TargetEffect.ClearLog _ -> {
                log = null;
                session.inputs.add(new TargetInput.StepDone());
            }
        }
    }

    private void look(Session session) throws ProviderException, ReplicationException {
        finishCommitted();
        reopen();
        kept = Optional.ofNullable(log).flatMap(left -> left.header.base()).filter(KeptPoints::is);
        var view = view(session.sync.resync() ? resumable() : left());
        planned = view.stands();
        session.inputs.add(new TargetInput.Looked(view));
    }

    @Override
    final void finishCommitted() throws ProviderException, ReplicationException {
        var left = log;
        if (left == null || !left.committed()) {
            return;
        }
        var finishing = new Session(null, TargetSync.of("simulated", World.SYNC_FRAMES, host.versions));
        finishing.inputs.add(new TargetInput.CommitFound(left.header.point()));
        while (!finishing.idle()) {
            world.mayCrash();
            if (Hazards.strikes(world.hazards().retention(), world.random)) {
                world.people.retention(host);
            }
            turn(finishing);
        }
        closeWriter();
        if (finishing.failure.isPresent()) {
            throw new ReplicationException(finishing.failure.get());
        }
    }

    private Optional<TargetView.LogView> left() {
        return Optional.ofNullable(log)
                .map(open -> new TargetView.LogView(
                        open.header.point(),
                        open.header.base(),
                        open.header.volumeBytes(),
                        open.header.direct(),
                        open.durable()));
    }

    /** What an interrupted resync left, when the volume is still what that resync kept. */
    private Optional<TargetView.LogView> resumable() throws ProviderException {
        if (kept.isEmpty() || host.writtenSince(kept.get())) {
            return Optional.empty();
        }
        return left().map(of ->
                new TargetView.LogView(of.point(), Optional.empty(), of.volumeBytes(), of.direct(), of.totals()));
    }

    private TargetView view(Optional<TargetView.LogView> left) throws ProviderException {
        var points =
                host.snapshots().stream().filter(point -> !KeptPoints.is(point)).toList();
        var view = new TargetView(
                SimulatedHost.VOLUME, world.volumeBytes, points, host.inStep, Optional.empty(), left, overruled);
        return view.stands().isEmpty() || !written(view.stands().get())
                ? view
                : new TargetView(
                        SimulatedHost.VOLUME,
                        world.volumeBytes,
                        points,
                        host.inStep,
                        Optional.of("it differs"),
                        left,
                        overruled);
    }

    @Override
    final boolean writtenByOthers() throws ProviderException {
        return view(Optional.empty()).written().isPresent();
    }

    boolean written(RecoveryPointId stands) throws ProviderException {
        return host.writtenSince(stands);
    }

    void keepAndOverrule(RecoveryPointId offered) throws ProviderException {
        keep(offered);
        world.mayCrash();
        overruled = Set.copyOf(host.snapshots());
    }

    /** As {@code agent.KeptContent}. */
    final void keep(RecoveryPointId offered) throws ProviderException {
        closeWriter();
        if (full) {
            throw new ProviderException(
                    new ProviderError.OutOfSpace(SimulatedHost.VOLUME.value(), 0, world.volumeBytes));
        }
        var earlier = KeptPoints.earlier(host.snapshots(), offered);
        var id = earlier.isEmpty() || host.writtenSince(earlier.getLast())
                ? KeptPoints.next(earlier, offered)
                : earlier.getLast();
        host.provider.cut(new CutRequest(id, List.of(SimulatedHost.VOLUME)));
        world.mayCrash();
        host.provider.hold(SimulatedHost.snapshot(id), SimulatedHost.OWNER);
        world.mayCrash();
        host.recorded.add(id);
        kept = Optional.of(id);
    }

    private void start(TargetEffect.StartLog start, Session session) throws ReplicationException {
        needRoom();
        var offer = start.offer();
        log = SimulatedLog.create(
                new IngestLogFormat.Header(
                        SimulatedHost.LINK,
                        offer.point(),
                        session.sync.resync() ? kept : start.base(),
                        SimulatedHost.VOLUME,
                        offer.volumeBytes(),
                        start.direct(),
                        host.now()),
                offer.metadata());
        world.mayCrash();
        log.sync();
        ingest.begin(session);
    }

    /** Called by the writer. */
    final void append(Message.Blocks blocks) throws ProviderException, ReplicationException {
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

    /** Called by the writer. */
    void sync(IngestTotals totals) throws ProviderException, ReplicationException {
        needRoom();
        flushDirect();
        openLog().appendCheckpoint(totals);
        world.mayCrash();
        openLog().sync();
    }

    IngestTotals acknowledged(IngestTotals synced) {
        return synced;
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

    void refuseWhenWrittenMeanwhile(TargetSync sync) throws ProviderException, ReplicationException {
        if (openLog().header.direct()) {
            return;
        }
        closeWriter();
        boolean written;
        if (sync.resync()) {
            written = host.writtenSince(kept.orElseThrow());
        } else {
            var now = view(Optional.empty());
            written = now.written().isPresent() || !now.stands().equals(planned);
        }
        if (written) {
            throw new ReplicationException(
                    new ReplicationError.TargetWritten(SimulatedHost.VOLUME, "written, or stands elsewhere now"));
        }
    }

    void apply(Session session) throws ProviderException, ReplicationException {
        if (!openLog().header.direct() && (session.connected() || makesWay())) {
            for (var blocks : openLog().blocks()) {
                write(blocks);
                world.mayCrash();
            }
        }
        openWriter().flush();
        closeWriter();
        session.inputs.add(new TargetInput.StepDone());
    }

    /**
     * As {@code agent.FoundCommit}: what others wrote while nobody watched is kept, and made the base's again where the
     * log leaves it alone.
     *
     * @return whether there is something to apply
     */
    boolean makesWay() throws ProviderException {
        var point = openLog().header.point();
        boolean resync = openLog().header.base().filter(KeptPoints::is).isPresent();
        if (!resync && host.has(point)) {
            host.provider.hold(SimulatedHost.snapshot(point), SimulatedHost.OWNER);
            return false;
        }
        var base = openLog().header.base().or(() -> host.inStep);
        if (base.isEmpty() || !host.has(base.get())) {
            return true;
        }
        var others = byOthers(base.get());
        if (!others.isEmpty()) {
            note("others wrote " + others);
            keep(point);
            world.mayCrash();
            for (var piece : others) {
                if (!piece.inLog()) {
                    restore(base.get(), piece);
                    world.mayCrash();
                }
            }
        }
        return true;
    }

    private record Piece(long offsetBytes, long lengthBytes, boolean inLog) {}

    private List<Piece> byOthers(RecoveryPointId base) throws ProviderException {
        var pieces = new ArrayList<Piece>();
        host.compare(base, changed -> {
            var others = new BlocksByOthers(
                    changed, (offset, length, inLog) -> pieces.add(new Piece(offset, length, inLog)));
            for (var blocks : openLog().blocks()) {
                others.passed(blocks);
            }
            others.end();
        });
        return pieces;
    }

    private void restore(RecoveryPointId base, Piece piece) throws ProviderException {
        var bytes = ByteBuffer.allocate((int) piece.lengthBytes());
        try (var reader = host.provider.read(SimulatedHost.snapshot(base))) {
            reader.read(piece.offsetBytes(), bytes);
        }
        openWriter().write(piece.offsetBytes(), bytes.flip());
    }

    /** As the real host does: retention may have been faster, and the volume still has the content. */
    private void hold(RecoveryPointId point, Session session) throws ProviderException {
        host.provider.cut(new CutRequest(point, List.of(SimulatedHost.VOLUME)));
        host.provider.hold(SimulatedHost.snapshot(point), SimulatedHost.OWNER);
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
            throw new ProviderException(new ProviderError.OutOfSpace(SimulatedHost.VOLUME.value(), 0, BLOCK_BYTES));
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
        for (var other : host.snapshots()) {
            world.mayCrash();
            if (!other.equals(point)) {
                host.provider.release(SimulatedHost.snapshot(other), SimulatedHost.OWNER);
            }
        }
        session.inputs.add(new TargetInput.StepDone());
    }

    @Override
    void forgetLog() {
        log = null;
        overruled = Set.of();
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
            open = host.provider.write(SimulatedHost.VOLUME);
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

    /** Frames that arrived and would be lost if this host died now. */
    final long unsyncedFrames() {
        return working()
                .map(sync -> sync.received().frameCount() - sync.durable().frameCount())
                .orElse(0L);
    }
}
