package io.tidemark.simulation;

import io.tidemark.block.ChangedBlocks;
import io.tidemark.block.ChangedBlocksByDigest;
import io.tidemark.block.ChangedRuns;
import io.tidemark.block.DataPlaces;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.SourceEffect;
import io.tidemark.replication.SourceInput;
import io.tidemark.replication.SourceState;
import io.tidemark.replication.SourceSync;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.SyncCost;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What sends: the real machine, carried out as {@code agent.SourceHost} does. Only the host's storage outlives it. */
class SimulatedSource extends Worker implements SimulatedConnection.End {
    /** Hears how a synchronisation ended; not when the host died in it. */
    interface Ended {
        void ended(boolean done, Optional<ReplicationError> why) throws ProviderException, ReplicationException;
    }

    private final ArrayDeque<SourceInput> own = new ArrayDeque<>();
    private final ArrayDeque<SourceInput> heard = new ArrayDeque<>();
    private final ArrayDeque<SourceEffect> effects = new ArrayDeque<>();
    private final ArrayDeque<Message.Digests> digests = new ArrayDeque<>();
    private @Nullable SourceSync sync;
    private @Nullable SimulatedConnection connection;
    private @Nullable ChangedRuns runs;
    private Optional<ReplicationError> failure = Optional.empty();
    private Ended whenEnded = (_, _) -> {};

    SimulatedSource(SimulatedHost host) {
        super(host);
    }

    final void start(RecoveryPointId point, Message.Purpose purpose, Ended ended) {
        var terms = new SourceSync.Terms(host.versions, windowFrames(), World.SPAN_BYTES);
        sync = SourceSync.of(new SourceSync.Task(
                SimulatedHost.LINK,
                point,
                host.candidates(point),
                world.volumeBytes,
                World.METADATA,
                "simulated",
                purpose,
                terms));
        whenEnded = ended;
        world.checks.tryBegins(host);
        own.add(new SourceInput.Start());
        wake();
    }

    /** As a pause does. */
    final void cancel() {
        if (sync != null) {
            effects.clear();
            own.addFirst(new SourceInput.Failed(new ReplicationError.Cancelled(SimulatedHost.LINK)));
            wake();
        }
    }

    int windowFrames() {
        return World.WINDOW_FRAMES;
    }

    final Optional<SourceSync> sync() {
        return Optional.ofNullable(sync);
    }

    final Optional<SimulatedConnection> connection() {
        return Optional.ofNullable(connection);
    }

    /** Messages and digests that wait to be looked at. */
    final int waiting() {
        return heard.size() + digests.size();
    }

    @Override
    public final void received(SimulatedConnection from, Message message) {
        hear(from, new SourceInput.Received(message));
    }

    @Override
    public final void damaged(SimulatedConnection from, ReplicationError error) {
        hear(from, new SourceInput.Failed(error));
    }

    @Override
    public final void lost(SimulatedConnection from, ReplicationError error) {
        hear(from, new SourceInput.Failed(error));
    }

    private void hear(SimulatedConnection from, SourceInput input) {
        if (from == connection) {
            heard.add(input);
            wake();
        }
    }

    @Override
    final boolean hasWork() {
        return sync != null && !(own.isEmpty() && heard.isEmpty() && effects.isEmpty());
    }

    @Override
    final void workOnce() throws ProviderException, ReplicationException {
        var running = sync;
        if (running == null) {
            return;
        }
        var effect = effects.poll();
        if (effect == null) {
            var input = next(running);
            note(input);
            var step = running.step(input);
            sync = step.sync();
            effects.addAll(step.effects());
        } else {
            attempt(effect);
        }
        var now = sync;
        if (effects.isEmpty() && now != null && now.state().ended()) {
            ended(now.state() == SourceState.DONE);
        }
    }

    /** While sending what the peer says comes first; later our own steps do. */
    private SourceInput next(SourceSync running) {
        boolean peerFirst = running.state() == SourceState.SENDING && !heard.isEmpty();
        return peerFirst || own.isEmpty() ? heard.remove() : own.remove();
    }

    private void attempt(SourceEffect effect) throws ProviderException {
        world.mayCrash();
        note(effect);
        try {
            perform(effect);
        } catch (ProviderException e) {
            effects.clear();
            own.addFirst(new SourceInput.Failed(new ReplicationError.Storage(e.error())));
        }
        world.checks.source(host);
    }

    private void ended(boolean done) throws ProviderException, ReplicationException {
        var why = failure;
        var to = whenEnded;
        var point = point();
        hangUp();
        forget();
        if (done) {
            host.inStep = Optional.of(point);
        }
        world.checks.tryEnded(host, done, why);
        to.ended(done, why);
    }

    private void hangUp() {
        if (connection != null) {
            connection.toTarget.close();
        }
    }

    @Override
    final void forget() {
        own.clear();
        heard.clear();
        effects.clear();
        digests.clear();
        runs = null;
        connection = null;
        sync = null;
        failure = Optional.empty();
    }

    @Override
    final void restarted() throws ProviderException, ReplicationException {
        world.restarted(host);
    }

    @Override
    final Object state() {
        return sync == null ? "-" : sync.state();
    }

    void perform(SourceEffect effect) throws ProviderException {
        switch (effect) {
            case SourceEffect.Connect _ -> {
                connection = world.network.connect(host).orElse(null);
                own.add(
                        connection != null
                                ? new SourceInput.Connected()
                                : new SourceInput.Failed(new ReplicationError.PeerUnreachable("target", "refused")));
            }
            case SourceEffect.Send send -> send(send.message());
            case SourceEffect.Hold hold -> {
                host.provider.hold(SimulatedHost.snapshot(hold.point()), SimulatedHost.OWNER);
                own.add(new SourceInput.Held());
            }
            case SourceEffect.OpenImage open -> open(open);
            case SourceEffect.UseDigests use -> digests.add(use.digests());
            case SourceEffect.ReadBlocks _ -> own.add(read());
            case SourceEffect.MoveHolds move -> {
                letGo(move.letGo());
                own.add(new SourceInput.HoldsMoved());
            }
            case SourceEffect.Reached _, SourceEffect.Finish _ -> {}
            case SourceEffect.Fail fail -> failure = Optional.of(fail.error());
        }
    }

    final void send(Message message) {
        if (connection != null) {
            connection.toTarget.send(message);
        }
    }

    private void letGo(List<RecoveryPointId> points) throws ProviderException {
        for (var point : points) {
            world.mayCrash();
            host.provider.release(SimulatedHost.snapshot(point), SimulatedHost.OWNER);
        }
    }

    private void open(SourceEffect.OpenImage open) throws ProviderException {
        if (open.base().isEmpty()) {
            return;
        }
        var base = SimulatedHost.snapshot(open.base().get());
        host.provider.hold(base, SimulatedHost.OWNER);
        letGo(open.letGo());
        runs = new ChangedBlocks(
                host.provider.changedRanges(base, SimulatedHost.snapshot(point())),
                host.provider.read(base),
                host.provider.read(SimulatedHost.snapshot(point())),
                World.KERNEL,
                open.resumeBytes());
    }

    /** One run a frame: many small frames make more moments to die in. */
    private SourceInput read() throws ProviderException {
        var open = runs;
        if (open == null && !digests.isEmpty()) {
            var span = digests.remove();
            var told = new ChangedBlocksByDigest(
                    host.provider.read(SimulatedHost.snapshot(point())), DataPlaces.EVERYWHERE, World.KERNEL);
            told.begin(new ChangedBlocksByDigest.SpanDigests(span.offsetBytes(), span.lengthBytes(), span.digests()));
            open = told;
            runs = told;
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

    final RecoveryPointId point() {
        if (sync == null) {
            throw new IllegalStateException("nothing is being sent");
        }
        return sync.task().point();
    }
}
