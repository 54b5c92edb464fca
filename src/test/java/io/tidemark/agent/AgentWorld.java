package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.agent.remote.AgentAbility;
import io.tidemark.agent.remote.AgentLink;
import io.tidemark.agent.remote.AgentRules;
import io.tidemark.agent.remote.BegunWork;
import io.tidemark.agent.remote.CommandVersions;
import io.tidemark.agent.remote.ConnectedAgents;
import io.tidemark.agent.remote.Enrolment;
import io.tidemark.agent.remote.HostsTaker;
import io.tidemark.consistency.HostIdentity;
import io.tidemark.consistency.Quiescers;
import io.tidemark.consistency.attestation.SigningKey;
import io.tidemark.domain.AgentId;
import io.tidemark.domain.Moments;
import io.tidemark.store.SiteStore;
import io.tidemark.transport.PeerListener;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A controller and its agents over real connections, each with a {@link FakeHost}; what happens is told in one order. */
final class AgentWorld implements AutoCloseable {
    private static final Duration SOON = Duration.ofSeconds(20);
    static final AgentRules ALL = new AgentRules(
            List.of("*"), Set.of("database"), Path.of("/etc/tidemark"), true, EnumSet.allOf(AgentAbility.class));

    private final Path folder;
    final SiteStore store;
    final SiteIdentity identity;
    final FakeHost here = new FakeHost();
    final ConnectedAgents agents;
    final HostsTaker taker;
    final Providers providers;
    final PeerListener listener;
    final Map<String, One> byName = new LinkedHashMap<>();
    /** {@code db1 freeze one}, of all hosts. */
    final List<String> events = Collections.synchronizedList(new ArrayList<>());

    /** An agent's host. */
    static final class One implements AutoCloseable {
        final FakeHost host;
        final SiteIdentity identity;
        final Path folder;
        final StallingRelay relay;
        private @Nullable AgentLink link;
        private @Nullable Thread thread;

        One(FakeHost host, Path folder, SiteIdentity identity, StallingRelay relay) {
            this.host = host;
            this.folder = folder;
            this.identity = identity;
            this.relay = relay;
        }

        /** As the end of its process does, but that what is under way in its storage goes on. */
        void stop() throws InterruptedException {
            if (link != null && thread != null) {
                link.close();
                thread.join(SOON);
            }
        }

        @Override
        public void close() throws Exception {
            stop();
            relay.close();
        }
    }

    AgentWorld(Path folder) throws Exception {
        this(folder, CommandVersions.ALL);
    }

    /** @param versions of commands that the controller gives */
    AgentWorld(Path folder, CommandVersions versions) throws Exception {
        this.folder = folder;
        var clock = InstantSource.system();
        this.store = SiteStore.open(folder.resolve("controller"));
        this.identity = SiteIdentity.in(folder.resolve("controller"), clock);
        var address = new AtomicReference<>("127.0.0.1:1");
        this.agents = new ConnectedAgents(
                store.agents(), address::get, identity.fingerprint(), clock, new SecureRandom(), versions);
        here.witness = event -> events.add("local " + event);
        var local = here.providers("image");
        this.providers = local.and(agents);
        this.taker = new HostsTaker(taker(local, here, identity), agents, identity.fingerprint(), new SecureRandom());
        var connector = new TlsPeerConnector(identity, TransportLimits.DEFAULT);
        var pairing = new SitePairing(
                store.catalog(), connector, address::get, identity.fingerprint(), clock, new SecureRandom(), "test");
        var server = new ReplicationServer(
                local,
                store.catalog(),
                TestSite.KERNEL,
                folder.resolve("controller"),
                pairing,
                agents,
                Moments.NONE,
                clock,
                System::nanoTime,
                "test");
        this.listener = PeerListener.start("127.0.0.1", 0, identity, server, TransportLimits.DEFAULT, clock);
        address.set(listener.address());
    }

    private static LocalRecoveryPointTaker taker(Providers providers, FakeHost host, SiteIdentity identity) {
        return new LocalRecoveryPointTaker(
                providers,
                new Quiescers(List.of(host)),
                host,
                new HostIdentity("host", "boot"),
                new SigningKey(identity.key(), identity.openKey()),
                InstantSource.system(),
                Moments.NONE);
    }

    /** Enrolled, connected, and with the volume {@code image:orders}, mounted. */
    One agent(String name) throws Exception {
        return agent(name, ALL);
    }

    One agent(String name, AgentRules rules) throws Exception {
        var one = agent(name, rules, CommandVersions.ALL);
        awaitConnected(name);
        return one;
    }

    /** Enrolled, and with the volume; whether it connects is another matter. */
    One agent(String name, AgentRules rules, CommandVersions versions) throws Exception {
        var host = new FakeHost();
        host.volume("image:orders", "/orders");
        host.witness = event -> events.add(name + " " + event);
        return enrolled(name, host, folder.resolve(name), rules, versions);
    }

    private One enrolled(String name, FakeHost host, Path state, AgentRules rules, CommandVersions versions)
            throws Exception {
        var home = Files.createDirectories(state);
        var identity = SiteIdentity.in(home, InstantSource.system());
        var one = new One(host, home, identity, new StallingRelay(listener.address()));
        boolean replaces = byName.containsKey(name);
        var token =
                agents.invite(new AgentId(name), replaces, Duration.ofHours(1)).token();
        var connector = new TlsPeerConnector(one.identity, TransportLimits.DEFAULT);
        var enrolment = Enrolment.enrol(token, connector, home, "test");
        assertThat(enrolment.agent()).isEqualTo(name);
        connect(one, rules, versions);
        byName.put(name, one);
        return one;
    }

    /** As a start of its process does. */
    void connect(One one, AgentRules rules, CommandVersions versions) throws Exception {
        var providers = one.host.providers(one.host.kinds.toArray(String[]::new));
        var link = new AgentLink(
                new AgentLink.Controllers(Enrolment.in(one.folder).orElseThrow(), List.of(one.relay.address())),
                new TlsPeerConnector(one.identity, TransportLimits.DEFAULT),
                new AgentLink.Acting(
                        providers,
                        taker(providers, one.host, one.identity),
                        rules,
                        BegunWork.in(one.folder),
                        one.identity.key(),
                        new SecureRandom()),
                "test",
                versions);
        one.link = link;
        one.thread = Thread.ofVirtual().start(() -> {
            try {
                link.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /** The agent's process ends, and the next begins. */
    void restart(String name, AgentRules rules) throws Exception {
        var one = one(name);
        one.stop();
        awaitLost(name);
        one.host.loseProcess();
        connect(one, rules, CommandVersions.ALL);
        awaitConnected(name);
    }

    /** Its process ends, its state is lost, and it is enrolled again under its name. */
    void reinstall(String name) throws Exception {
        var before = one(name);
        before.close();
        awaitLost(name);
        before.host.loseProcess();
        enrolled(name, before.host, folder.resolve(name + "-anew"), ALL, CommandVersions.ALL);
        awaitConnected(name);
    }

    /** Every connection is lost, as when the controller's process ends; agents come back by themselves. */
    void loseAll() {
        agents.close();
    }

    One one(String name) {
        return Objects.requireNonNull(byName.get(name), name);
    }

    boolean connected(String name) {
        return agents.find(new AgentId(name)).orElseThrow().connection().isPresent();
    }

    void awaitConnected(String name) throws InterruptedException {
        await(name, true);
    }

    void awaitLost(String name) throws InterruptedException {
        await(name, false);
    }

    private void await(String name, boolean connected) throws InterruptedException {
        long until = System.nanoTime() + SOON.toNanos();
        while (connected(name) != connected) {
            assertThat(System.nanoTime())
                    .as("%s %s", name, connected ? "connects" : "is lost")
                    .isLessThan(until);
            Thread.sleep(5);
        }
    }

    @Override
    public void close() throws Exception {
        for (var one : byName.values()) {
            one.close();
        }
        agents.close();
        listener.close();
        store.close();
    }
}
