package io.tidemark.simulation;

import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Makes connections and breaks them. A site that hears nothing for 30 s gives its connection up. */
final class SimulatedNetwork {
    private static final long PATIENCE_MILLIS = 30_000;
    private static final int NOTICE_MILLIS_MAXIMUM = 5_000;
    private static final long LATE_MILLIS_MAXIMUM = 3 * PATIENCE_MILLIS;
    /** Of questions, and of answers, in a world that cuts connections. */
    private static final int LOST_ONE_IN = 5;

    private final World world;
    private final List<SimulatedConnection> open = new ArrayList<>();
    private @Nullable SimulatedConnection newest;

    SimulatedNetwork(World world) {
        this.world = world;
    }

    /** Empty when the peer cannot be reached. */
    Optional<SimulatedConnection> connect(SimulatedHost from) {
        var to = world.other(from);
        if (!to.up || !to.target.serving) {
            return Optional.empty();
        }
        var made = new SimulatedConnection(world, from, to);
        newest = made;
        open.removeIf(SimulatedConnection::over);
        open.add(made);
        return Optional.of(made);
    }

    /** Both directions break; each side is told when its own stack finds out. */
    void cut() {
        var broken = newest;
        if (broken != null) {
            note("connection is cut");
            broken.toTarget.silent = true;
            broken.toSource.silent = true;
            world.schedule.in(notice(), () -> broken.toTarget.end("reset"));
            world.schedule.in(notice(), () -> broken.toSource.end("reset"));
        }
    }

    /** One direction swallows what is sent; only patience finds out. */
    void silenceOneWay() {
        var broken = newest;
        if (broken != null) {
            boolean toTarget = world.random.nextBoolean();
            note(toTarget ? "nothing reaches the target" : "nothing reaches the source");
            var way = toTarget ? broken.toTarget : broken.toSource;
            way.silent = true;
            world.schedule.in(PATIENCE_MILLIS, () -> way.end("peer was silent"));
        }
    }

    /** A host that is stuck in its storage shows no life; its peer gives up before it goes on. */
    void silent(SimulatedHost host, long millis) {
        var open = newest;
        if (open != null && millis > PATIENCE_MILLIS) {
            var way = host == open.from ? open.toTarget : open.toSource;
            world.schedule.in(PATIENCE_MILLIS, () -> way.end("peer was silent"));
        }
    }

    /** Its connections are gone with it; its peer is told by the next thing it sends, or by the restarted host. */
    void hostDied(SimulatedHost host) {
        for (var connection : open) {
            boolean source = host == connection.from;
            (source ? connection.toSource : connection.toTarget).drop();
            var way = source ? connection.toTarget : connection.toSource;
            way.silent = true;
            world.schedule.in(notice(), () -> way.end("reset"));
        }
    }

    /**
     * Puts a question to the peer, which answers at once; empty when the asker hears nothing within its patience.
     * Question or answer may be lost, and a busy peer may read the question after the asker has given it up.
     */
    <A> void ask(SimulatedHost from, Function<SimulatedHost, A> question, Heard<A> heard) {
        var to = world.other(from);
        int askers = from.life;
        int peers = to.life;
        var over = new AtomicBoolean();
        Heard<A> once = answer -> {
            if (from.life == askers && !over.getAndSet(true)) {
                heard.heard(answer);
            }
        };
        world.schedule.in(PATIENCE_MILLIS, () -> once.heard(Optional.empty()));
        if (!to.up || !to.target.serving || lost()) {
            return;
        }
        world.schedule.in(lost() ? world.random.nextLong(LATE_MILLIS_MAXIMUM) : latency(), () -> {
            if (to.life == peers) {
                to.atRisk(() -> {
                    var answer = question.apply(to);
                    if (!lost()) {
                        world.schedule.in(latency(), () -> once.heard(Optional.of(answer)));
                    }
                });
            }
        });
    }

    interface Heard<A> {
        void heard(Optional<A> answer) throws ProviderException, ReplicationException;
    }

    private boolean lost() {
        return world.hazards().cut() + world.hazards().oneWay() > 0 && world.random.nextInt(LOST_ONE_IN) == 0;
    }

    private long latency() {
        return world.random.nextInt(NOTICE_MILLIS_MAXIMUM);
    }

    List<SimulatedConnection> open() {
        return open;
    }

    private long notice() {
        return world.random.nextInt(NOTICE_MILLIS_MAXIMUM);
    }

    private void note(String what) {
        world.log.note(world.schedule.nowMillis(), "network", what, "");
    }
}
