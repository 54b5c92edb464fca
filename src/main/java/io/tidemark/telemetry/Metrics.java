package io.tidemark.telemetry;

import com.sun.management.ThreadMXBean;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.tidemark.control.Observer;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.SyncReport;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** What Prometheus scrapes. Labels are closed sets: kinds, states, routes; no ids but of live links, so that series stay few. */
public final class Metrics implements Observer, AutoCloseable {
    private static final double NANOS_PER_SECOND = 1e9;

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics garbageCollection = new JvmGcMetrics();
    private volatile Optional<LiveMetrics> live = Optional.empty();

    public Metrics() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        garbageCollection.bindTo(registry);
        if (ManagementFactory.getThreadMXBean() instanceof ThreadMXBean threads) {
            FunctionCounter.builder("tidemark.heap.allocated", threads, ThreadMXBean::getTotalThreadAllocatedBytes)
                    .description("bytes that all threads have allocated on the heap, garbage or not")
                    .baseUnit("bytes")
                    .register(registry);
        }
    }

    /** Shows how many operations run and wait at the moment of each scrape. */
    public void watchOperations(IntSupplier running, IntSupplier waiting) {
        Gauge.builder("tidemark.operations.running", running::getAsInt)
                .description("operations that act now")
                .register(registry);
        Gauge.builder("tidemark.operations.waiting", waiting::getAsInt)
                .description("operations that wait for their turn")
                .register(registry);
    }

    /** Shows the alarm of a storage that left out changes; alert on any value above 0. */
    public void watchTracking(IntSupplier distrusted) {
        Gauge.builder("tidemark.tracking.distrusted", distrusted::getAsInt)
                .description("volumes whose storage has called changed blocks unchanged")
                .register(registry);
    }

    /** Shows the hosts that this controller commands; alert while fewer are connected than are enrolled. */
    public void watchAgents(IntSupplier enrolled, IntSupplier connected) {
        Gauge.builder("tidemark.agents.enrolled", enrolled::getAsInt)
                .description("agents that this controller knows")
                .register(registry);
        Gauge.builder("tidemark.agents.connected", connected::getAsInt)
                .description("agents that are connected now")
                .register(registry);
    }

    /**
     * What is told of exports.
     *
     * @param readBytes that clients were sent since the start; as the next two it never falls
     * @param writtenBytes that clients sent
     * @param errors requests that were answered with one
     */
    public record OfExports(
            IntSupplier open,
            IntSupplier connections,
            LongSupplier readBytes,
            LongSupplier writtenBytes,
            LongSupplier errors) {}

    /** Shows exports, and what their clients do. */
    public void watchExports(OfExports exports) {
        Gauge.builder("tidemark.exports.open", exports.open()::getAsInt)
                .description("exports that are open now")
                .register(registry);
        Gauge.builder("tidemark.exports.connections", exports.connections()::getAsInt)
                .description("clients that use an export now")
                .register(registry);
        countExported("read", "bytes of exports that clients were sent", "bytes", exports.readBytes());
        countExported("written", "bytes that clients have written to exports", "bytes", exports.writtenBytes());
        countExported("errors", "requests of clients that were answered with an error", "requests", exports.errors());
    }

    private void countExported(String what, String description, String unit, LongSupplier counted) {
        // Of this, which lives as long: the registry holds what it asks weakly, and what is counted is a method of
        // something else.
        FunctionCounter.builder("tidemark.exports." + what, this, metrics -> counted.getAsLong())
                .description(description)
                .baseUnit(unit)
                .register(registry);
    }

    /** Shows each live link; they are looked at once for each scrape. */
    public void watchLive(Supplier<List<LiveHost.Live>> links) {
        live = Optional.of(new LiveMetrics(registry, links));
    }

    @Override
    public void operationStarted(String kind) {
        counter("tidemark.operations.started", "operations written down", "kind", kind)
                .increment();
    }

    @Override
    public void operationEnded(Operation operation, Duration took) {
        Timer.builder("tidemark.operations.duration")
                .description("from being written down to the end, by kind and how it ended")
                .tag("kind", operation.kind())
                .tag("state", operation.state().name())
                .register(registry)
                .record(took);
    }

    @Override
    public void recoveryPointTaken(RecoveryPoint point) {
        counter(
                        "tidemark.recovery.points.taken",
                        "recovery points recorded, by what was achieved",
                        "consistency",
                        point.consistency().name())
                .increment();
        point.certificate()
                .freezeWindowNanos()
                .ifPresent(nanos -> DistributionSummary.builder("tidemark.freeze.window")
                        .description("time from the first file system freeze to the last release")
                        .baseUnit("seconds")
                        .serviceLevelObjectives(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
                        .register(registry)
                        .record(nanos / NANOS_PER_SECOND));
    }

    @Override
    public void synced(SyncReport report) {
        syncBytes("changed", report.changedBytes());
        syncBytes("read", report.readBytes());
        syncBytes("compared", report.comparedBytes());
        syncBytes("sent_payload", report.sentPayloadBytes());
        syncBytes("sent_wire", report.sentWireBytes());
        syncBytes("resumed", report.resumedBytes());
        Timer.builder("tidemark.sync.duration")
                .description("one synchronisation")
                .register(registry)
                .record(report.duration());
    }

    private void syncBytes(String what, long bytes) {
        Counter.builder("tidemark.sync")
                .description("bytes of finished synchronisations, by what was done with them")
                .baseUnit("bytes")
                .tag("what", what)
                .register(registry)
                .increment((double) bytes);
    }

    private Counter counter(String name, String description, String tag, String value) {
        return Counter.builder(name).description(description).tag(tag, value).register(registry);
    }

    /** @param route operation id of the API, or a fixed word where there is none */
    public void requestAnswered(String route, int status, Duration took) {
        Timer.builder("tidemark.http.requests")
                .description("API requests, by route and status")
                .tag("route", route)
                .tag("status", Integer.toString(status))
                .register(registry)
                .record(took);
    }

    /** Prometheus' text format. */
    public String scrape() {
        live.ifPresent(LiveMetrics::look);
        return registry.scrape();
    }

    @Override
    public void close() {
        garbageCollection.close();
        registry.close();
    }
}
