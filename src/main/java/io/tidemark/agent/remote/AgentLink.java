package io.tidemark.agent.remote;

import io.tidemark.agent.LocalRecoveryPointTaker;
import io.tidemark.agent.PeerReplicator;
import io.tidemark.agent.Providers;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.port.PeerConnector;
import io.tidemark.replication.protocol.Message;
import java.security.PrivateKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's side: keeps a connection to its controller, trying the addresses it has in turn, and carries out what comes
 * over it. Needs no port of its own open.
 */
public final class AgentLink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentLink.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    /** A controller that is back is found within this. */
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
    /** Its key is not known: only an operator can change that, and strangers are let in few at a time. */
    private static final Duration REFUSED_PAUSE = Duration.ofSeconds(60);
    /** A connection that lasted so long was a good one: the next pause is short again. */
    private static final Duration GOOD = Duration.ofSeconds(30);

    private final Controllers controllers;
    private final PeerConnector connector;
    private final AgentService.Host host;
    private final String software;
    private final CommandVersions versions;
    private final CountDownLatch stop = new CountDownLatch(1);
    private volatile @Nullable PeerConnection connection;

    /**
     * Where to connect.
     *
     * @param addresses {@code host:port} of one controller, tried in turn
     */
    public record Controllers(Enrolment enrolment, List<String> addresses) {
        public Controllers {
            addresses = addresses.isEmpty() ? List.of(enrolment.controller()) : List.copyOf(addresses);
        }
    }

    /**
     * What acts on this host.
     *
     * @param begun what long work was begun
     * @param key this host's own
     * @param random must be unpredictable
     */
    public record Acting(
            Providers providers,
            LocalRecoveryPointTaker taker,
            AgentRules rules,
            BegunWork begun,
            PrivateKey key,
            RandomGenerator random) {
        @Override
        public String toString() {
            return "Acting[key=***]";
        }
    }

    public AgentLink(Controllers controllers, PeerConnector connector, Acting acting, String software) {
        this(controllers, connector, acting, software, CommandVersions.ALL);
    }

    /** @param versions of commands that this agent carries out */
    public AgentLink(
            Controllers controllers,
            PeerConnector connector,
            Acting acting,
            String software,
            CommandVersions versions) {
        this.controllers = controllers;
        this.connector = connector;
        this.host = new AgentService.Host(
                acting.providers(),
                acting.taker(),
                acting.rules(),
                acting.begun(),
                new HandleSeal(acting.key(), acting.random()),
                acting.random(),
                versions);
        this.software = software;
        this.versions = versions;
    }

    /** Connects, and connects again, until closed. */
    public void run() throws InterruptedException {
        var pause = FIRST_PAUSE;
        for (int turn = 0; stop.getCount() > 0; turn++) {
            var address =
                    controllers.addresses().get(turn % controllers.addresses().size());
            long started = System.nanoTime();
            boolean refused = false;
            try {
                serve(address);
            } catch (ReplicationException e) {
                refused = e.error() instanceof ReplicationError.PeerRefused(var code, var reason)
                        && code.equals(ConnectedAgents.NOT_ENROLLED);
                LOG.warn("agent.not_connected controller={} reason=\"{}\"", address, e.getMessage());
            } catch (RuntimeException e) {
                LOG.warn("agent.not_connected controller={} reason=\"{}\"", address, e.getMessage());
            }
            boolean good = System.nanoTime() - started > GOOD.toNanos();
            pause = good ? FIRST_PAUSE : pause.multipliedBy(2);
            pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
            pause = refused ? REFUSED_PAUSE : pause;
            // Many agents lose one controller at one time, and must not all come back at one time.
            long jittered = (long) (pause.toMillis() * (0.5 + host.random().nextDouble() / 2));
            if (stop.await(jittered, TimeUnit.MILLISECONDS)) {
                return;
            }
        }
    }

    private void serve(String address) throws ReplicationException {
        var enrolment = controllers.enrolment();
        try (var made =
                PeerReplicator.greet(connector, address, enrolment.fingerprint(), Message.Purpose.AGENT, software)) {
            connection = made;
            if (stop.getCount() == 0) {
                return;
            }
            made.send(new Message.Text(AgentJson.text(
                    AgentJson.tree(AgentOffer.of(versions, host.providers().all())))));
            try (var service = new AgentService(host, enrolment.agent());
                    var calls = new AgentCalls(made, service::take)) {
                LOG.info("agent.connected controller={} agent={}", address, enrolment.agent());
                var reason = calls.run();
                LOG.warn("agent.disconnected controller={} reason=\"{}\"", address, reason);
            }
        } finally {
            connection = null;
        }
    }

    @Override
    public void close() {
        stop.countDown();
        var now = connection;
        if (now != null) {
            now.close();
        }
    }
}
