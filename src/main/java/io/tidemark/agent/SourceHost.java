package io.tidemark.agent;

import io.tidemark.domain.Moments;
import io.tidemark.domain.Operation;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.SyncReport;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.SourceEffect;
import io.tidemark.replication.SourceInput;
import io.tidemark.replication.SourceState;
import io.tidemark.replication.SourceSync;
import io.tidemark.replication.port.Pace;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.port.PeerConnector;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.SyncCost;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotStreams;
import io.tidemark.spi.StorageProvider;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs one {@link SourceSync} on real storage and a real connection. The caller's thread reads, compares and sends; a
 * second one receives; a third asks whether it was cancelled, because the first may be waiting in a send.
 */
final class SourceHost {
    /** Messages received and not yet looked at: four spans of digests and some acknowledgements. */
    private static final int RECEIVED_MAXIMUM = 16;

    private static final Duration CANCEL_POLL = Duration.ofMillis(40);
    /** How soon a link that waits for the host's budget sees that another one has let go of some. */
    private static final Duration BUDGET_POLL = Duration.ofMillis(5);

    private static final Duration PROGRESS = Duration.ofMillis(250);

    /** How long a refusal that crossed our data may take to arrive before the lost connection itself is reported. */
    private static final Duration LAST_WORD = Duration.ofMillis(500);

    /**
     * @param address of the peer, {@code fingerprint} its pinned key
     * @param pace asked before each frame of blocks
     * @param budget of all links of this host
     */
    record Route(PeerConnector connector, String address, String fingerprint, Pace pace, InFlightBudget budget) {}

    /**
     * What is sent: snapshots of one volume, and how far its changed-range source is believed.
     *
     * @param streams where the volume's snapshots go as its storage's own streams
     */
    record Origin(
            StorageProvider provider,
            BlockKernel kernel,
            TrackingTrust.Transfer transfer,
            SentIndexes indexes,
            Optional<SnapshotStreams> streams) {}

    private final Route route;
    private final Origin origin;
    private final StorageProvider provider;
    private final Moments moments;
    private final LongSupplier nanos;
    private final ProgressListener listener;
    private final ArrayDeque<SourceInput> inputs = new ArrayDeque<>();
    private final BlockingQueue<SourceInput> received = new ArrayBlockingQueue<>(RECEIVED_MAXIMUM);
    private final long startNanos;
    /** Read by signs of life too. */
    private volatile SourceSync sync;

    private volatile @Nullable PeerConnection connection;
    private @Nullable PeerSender sender;
    private volatile boolean cancelled;
    private volatile boolean over;
    private final InFlightBudget.Share share;
    /** Blocks are to be read once the budget lets another frame pass. */
    private boolean readWaits;

    private @Nullable SourceContent content;
    private long progressNanos;

    SourceHost(
            Route route,
            Origin origin,
            Moments moments,
            LongSupplier nanos,
            ProgressListener listener,
            SourceSync.Task task) {
        this.route = route;
        this.origin = origin;
        this.provider = origin.provider();
        this.moments = moments;
        this.nanos = nanos;
        this.listener = listener;
        this.sync = SourceSync.of(task);
        this.share = route.budget().join();
        this.startNanos = nanos.getAsLong();
        this.progressNanos = startNanos - PROGRESS.toNanos();
    }

    SyncReport run() throws ReplicationException {
        var watch = Thread.ofVirtual().name("tidemark-sync-watch").start(this::watch);
        try {
            inputs.add(new SourceInput.Start());
            ReplicationError failure = null;
            while (!sync.state().ended()) {
                var step = sync.step(nextInput());
                sync = step.sync();
                share.hold(sync.state() == SourceState.SENDING ? sync.inFlightBytes() : 0);
                for (var effect : step.effects()) {
                    if (effect instanceof SourceEffect.Fail fail) {
                        failure = fail.error();
                    } else if (!attempt(effect)) {
                        break;
                    }
                }
                progress();
            }
            if (failure != null) {
                throw new ReplicationException(failure);
            }
            if (content != null) {
                content.sent();
            }
            return report();
        } finally {
            over = true;
            share.close();
            watch.interrupt();
            closeAll();
        }
    }

    private SourceInput nextInput() {
        try {
            while (true) {
                if (cancelled) {
                    return failed(new ReplicationError.Cancelled(sync.task().link()));
                }
                // While sending, what the peer says comes first: acknowledgements open the window, a refusal saves
                // work. Later our own steps do: the peer may have gone once it has said all.
                var heard = sync.state() == SourceState.SENDING ? received.poll() : null;
                if (heard != null) {
                    return heard;
                }
                var own = inputs.poll();
                if (own != null) {
                    return own;
                }
                if (readWaits) {
                    attempt(new SourceEffect.ReadBlocks());
                    own = inputs.poll();
                    if (own != null) {
                        return own;
                    }
                }
                var poll = readWaits ? BUDGET_POLL : CANCEL_POLL;
                heard = received.poll(poll.toMillis(), TimeUnit.MILLISECONDS);
                if (heard != null) {
                    // A cancellation closes the connection: what is heard of that is no loss of it.
                    return cancelled && heard instanceof SourceInput.Failed
                            ? failed(new ReplicationError.Cancelled(sync.task().link()))
                            : heard;
                }
                progress();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return failed(new ReplicationError.Cancelled(sync.task().link()));
        }
    }

    /** @return false when the effects after this one make no sense any more */
    private boolean attempt(SourceEffect effect) {
        try {
            perform(effect);
            return true;
        } catch (ProviderException e) {
            // A cancellation refuses to read on.
            inputs.addFirst(failed(
                    cancelled
                            ? new ReplicationError.Cancelled(sync.task().link())
                            : new ReplicationError.Storage(e.error())));
        } catch (ReplicationException e) {
            inputs.addFirst(lastWord(e.error()));
        }
        return false;
    }

    private void perform(SourceEffect effect) throws ProviderException, ReplicationException {
        switch (effect) {
            case SourceEffect.Connect _ -> connect();
            case SourceEffect.Send send -> {
                if (send.message() instanceof Message.Blocks blocks) {
                    sendPaced(blocks);
                } else {
                    openedSender().send(send.message());
                }
            }
            case SourceEffect.Hold hold -> {
                provider.hold(snapshot(hold.point()), owner());
                inputs.add(new SourceInput.Held());
            }
            case SourceEffect.OpenImage open -> openImage(open);
            case SourceEffect.UseDigests use -> openedContent().use(use.digests());
            case SourceEffect.ReadBlocks _ -> {
                readWaits = !share.grant();
                if (readWaits) {
                    return;
                }
                inputs.add(openedContent().next(this::costSoFar));
                route.pace().read(openedContent().readSinceAsked());
                await(route.pace()::untilCalm);
            }
            case SourceEffect.MoveHolds move -> {
                letGo(move.letGo());
                inputs.add(new SourceInput.HoldsMoved());
            }
            case SourceEffect.Reached reached -> moments.reached(reached.moment());
            case SourceEffect.Finish _, SourceEffect.Fail _ -> {}
        }
    }

    private void sendPaced(Message.Blocks blocks) throws ReplicationException {
        long frameBytes = blocks.data().remaining();
        await(route.pace()::untilCalm);
        openedSender().paced(await(() -> route.pace().ask(frameBytes)));
        long before = sentBytes();
        openedSender().send(blocks);
        route.pace().sent(frameBytes, sentBytes() - before);
    }

    /** Waits in pieces, so that a cancellation is heard. @return nanoseconds */
    private long await(LongSupplier until) {
        long start = nanos.getAsLong();
        try {
            for (long wait = until.getAsLong(); wait > 0 && !cancelled; wait = until.getAsLong()) {
                Thread.sleep(Duration.ofNanos(Math.min(wait, CANCEL_POLL.toNanos())));
                progress();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return nanos.getAsLong() - start;
    }

    private long sentBytes() {
        var open = connection;
        return open == null ? 0 : open.sentBytes();
    }

    private void connect() throws ReplicationException {
        var made = route.connector().connect(route.address(), route.fingerprint());
        connection = made;
        // From Hello on: it must be the first.
        sender = new PeerSender(made, this::alive);
        Thread.ofVirtual().name("tidemark-sync-receive").start(() -> receive(made));
        inputs.add(new SourceInput.Connected());
    }

    private void receive(PeerConnection from) {
        try {
            while (!over) {
                var message = from.receive();
                if (message instanceof Message.Digests digests) {
                    var copy = java.nio.ByteBuffer.allocate(digests.digests().remaining());
                    copy.put(digests.digests().duplicate()).flip();
                    message = new Message.Digests(digests.offsetBytes(), digests.lengthBytes(), copy);
                }
                if (!(message instanceof Message.Alive)) {
                    received.put(new SourceInput.Received(message));
                }
            }
        } catch (ReplicationException e) {
            // Ends a send that waits for a peer which is gone.
            from.close();
            if (!received.offer(failed(e.error()))) {
                over = true;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void watch() {
        try {
            while (!over) {
                if (listener.cancelled()) {
                    cancelled = true;
                    var open = connection;
                    if (open != null) {
                        open.close();
                    }
                    return;
                }
                Thread.sleep(CANCEL_POLL);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void openImage(SourceEffect.OpenImage open) throws ProviderException, ReplicationException {
        origin.transfer().accepted(open.resumeBytes());
        if (open.base().isPresent()) {
            provider.hold(snapshot(open.base().get()), owner());
        }
        letGo(open.letGo());
        var point = snapshot(sync.task().point());
        content = origin.streams().isPresent()
                ? SourceStream.open(origin.streams().get(), open.base(), point, sync.resumed(), () -> cancelled)
                : SourceImage.open(
                        origin,
                        new SourceImage.Wanted(point, open.base().map(this::snapshot), open.resumeBytes()),
                        () -> cancelled);
    }

    private void letGo(List<RecoveryPointId> points) throws ProviderException {
        for (var point : points) {
            provider.release(snapshot(point), owner());
        }
    }

    private Message.Alive alive() {
        var now = sync;
        return new Message.Alive(
                now.state().name(), now.sent().throughBytes(), now.task().progressBytes());
    }

    /** A failed send is often the echo of a refusal that is on its way: report that one, if it comes. */
    private SourceInput lastWord(ReplicationError error) {
        long until = nanos.getAsLong() + LAST_WORD.toNanos();
        try {
            while (error instanceof ReplicationError.ConnectionLost && nanos.getAsLong() < until && !cancelled) {
                var heard = received.poll(CANCEL_POLL.toMillis(), TimeUnit.MILLISECONDS);
                if (heard instanceof SourceInput.Received(Message.Refused refused)) {
                    return new SourceInput.Received(refused);
                }
                if (heard instanceof SourceInput.Failed) {
                    break;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return failed(cancelled ? new ReplicationError.Cancelled(sync.task().link()) : error);
    }

    private void progress() {
        long now = nanos.getAsLong();
        if (now - progressNanos >= PROGRESS.toNanos()) {
            progressNanos = now;
            listener.progress(new Operation.Progress(
                    sync.state().name().toLowerCase(java.util.Locale.ROOT),
                    sync.sent().throughBytes(),
                    sync.task().progressBytes(),
                    "bytes"));
        }
    }

    private SyncCost costSoFar() {
        return new SyncCost(
                "",
                0,
                0,
                0,
                0,
                sync.sent().payloadBytes() - sync.resumed().payloadBytes(),
                sentBytes(),
                sync.resumed().payloadBytes(),
                elapsed().toMillis());
    }

    private SyncReport report() {
        var cost = content == null ? costSoFar() : content.cost(costSoFar());
        return new SyncReport(
                sync.task().point(),
                sync.base(),
                cost.changedRangeSource(),
                cost.namedBytes(),
                cost.readBytes(),
                cost.comparedBytes(),
                cost.changedBytes(),
                cost.sentPayloadBytes(),
                cost.sentWireBytes(),
                cost.resumedBytes(),
                elapsed());
    }

    private Duration elapsed() {
        return Duration.ofNanos(nanos.getAsLong() - startNanos);
    }

    private static SourceInput failed(ReplicationError error) {
        return new SourceInput.Failed(error);
    }

    private PeerSender openedSender() {
        if (sender == null) {
            throw new IllegalStateException("not connected in " + sync.state());
        }
        return sender;
    }

    private SourceContent openedContent() {
        if (content == null) {
            throw new IllegalStateException("nothing is open to be sent in " + sync.state());
        }
        return content;
    }

    private SnapshotId snapshot(RecoveryPointId point) {
        return new SnapshotId(origin.transfer().volume(), point);
    }

    private HoldOwner owner() {
        return new HoldOwner(sync.task().link().value());
    }

    private void closeAll() throws ReplicationException {
        var open = connection;
        if (open != null) {
            open.close();
        }
        if (sender != null) {
            sender.close();
        }
        try {
            if (content != null) {
                content.close();
            }
        } catch (ProviderException e) {
            throw new ReplicationException(new ReplicationError.Storage(e.error()), e);
        }
    }
}
