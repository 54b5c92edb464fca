package io.tidemark.simulation;

import io.tidemark.domain.LinkState;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.TargetEffect;
import io.tidemark.replication.TargetInput;
import io.tidemark.replication.TargetState;
import io.tidemark.replication.TargetSync;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The connections a target serves, as {@code agent.ReplicationServer} does: one session works on the link; a newer one
 * closes its connection and waits until it has let go, for ten seconds at most.
 */
abstract class TargetSessions extends Worker implements SimulatedConnection.End {
    private static final long TAKE_OVER_MILLIS = 10_000;
    private static final ReplicationError BUSY =
            new ReplicationError.LinkBusy(SimulatedHost.LINK, Duration.ofSeconds(5));

    /** One synchronisation; without a connection when a restart finishes what was committed. */
    static final class Session {
        /** Answers to effects: they come before what the peer says next. */
        final ArrayDeque<TargetInput> inputs = new ArrayDeque<>();

        private final ArrayDeque<TargetInput> heard = new ArrayDeque<>();
        final ArrayDeque<TargetEffect> effects = new ArrayDeque<>();
        private final @Nullable SimulatedConnection connection;
        private boolean connected;
        TargetSync sync;
        Optional<ReplicationError> failure = Optional.empty();

        Session(@Nullable SimulatedConnection connection, TargetSync sync) {
            this.connection = connection;
            this.connected = connection != null;
            this.sync = sync;
        }

        void send(Message message) {
            if (connection != null && connected) {
                connection.toSource.send(message);
            }
        }

        /** Not one that finishes what was found. */
        boolean connected() {
            return connection != null;
        }

        void hangUp() {
            connected = false;
            if (connection != null) {
                connection.toSource.close();
            }
        }

        boolean idle() {
            return inputs.isEmpty() && heard.isEmpty() && effects.isEmpty();
        }

        private boolean over() {
            return idle() && (sync.state().ended() || !connected);
        }
    }

    /** Whether connections are taken: not before a restart has finished what was committed. */
    boolean serving = true;

    private final Map<SimulatedConnection, Session> sessions = new HashMap<>();
    private @Nullable Session active;
    private @Nullable Session waiting;

    /** Forgotten by a restart: while a promotion is in work, or done, nothing is received. */
    private boolean retired;

    TargetSessions(SimulatedHost host) {
        super(host);
    }

    /** As {@code agent.TargetHost} waits for its writer before a commit. */
    abstract boolean awaitsWriter(Session session);

    abstract void perform(TargetEffect effect, Session session) throws ProviderException, ReplicationException;

    abstract void sessionEnded() throws ProviderException;

    /** @return the recovery point whose committed log a crash left */
    abstract Optional<RecoveryPointId> leftCommitted();

    final Optional<TargetSync> working() {
        return Optional.ofNullable(active).map(session -> session.sync);
    }

    /** Messages that wait to be looked at. */
    final int waiting() {
        return active == null ? 0 : active.heard.size();
    }

    @Override
    public final void received(SimulatedConnection from, Message message) {
        var session = session(from);
        if (session.sync.state() == TargetState.NEW) {
            greet(session, message);
        } else if (session.sync.state() == TargetState.GREETED && message instanceof Message.Offer offer) {
            session.heard.add(new TargetInput.Received(offer));
            takeOver(session);
        } else {
            session.heard.add(new TargetInput.Received(message));
            wake();
        }
    }

    private Session session(SimulatedConnection from) {
        return sessions.computeIfAbsent(
                from, made -> new Session(made, TargetSync.of("simulated", World.SYNC_FRAMES, made.targetVersions)));
    }

    /** Touches nothing of the link. */
    private void greet(Session session, Message message) {
        note(message);
        var step = session.sync.step(new TargetInput.Received(message));
        session.sync = step.sync();
        for (var effect : step.effects()) {
            if (effect instanceof TargetEffect.Send send) {
                session.send(send.message());
            }
        }
        if (session.sync.state().ended()) {
            forget(session);
        }
    }

    /** Empty when the link is received here; the role may change once more before the session's turn comes. */
    Optional<ReplicationError> refusal() {
        if (host.role != ReplicationLink.Role.TARGET) {
            return Optional.of(new ReplicationError.NoTarget(SimulatedHost.LINK));
        }
        if (host.state != LinkState.ACTIVE) {
            return Optional.of(new ReplicationError.LinkPaused(SimulatedHost.LINK));
        }
        return retired ? Optional.of(new ReplicationError.LinkUnknown(SimulatedHost.LINK)) : Optional.empty();
    }

    private void begin(Session session) {
        var refusal = refusal();
        if (refusal.isPresent()) {
            refuse(session, refusal.get());
        } else {
            active = session;
            world.checks.receives(host);
            wake();
        }
    }

    /** As a pause does: what it has synced is kept. */
    final void interrupt() {
        var running = active;
        if (running != null) {
            running.hangUp();
            running.heard.add(new TargetInput.LinkLost(new ReplicationError.ConnectionLost("source", "interrupted")));
            wake();
        }
    }

    /** Nothing begins any more, unless something is in work. */
    final boolean retire() {
        boolean free = active == null;
        retired = retired || free;
        return free;
    }

    final void readmit() {
        retired = false;
    }

    private void takeOver(Session session) {
        var older = active;
        if (older == null) {
            begin(session);
            return;
        }
        note("a newer session waits for this one to let go");
        older.hangUp();
        older.heard.add(new TargetInput.LinkLost(new ReplicationError.ConnectionLost("source", "taken over")));
        if (waiting != null) {
            refuse(waiting, BUSY);
        }
        waiting = session;
        world.schedule.in(TAKE_OVER_MILLIS, () -> {
            if (waiting == session) {
                waiting = null;
                refuse(session, BUSY);
            }
        });
        wake();
    }

    private void refuse(Session session, ReplicationError error) {
        session.send(new Message.Refused(error));
        forget(session);
    }

    private void forget(Session session) {
        session.hangUp();
        sessions.values().remove(session);
    }

    @Override
    public final void damaged(SimulatedConnection from, ReplicationError error) {
        var session = session(from);
        if (session == active) {
            session.heard.add(new TargetInput.Failed(error));
            wake();
            return;
        }
        session.send(new Message.Refused(error));
        leave(session);
    }

    @Override
    public final void lost(SimulatedConnection from, ReplicationError error) {
        var session = session(from);
        session.connected = false;
        if (session == active) {
            session.heard.add(new TargetInput.LinkLost(error));
            wake();
            return;
        }
        leave(session);
    }

    private void leave(Session session) {
        if (session == waiting) {
            waiting = null;
        }
        forget(session);
    }

    @Override
    final boolean hasWork() {
        var session = active;
        return session != null && (!session.idle() || session.over()) && !awaitsWriter(session);
    }

    @Override
    final void workOnce() throws ProviderException, ReplicationException {
        var session = active;
        if (session == null) {
            return;
        }
        if (!session.idle()) {
            if (!session.effects.isEmpty()) {
                world.mayCrash();
            }
            turn(session);
            world.checks.target(host);
        }
        if (session.over()) {
            note("session ends: "
                    + session.failure.map(ReplicationError::message).orElse("well"));
            sessionEnded();
            forget(session);
            serving = true;
            active = null;
            var next = waiting;
            waiting = null;
            if (next != null) {
                begin(next);
            }
            world.checks.target(host);
        }
    }

    /** One effect, or one input. */
    final void turn(Session session) {
        var effect = session.effects.poll();
        if (effect == null) {
            var input = session.inputs.isEmpty() ? session.heard.remove() : session.inputs.remove();
            note(input);
            var step = session.sync.step(input);
            session.sync = step.sync();
            session.effects.addAll(step.effects());
            return;
        }
        note(effect);
        try {
            perform(effect, session);
        } catch (ProviderException e) {
            session.effects.clear();
            session.inputs.add(new TargetInput.Failed(new ReplicationError.Storage(e.error())));
        } catch (ReplicationException e) {
            session.effects.clear();
            session.inputs.add(new TargetInput.Failed(e.error()));
        }
    }

    @Override
    void forget() {
        serving = true;
        retired = false;
        sessions.clear();
        active = null;
        waiting = null;
    }

    @Override
    final void restarted() {
        leftCommitted().ifPresent(point -> {
            serving = false;
            var finishing = new Session(null, TargetSync.of("simulated", World.SYNC_FRAMES, host.versions));
            finishing.inputs.add(new TargetInput.CommitFound(point));
            active = finishing;
        });
    }

    @Override
    final Object state() {
        return active == null ? "-" : active.sync.state();
    }
}
