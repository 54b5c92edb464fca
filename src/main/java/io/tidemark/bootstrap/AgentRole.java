package io.tidemark.bootstrap;

import io.tidemark.agent.LocalRecoveryPointTaker;
import io.tidemark.agent.Providers;
import io.tidemark.agent.remote.AgentLink;
import io.tidemark.agent.remote.BegunWork;
import io.tidemark.agent.remote.Enrolment;
import io.tidemark.replication.ReplicationException;
import io.tidemark.store.StateLock;
import io.tidemark.store.StoreException;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An agent: storage and applications of this host, at the command of a controller elsewhere. Order of a start: lock the
 * state, thaw what a dead process left frozen, open the storage, connect.
 */
final class AgentRole implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentRole.class);
    /** What is frozen ends with the connection; nothing else takes time. */
    private static final long STOP_SECONDS = 20;

    private final StateLock lock;
    private final Providers providers;
    private final AgentLink link;
    private final CountDownLatch stopped = new CountDownLatch(1);

    private AgentRole(StateLock lock, Providers providers, AgentLink link) {
        this.lock = lock;
        this.providers = providers;
        this.link = link;
    }

    static AgentRole start(Settings settings) throws SiteStartException {
        StateLock lock = lock(settings);
        AgentRole started = null;
        try {
            started = start(settings, lock);
            return started;
        } catch (IOException e) {
            throw new SiteStartException("the agent cannot start: %s".formatted(e.getMessage()), e);
        } finally {
            if (started == null) {
                lock.close();
            }
        }
    }

    private static StateLock lock(Settings settings) throws SiteStartException {
        try {
            return StateLock.take(settings.stateFolder());
        } catch (StoreException e) {
            throw new SiteStartException("the agent cannot start: %s".formatted(e.getMessage()), e);
        }
    }

    private static AgentRole start(Settings settings, StateLock lock) throws IOException, SiteStartException {
        var clock = InstantSource.system();
        var identity = SiteIdentity.in(settings.stateFolder(), clock);
        var enrolment = Enrolment.in(settings.stateFolder())
                .orElseThrow(
                        () -> new SiteStartException(
                                "this host is nobody's agent yet: run \"tidemark agents invite NAME\" at the controller, and here \"tidemark agent --enrol-file FILE\" with what it prints"));
        var moments = HaltingMoments.fromProperty();
        // Before the storage is asked anything: it may be what is frozen.
        HostTaker.of(settings, new Providers(List.of()), identity, moments, clock)
                .sweepFreezes();
        var providers = ProviderLoading.load(settings);
        AgentRole role = null;
        try {
            LocalRecoveryPointTaker taker = HostTaker.of(settings, providers, identity, moments, clock);
            var link = new AgentLink(
                    new AgentLink.Controllers(enrolment, settings.agentControllers()),
                    new TlsPeerConnector(identity, TransportLimits.DEFAULT),
                    new AgentLink.Acting(
                            providers,
                            taker,
                            settings.agentRules(),
                            BegunWork.in(settings.stateFolder()),
                            identity.key(),
                            new SecureRandom()),
                    Software.VERSION);
            role = new AgentRole(lock, providers, link);
            LOG.info("agent.ready agent={} fingerprint={}", enrolment.agent(), identity.fingerprint());
            return role;
        } finally {
            if (role == null) {
                providers.close();
            }
        }
    }

    /** Enrols this host, unless it is enrolled already. */
    static Enrolment enrol(Settings settings, String token) throws SiteStartException {
        try (var lock = lock(settings)) {
            var known = Enrolment.in(settings.stateFolder());
            if (known.isPresent()) {
                throw new SiteStartException(
                        "this host is agent %s of %s already: remove agent.json from %s to enrol it anew"
                                .formatted(known.get().agent(), known.get().controller(), settings.stateFolder()));
            }
            var identity = SiteIdentity.in(settings.stateFolder(), InstantSource.system());
            return Enrolment.enrol(
                    token,
                    new TlsPeerConnector(identity, TransportLimits.DEFAULT),
                    settings.stateFolder(),
                    Software.VERSION);
        } catch (IOException | ReplicationException e) {
            throw new SiteStartException("this host cannot be enrolled: %s".formatted(e.getMessage()), e);
        }
    }

    /** Until it is asked to stop. */
    void run() throws InterruptedException {
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> {
            link.close();
            try {
                boolean done = stopped.await(STOP_SECONDS, TimeUnit.SECONDS);
                if (!done) {
                    LOG.warn("agent.stop_unfinished limitSeconds={}", STOP_SECONDS);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        link.run();
    }

    @Override
    public void close() {
        link.close();
        providers.close();
        lock.close();
        LOG.info("agent.stopped");
        stopped.countDown();
    }
}
