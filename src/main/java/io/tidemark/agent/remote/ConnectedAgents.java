package io.tidemark.agent.remote;

import io.tidemark.agent.AgentSessions;
import io.tidemark.agent.AgentStore;
import io.tidemark.agent.ProvidersElsewhere;
import io.tidemark.agent.Unlisted;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.Agent;
import io.tidemark.domain.AgentId;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.protocol.InvitationToken;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The controller's side: who is enrolled, who is connected, and what they offer. */
public final class ConnectedAgents implements Agents, AgentSessions, ProvidersElsewhere, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectedAgents.class);
    static final String NOT_ENROLLED = "not-enrolled";
    private static final Duration VALID_MINIMUM = Duration.ofMinutes(1);
    private static final Duration VALID_MAXIMUM = Duration.ofDays(7);

    private final AgentStore store;
    private final Supplier<String> address;
    private final String fingerprint;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final CommandVersions versions;
    private final Map<String, ConnectedAgent> connected = new ConcurrentHashMap<>();
    private volatile Consumer<Collection<StorageProvider>> arrivals = providers -> {};

    /**
     * @param address where agents reach this controller, {@code host:port}
     * @param fingerprint of this controller's key
     * @param random must be unpredictable: it makes secrets
     */
    public ConnectedAgents(
            AgentStore store,
            Supplier<String> address,
            String fingerprint,
            InstantSource clock,
            RandomGenerator random) {
        this(store, address, fingerprint, clock, random, CommandVersions.ALL);
    }

    /** @param versions of commands that this controller gives */
    public ConnectedAgents(
            AgentStore store,
            Supplier<String> address,
            String fingerprint,
            InstantSource clock,
            RandomGenerator random,
            CommandVersions versions) {
        this.store = store;
        this.address = address;
        this.fingerprint = fingerprint;
        this.clock = clock;
        this.random = random;
        this.versions = versions;
    }

    /** Told, on a thread of its own, of the providers of each agent that has connected. */
    public void onArrival(Consumer<Collection<StorageProvider>> listener) {
        arrivals = listener;
    }

    @Override
    public List<Seen> all() {
        return store.agents().stream().map(this::seen).toList();
    }

    @Override
    public Optional<Seen> find(AgentId id) {
        return store.agent(id).map(this::seen);
    }

    private Seen seen(Agent agent) {
        var now = Optional.ofNullable(connected.get(agent.id().value()));
        return new Seen(
                agent,
                now.map(one -> new Connection(
                        one.address(),
                        one.software(),
                        one.since(),
                        one.calls().silentFor(),
                        one.providers().stream().map(StorageProvider::name).toList())));
    }

    @Override
    public Invitation invite(AgentId id, boolean replaces, Duration validFor) {
        if (validFor.compareTo(VALID_MINIMUM) < 0 || validFor.compareTo(VALID_MAXIMUM) > 0) {
            throw new IllegalArgumentException("an invitation is valid for %d to %d s, not %d"
                    .formatted(VALID_MINIMUM.toSeconds(), VALID_MAXIMUM.toSeconds(), validFor.toSeconds()));
        }
        byte[] secret = new byte[InvitationToken.SECRET_BYTES];
        random.nextBytes(secret);
        var token = new InvitationToken(address.get(), fingerprint, ByteBuffer.wrap(secret));
        var expiresAt = clock.instant().plus(validFor);
        store.saveAgentInvitation(InvitationToken.secretHash(token.secret()), id, replaces, expiresAt);
        return new Invitation(token.text(), expiresAt);
    }

    @Override
    public boolean remove(AgentId id) {
        boolean there = store.removeAgent(id);
        var now = connected.get(id.value());
        if (now != null) {
            now.calls().close();
        }
        return there;
    }

    /** Ends every connection; agents thaw and come back when they can. */
    @Override
    public void close() {
        connected.values().forEach(agent -> agent.calls().close());
    }

    @Override
    public boolean knows(String key) {
        return store.agentByFingerprint(key).isPresent();
    }

    @Override
    public void enrol(PeerConnection connection, Message.Pair pair) throws ReplicationException {
        var agent = store.enrol(
                        InvitationToken.secretHash(pair.secret()), connection.peerFingerprint(), clock.instant())
                .orElseThrow(() -> new ReplicationException(new ReplicationError.InvitationRefused(
                        "it is unknown here, used already, or expired: ask for a new one")));
        var before = connected.get(agent.id().value());
        if (before != null && !before.fingerprint().equals(agent.fingerprint())) {
            // Its key was replaced.
            before.calls().close();
        }
        LOG.info("agent.enrolled agent={} fingerprint={}", agent.id(), agent.fingerprint());
        connection.send(new Message.Text(
                AgentJson.text(AgentJson.object().put("agent", agent.id().value()))));
    }

    @Override
    public void serve(PeerConnection connection, String software) throws ReplicationException {
        var agent = store.agentByFingerprint(connection.peerFingerprint()).orElseThrow(ConnectedAgents::notEnrolled);
        var offer = offer(connection);
        int version = versions.with(offer.commands());
        try (var calls = new AgentCalls(
                connection, asked -> asked.refuse().accept(new AgentFailure.Other("a controller takes no commands")))) {
            var name = agent.id().value();
            var session = new RemoteProvider.Session(name, calls, version, agent.fingerprint());
            var here = new ConnectedAgent(
                    agent.id(),
                    agent.fingerprint(),
                    calls,
                    offer.providers().stream()
                            .map(provider -> new RemoteProvider(session, provider, offer.of(provider)))
                            .sorted(Comparator.comparing(RemoteProvider::name))
                            .toList(),
                    connection.peerAddress(),
                    software,
                    clock.instant());
            var before = connected.put(name, here);
            if (before != null) {
                // The agent makes one connection; an older one is what a broken network left.
                before.calls().close();
            }
            if (!store.agent(agent.id()).equals(Optional.of(agent))) {
                // Removed or replaced while it said what it offers; whoever did so may not have seen it here.
                connected.remove(name, here);
                throw notEnrolled();
            }
            LOG.info(
                    "agent.connected agent={} address={} commands={} providers={}",
                    name,
                    here.address(),
                    version,
                    offer.providers());
            Thread.ofVirtual()
                    .name("tidemark-agent-arrival")
                    .start(() -> arrivals.accept(List.copyOf(here.providers())));
            try {
                var reason = calls.run();
                LOG.warn("agent.lost agent={} reason=\"{}\"", name, reason);
            } finally {
                connected.remove(name, here);
            }
        }
    }

    private static ReplicationException notEnrolled() {
        return new ReplicationException(
                new ReplicationError.PeerRefused(NOT_ENROLLED, "this controller does not know the key"));
    }

    private AgentOffer offer(PeerConnection connection) throws ReplicationException {
        var message = connection.receive();
        if (!(message instanceof Message.Text(var json))) {
            throw new ReplicationException(
                    new ReplicationError.CorruptFrame("%s where an agent's offer was due".formatted(message.type())));
        }
        try {
            var offer = AgentJson.read(AgentJson.parse(json), AgentOffer.class);
            if (!versions.meets(offer.commands())) {
                throw new ReplicationException(new ReplicationError.ProtocolMismatch(
                        versions.toString(), offer.commands().toString()));
            }
            return offer;
        } catch (IllegalArgumentException e) {
            throw new ReplicationException(new ReplicationError.CorruptFrame(String.valueOf(e.getMessage())), e);
        }
    }

    /** @throws ConsistencyException AgentUnreachable */
    ConnectedAgent connected(String agent) throws ConsistencyException {
        var now = connected.get(agent);
        if (now == null) {
            throw new ConsistencyException(new ConsistencyError.AgentUnreachable(agent, absent(agent)));
        }
        return now;
    }

    Collection<ConnectedAgent> connected() {
        return connected.values();
    }

    private String absent(String agent) {
        return store.agents().stream().anyMatch(one -> one.id().value().equals(agent))
                ? "it is not connected"
                : "no agent of that name is enrolled";
    }

    @Override
    public StorageProvider of(VolumeId volume) throws ProviderException {
        var agent = volume.agent().orElseThrow();
        var now = connected.get(agent);
        if (now == null) {
            throw new ProviderException(new ProviderError.Unreachable("agent " + agent, absent(agent)));
        }
        return now.providers().stream()
                .filter(provider -> provider.name().equals(volume.provider()))
                .<StorageProvider>map(provider -> provider)
                .findFirst()
                .orElseThrow(() -> new ProviderException(new ProviderError.VolumeNotFound(volume)));
    }

    @Override
    public List<Unlisted> unreachable() {
        return store.agents().stream()
                .map(agent -> agent.id().value())
                .filter(agent -> !connected.containsKey(agent))
                .sorted()
                .map(agent -> Unlisted.agent(agent, "it is not connected"))
                .toList();
    }

    @Override
    public List<StorageProvider> reachable() {
        return connected.values().stream()
                .flatMap(agent -> agent.providers().stream())
                .<StorageProvider>map(provider -> provider)
                .toList();
    }
}
