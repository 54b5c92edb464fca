package io.tidemark.bootstrap;

import io.tidemark.control.ControlPorts;
import io.tidemark.control.OperationSettings;
import io.tidemark.control.SiteControl;
import io.tidemark.control.port.ExportHost;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.Ids;
import io.tidemark.domain.Moments;
import io.tidemark.http.ApiServer;
import io.tidemark.http.ApiSettings;
import io.tidemark.http.Problems;
import io.tidemark.security.AdminTokenFile;
import io.tidemark.security.ApiTokens;
import io.tidemark.spi.StorageProvider;
import io.tidemark.store.SiteStore;
import io.tidemark.store.StoreException;
import io.tidemark.telemetry.Metrics;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A site: controller and agent in one process, wired by hand.
 *
 * <p>Order of a start: lock and open the state, thaw what a dead process left frozen, finish committed ingest logs,
 * finish or undo operations, sweep orphans, serve peers, serve the API, tell where. A stop goes the other way, but that
 * operations end before peers and agents are left.
 */
final class Site implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Site.class);

    /** What was started, newest first. */
    private final Deque<Part> parts = new ArrayDeque<>();

    private final CountDownLatch stopAsked = new CountDownLatch(1);
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Settings settings;

    /** Something that must be ended, and its name for the log. */
    private record Part(String name, AutoCloseable end) {}

    private Site(Settings settings) {
        this.settings = settings;
    }

    static Site start(Settings settings) throws SiteStartException, InterruptedException {
        var site = new Site(settings);
        try {
            site.bringUp();
            return site;
        } catch (StoreException | IOException | IllegalArgumentException e) {
            site.end();
            throw new SiteStartException("site %s cannot start: %s".formatted(settings.siteName(), e.getMessage()), e);
        } catch (SiteStartException e) {
            site.end();
            throw e;
        }
    }

    private void bringUp() throws SiteStartException, IOException, InterruptedException {
        var clock = InstantSource.system();
        var store = begun("store", SiteStore.open(settings.stateFolder()));
        Endpoints.remove(settings.stateFolder());
        var moments = HaltingMoments.fromProperty();
        var host = begun("host", new HostParts(settings, store, moments, clock, Software.VERSION));
        var metrics = begun("metrics", new Metrics());
        var exports = new ExportParts(settings, host.ownProviders());
        exports.watchedBy(metrics);
        var live = host.liveLinks(exports.exports());
        metrics.watchLive(live::all);
        var control = control(store, host, exports.exports(), live, metrics, moments, clock);

        host.taker().sweepFreezes();
        host.resumeIngests();
        // Before it recovers: what a restart takes up must be let go of when the rest of the start fails.
        begun("control", control::stop);
        // Before it recovers: a rollback that waited must find that its volume is replicated live.
        live.read();
        control.recover();

        host.agents().onArrival(arrived -> sweep(control, arrived));
        begun("live links", live);
        live.start(point -> control.points().delete().delete(point));
        String replication = host.listen();
        begun("replication", host::stopListening);
        begun("agents", host.agents());
        // Before the listener ends, which waits for sessions; and clients of exports end first: a request that is
        // refused is an
        // error to them, and a connection that ends is not.
        begun("live sessions", live);
        begun("exports", exports);
        // Before it is reachable: who comes back for an export is not told that there is none.
        control.exports().openAgain();
        exports.listen();
        // First of the three: an operation under way needs its agents and its peers to end in its time.
        begun("operations", control::stop);
        var api = begun("api", api(store, control, metrics, clock, host.fingerprint()));
        control.start();
        String scheme = settings.httpCertificateFile().isPresent() ? "https" : "http";
        String http = "%s://%s:%d".formatted(scheme, settings.httpHost(), api.port());
        new Endpoints(http, replication, ProcessHandle.current().pid()).write(settings.stateFolder());
        begun("endpoints", () -> Endpoints.remove(settings.stateFolder()));
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(this::stopOnSignal));
        log.info("site.ready name={} http={} replication={}", settings.siteName(), http, replication);
    }

    private static void sweep(SiteControl control, Collection<StorageProvider> arrived) {
        try {
            control.sweep(arrived);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            log.error(
                    "agents.not_swept providers={}",
                    arrived.stream().map(StorageProvider::name).toList(),
                    e);
        }
    }

    private SiteControl control(
            SiteStore store,
            HostParts host,
            ExportHost exports,
            LiveHost live,
            Metrics metrics,
            Moments moments,
            InstantSource clock) {
        var random = new SecureRandom();
        var stores = new ControlPorts.Stores(
                store.groups(),
                store.recoveryPoints(),
                store.peers(),
                store.links(),
                store.catalog(),
                store.operations(),
                store.idempotency(),
                store.trackingAudits());
        var agents = new ControlPorts.Agents(
                host.everyProvider(),
                host.groupTaker(),
                host.agents(),
                host.replicator(),
                host.pairing(),
                host.targetSessions(),
                exports,
                live);
        var ports = new ControlPorts(
                stores, agents, Problems.writer(), metrics, moments, new Ids(clock, random), clock, random);
        return new SiteControl(
                ports, new OperationSettings(settings.operationsConcurrentMaximum(), settings.operationsStopTimeout()));
    }

    private ApiServer api(
            SiteStore store, SiteControl control, Metrics metrics, InstantSource clock, String fingerprint)
            throws IOException, InterruptedException {
        var tokens = new ApiTokens(store.tokens(), new SecureRandom(), clock);
        AdminTokenFile.ensure(settings.stateFolder(), tokens);
        var api = new ApiSettings(
                settings.httpHost(),
                settings.httpPort(),
                settings.httpCertificateFile(),
                settings.httpKeyFile(),
                settings.httpRequestBytesMaximum(),
                settings.httpRequestTimeout(),
                settings.httpMetricsOpen(),
                Software.VERSION,
                fingerprint);
        return ApiServer.start(api, control, tokens, metrics);
    }

    private <T extends AutoCloseable> T begun(String name, T part) {
        parts.push(new Part(name, part));
        return part;
    }

    /** Returns once the process was asked to stop. */
    void awaitStop() throws InterruptedException {
        stopAsked.await();
    }

    /** The JVM's shutdown waits for this: the main thread does the work. */
    private void stopOnSignal() {
        stopAsked.countDown();
        try {
            boolean done = stopped.await(stopLimit().toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS);
            if (!done) {
                log.warn("site.stop_unfinished limitMillis={}", stopLimit().toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The operations' own time, and as much again for connections to end. */
    private Duration stopLimit() {
        return settings.operationsStopTimeout().plusSeconds(20);
    }

    @Override
    public void close() {
        log.info("site.stopping name={}", settings.siteName());
        end();
        log.info("site.stopped name={}", settings.siteName());
        stopped.countDown();
    }

    private void end() {
        while (!parts.isEmpty()) {
            var part = parts.pop();
            try {
                part.end().close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (Exception e) {
                log.warn("site.part_not_ended part={}", part.name(), e);
            }
        }
    }
}
