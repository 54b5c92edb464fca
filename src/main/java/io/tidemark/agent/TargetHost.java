package io.tidemark.agent;

import io.tidemark.domain.Moment;
import io.tidemark.domain.Moments;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.replication.KeptPoints;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.SyncPlan;
import io.tidemark.replication.TargetEffect;
import io.tidemark.replication.TargetInput;
import io.tidemark.replication.TargetSync;
import io.tidemark.replication.TargetView;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.IngestLogFormat;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.StorageProvider;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one {@link TargetSync} on real storage: carries out its effects and tells it what came of them. The session's
 * thread receives and decides; blocks are written and synced by an {@link IngestWriter}, whose answers go through the
 * machine on its own thread unless the session's is in it.
 */
final class TargetHost implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TargetHost.class);

    /**
     * What every session shares.
     *
     * @param folder of ingest logs
     * @param nanos monotonic
     */
    record Site(
            Providers providers,
            SiteCatalog catalog,
            BlockKernel kernel,
            Path folder,
            Moments moments,
            InstantSource clock,
            LongSupplier nanos,
            String software) {

        Path logOf(io.tidemark.domain.LinkId link) {
            return folder.resolve(link + ".ingest");
        }

        TargetVolumes volumes() {
            return new TargetVolumes(providers, kernel, folder);
        }
    }

    private final Site site;
    private final Optional<PeerConnection> connection;
    private final Optional<PeerSender> sender;
    private final ReplicationLink link;
    private final StorageProvider provider;
    private final ConcurrentLinkedQueue<TargetInput> inputs = new ConcurrentLinkedQueue<>();
    /** Of the writer. */
    private final ConcurrentLinkedQueue<TargetInput> answers = new ConcurrentLinkedQueue<>();
    /** Guards the machine and everything its effects touch but the log and the volume while blocks arrive. */
    private final ReentrantLock turn = new ReentrantLock();

    private final TargetBlocks blocks;
    private final TargetPoints points;
    /** Read without the turn by signs of life alone. */
    private volatile TargetSync sync;

    private @Nullable IngestLog log;
    private @Nullable IngestWriter writer;
    private boolean direct;
    private Optional<RecoveryPointId> planned = Optional.empty();
    /** Of a resync: what its log builds upon. */
    private Optional<RecoveryPointId> kept = Optional.empty();

    private volatile boolean connected;
    private Optional<ReplicationError> failure = Optional.empty();

    TargetHost(Site site, Optional<PeerConnection> connection, ReplicationLink link, TargetSync sync)
            throws ProviderException {
        this.site = site;
        this.connection = connection;
        this.link = link;
        this.provider = site.providers().of(link.localVolume());
        this.blocks = new TargetBlocks(provider, link.localVolume(), site.kernel());
        this.points = new TargetPoints(site, link, provider);
        this.sync = sync;
        this.connected = connection.isPresent();
        this.sender = connection.map(to -> new PeerSender(to, this::alive));
    }

    /**
     * Finishes a committed log of the link, if there is one.
     *
     * @return whether there was
     */
    static boolean finishCommitted(Site site, ReplicationLink link) throws ReplicationException {
        var log = IngestLog.open(site.logOf(link.id()));
        if (log.isEmpty() || log.get().commit().isEmpty()) {
            if (log.isPresent()) {
                log.get().close();
            }
            return false;
        }
        var point = log.get().header().point();
        try (var host = new TargetHost(site, Optional.empty(), link, TargetSync.of(site.software()))) {
            host.log = log.get();
            host.direct = log.get().header().direct();
            host.inputs.add(new TargetInput.CommitFound(point));
            host.work();
            if (host.failure.isPresent()) {
                throw new ReplicationException(host.failure.get());
            }
            LOG.info("ingest.finished link={} recoveryPoint={}", link.id(), point);
            return true;
        } catch (ProviderException e) {
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        }
    }

    /** Serves the connection to the end of the synchronisation; empty when it ended well. */
    Optional<ReplicationError> serve(Message.Offer first) {
        // What was left has to be looked at before the first answer: that can take long.
        sender.orElseThrow().begin();
        inputs.add(new TargetInput.Received(first));
        work();
        while (!ended() && connected) {
            try {
                var message = connection.orElseThrow().receive();
                awaitRoom();
                if (!(message instanceof Message.Alive)) {
                    inputs.add(new TargetInput.Received(message));
                }
            } catch (ReplicationException e) {
                lost(e.error());
            }
            work();
        }
        return failure;
    }

    private boolean ended() {
        turn.lock();
        try {
            return sync.state().ended();
        } finally {
            turn.unlock();
        }
    }

    private void awaitRoom() throws ReplicationException {
        if (writer != null) {
            try {
                writer.awaitRoom();
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }
    }

    private static ReplicationException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new ReplicationException(new ReplicationError.ConnectionLost("here", "the session was interrupted"), e);
    }

    private void lost(ReplicationError error) {
        connected = false;
        boolean ours = error instanceof ReplicationError.CorruptFrame;
        inputs.add(ours ? new TargetInput.Failed(error) : new TargetInput.LinkLost(error));
        connected = ours;
    }

    private void work() {
        do {
            turn.lock();
            try {
                for (var input = next(); input != null; input = next()) {
                    take(input);
                }
            } finally {
                turn.unlock();
            }
        } while (!answers.isEmpty() || !inputs.isEmpty());
    }

    private @Nullable TargetInput next() {
        var answer = answers.poll();
        return answer == null ? inputs.poll() : answer;
    }

    /**
     * From the writer's thread. It never waits for the turn: whoever has it takes the answer too. It takes answers
     * alone: a commit waits for the writer, so the writer must not be the one who carries it out.
     */
    private void answer(TargetInput input) {
        answers.add(input);
        while (!answers.isEmpty() && turn.tryLock()) {
            try {
                for (var answer = answers.poll(); answer != null; answer = answers.poll()) {
                    take(answer);
                }
            } finally {
                turn.unlock();
            }
        }
    }

    private void take(TargetInput input) {
        var step = sync.step(input);
        sync = step.sync();
        for (var effect : step.effects()) {
            try {
                run(effect);
            } catch (ProviderException e) {
                inputs.add(new TargetInput.Failed(new ReplicationError.Storage(e.error())));
                break;
            } catch (ReplicationException e) {
                inputs.add(new TargetInput.Failed(e.error()));
                break;
            }
        }
    }

    private void run(TargetEffect effect) throws ReplicationException, ProviderException {
        switch (effect) {
            case TargetEffect.Send send -> send(send.message());
            case TargetEffect.Reached reached -> site.moments().reached(reached.moment());
            case TargetEffect.Look look -> look(look.offer());
            case TargetEffect.KeepContent _ -> {
                blocks.close();
                kept = Optional.of(
                        keptContent().keepAndOverrule(sync.offer().orElseThrow().point()));
            }
            case TargetEffect.StartLog start -> startLog(start);
            case TargetEffect.ReopenLog reopen -> {
                direct = reopen.direct();
                openLog().continueFromCheckpoint();
                startWriter();
            }
            case TargetEffect.Append append -> {
                boolean empty = !append.blocks().data().hasRemaining();
                openWriter()
                        .append(
                                append.blocks(),
                                empty ? () -> {} : connection.orElseThrow().keep());
            }
            case TargetEffect.SyncLog sync -> openWriter().sync(sync.totals());
            case TargetEffect.AnswerDigests answer -> send(blocks.digests(answer.wanted()));
            case TargetEffect.WriteCommit commit -> writeCommit(commit.commit());
            case TargetEffect.ApplyLog _ -> {
                applyLog();
                inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.CutSnapshot cut -> {
                blocks.close();
                // Of a stream the snapshot came first: this answers that one.
                provider.cut(new CutRequest(cut.point(), List.of(link.localVolume())));
                inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.HoldSnapshot hold -> {
                points.hold(hold.point());
                inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.RecordPoint point -> {
                points.record(openLog());
                inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.LetGoOfOlder older -> {
                points.letGoOfOlder(older.point());
                inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.ClearLog _ -> {
                clearLog();
                inputs.add(new TargetInput.StepDone());
            }
            case TargetEffect.Finish _ -> {}
            case TargetEffect.Fail fail -> failure = Optional.of(fail.error());
        }
    }

    private void clearLog() throws ReplicationException, ProviderException {
        var point = openLog().header().point();
        if (connection.isPresent()) {
            site.volumes().writeStamp(provider.volume(link.localVolume()), link.id(), point);
        } else {
            // Finished after a restart: who wrote between the cut and now is not known, so look in full.
            site.volumes().deleteStamp(link.id());
        }
        openLog().delete();
        log = null;
    }

    private void send(Message message) {
        if (!connected) {
            return;
        }
        try {
            sender.orElseThrow().send(message);
        } catch (ReplicationException e) {
            connected = false;
            inputs.add(new TargetInput.LinkLost(e.error()));
        }
    }

    private Message.Alive alive() {
        var now = sync;
        return new Message.Alive(
                now.state().name().toLowerCase(Locale.ROOT),
                now.received().throughBytes(),
                now.offer().map(Message.Offer::volumeBytes).orElse(0L));
    }

    private void look(Message.Offer offer) throws ReplicationException, ProviderException {
        if (!RecoveryPointJson.parse(offer.metadata()).id().equals(offer.point())) {
            throw new ReplicationException(
                    new ReplicationError.CorruptFrame("what is told of %s is another's".formatted(offer.point())));
        }
        TargetVolumes.refuseOtherKind(provider.volume(link.localVolume()), offer.stream());
        if (sync.resync()) {
            StuckStream.finishOrLetGo(site, link);
        } else {
            finishCommitted(site, link);
        }
        var known = site.catalog().link(link.id()).orElse(link);
        var left = IngestLog.open(site.logOf(link.id()));
        Optional<TargetView.LogView> view = Optional.empty();
        if (left.isPresent()) {
            log = left.get();
            var header = log.header();
            kept = header.base().filter(KeptPoints::is);
            view = sync.resync()
                    ? keptContent().resumable(log)
                    : Optional.of(new TargetView.LogView(
                            header.point(), header.base(), header.volumeBytes(), header.direct(), log.durable()));
        }
        var found = site.volumes().look(known, view);
        if (!offer.stream() && SyncPlan.of(offer, found, sync.resync()) instanceof SyncPlan.Build) {
            TargetVolumes.refuseUnwritable(provider.volume(link.localVolume()));
        }
        planned = found.stands();
        inputs.add(new TargetInput.Looked(found));
    }

    /** The transfer took a while; the commit would overwrite whatever came to the volume since the first look. */
    private void refuseWhenWrittenMeanwhile() throws ReplicationException, ProviderException {
        if (direct) {
            return;
        }
        blocks.close();
        if (sync.resync()) {
            var changed = keptContent().changedSince(kept.orElseThrow());
            if (changed.isPresent()) {
                throw new ReplicationException(
                        new ReplicationError.TargetWritten(link.localVolume(), changed.get() + ", during the resync"));
            }
            return;
        }
        var known = site.catalog().link(link.id()).orElse(link);
        var reason = site.volumes().otherThan(known, planned);
        if (reason.isPresent()) {
            throw new ReplicationException(new ReplicationError.TargetWritten(link.localVolume(), reason.get()));
        }
    }

    private void startLog(TargetEffect.StartLog start) throws ReplicationException {
        if (log != null) {
            log.close();
        }
        direct = start.direct();
        var offer = start.offer();
        log = IngestLog.create(
                site.logOf(link.id()),
                new IngestLogFormat.Header(
                        link.id(),
                        offer.point(),
                        sync.resync() && !offer.stream() ? kept : start.base(),
                        link.localVolume(),
                        offer.volumeBytes(),
                        direct,
                        site.clock().instant()),
                offer.metadata());
        startWriter();
    }

    private void startWriter() {
        var started = openLog();
        writer = new IngestWriter(
                new IngestWriter.Ingest() {
                    @Override
                    public void append(Message.Blocks arrived) throws ReplicationException, ProviderException {
                        if (direct) {
                            blocks.write(arrived);
                        } else {
                            started.append(arrived);
                        }
                    }

                    @Override
                    public void sync(IngestTotals totals) throws ReplicationException, ProviderException {
                        if (direct) {
                            blocks.flush();
                        }
                        if (started.header().stream()) {
                            IngestFolder.requireRoom(site.folder());
                        }
                        started.checkpoint(totals);
                    }
                },
                this::answer);
    }

    private void writeCommit(Message.Commit commit) throws ReplicationException, ProviderException {
        try {
            if (!openWriter().drain()) {
                return;
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        if (direct) {
            blocks.flushWhole();
        }
        refuseWhenWrittenMeanwhile();
        openLog().commit(commit);
        inputs.add(new TargetInput.CommitDurable());
    }

    private void applyLog() throws ReplicationException, ProviderException {
        var committed = openLog();
        if (committed.header().stream()) {
            new ReceivedStream(site, link, committed).apply(connection.isEmpty());
            return;
        }
        if (connection.isEmpty()) {
            var found = new FoundCommit(site, link, provider);
            if (found.isCut(committed.header())) {
                return;
            }
            // Before anything is kept: a volume in use is looked at again and again, and may change each time.
            TargetVolumes.refuseWhenMounted(provider.volume(link.localVolume()));
            blocks.flushWhole();
            blocks.close();
            if (!direct) {
                found.makeWay(committed, blocks);
            }
        }
        if (!direct) {
            committed.<ProviderException>replay(replayed -> {
                blocks.writeAtOnce(replayed);
                site.moments().reached(Moment.INGEST_PARTLY_APPLIED);
            });
        }
        blocks.flush();
        blocks.close();
    }

    private KeptContent keptContent() {
        return new KeptContent(site, link, provider);
    }

    private IngestLog openLog() {
        if (log == null) {
            throw new IllegalStateException("no ingest log is open in " + sync.state());
        }
        return log;
    }

    private IngestWriter openWriter() {
        if (writer == null) {
            throw new IllegalStateException("no ingest is in work in " + sync.state());
        }
        return writer;
    }

    @Override
    public void close() throws ReplicationException, ProviderException {
        try (var volume = blocks;
                var ingestLog = log;
                var last = writer;
                var quiet = sender.orElse(null)) {
            connected = false;
        }
    }
}
