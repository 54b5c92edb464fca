package io.tidemark.system.kill;

import io.tidemark.client.Json;
import io.tidemark.client.SiteClient;
import io.tidemark.domain.Moment;
import io.tidemark.system.ground.TidemarkProgram;
import io.tidemark.system.ground.Watchdog;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A site in a process of its own, that can be told to die at a moment and be started again on the same state. */
public final class RunningSite implements AutoCloseable {
    /** In the storage lab, whose kernel has one CPU and is a process itself, two that start at once take more than a minute. */
    private static final Duration START_LIMIT = Duration.ofMinutes(4);

    private static final Duration STOP_LIMIT = Duration.ofSeconds(40);
    private static final int PORTS_MAXIMUM = 3;
    private static final Duration POLL = Duration.ofMillis(20);

    private final String name;
    private final Path folder;
    private final Path volumes;
    private final Path haltFile;
    private final List<String> javaOptions;
    private final String further;
    private final String sections;
    private final String advertised;
    private int replicationPort;
    /** From then on others may know its port. */
    private boolean started;

    private @Nullable Process process;
    private Watchdog.@Nullable Undo undo;

    public RunningSite(String name, Path folder, Path volumes) throws IOException {
        this(name, folder, volumes, List.of("-Xmx256m"));
    }

    /** @param javaOptions the heap's size among them */
    public RunningSite(String name, Path folder, Path volumes, List<String> javaOptions) throws IOException {
        this(name, folder, volumes, javaOptions, "", "");
    }

    /** @param furtherProviders entries of the section {@code providers}, in YAML's flow style, each with a comma before it */
    public RunningSite(String name, Path folder, Path volumes, List<String> javaOptions, String furtherProviders)
            throws IOException {
        this(name, folder, volumes, javaOptions, furtherProviders, "");
    }

    /** @param furtherSections of the configuration, in YAML, each ending its line */
    RunningSite(
            String name,
            Path folder,
            Path volumes,
            List<String> javaOptions,
            String furtherProviders,
            String furtherSections)
            throws IOException {
        this(name, folder, volumes, javaOptions, furtherProviders, furtherSections, "");
    }

    /** @param host at which peers are told to find it, by whatever the test puts between */
    public static RunningSite advertising(String host, String name, Path folder, Path volumes) throws IOException {
        return advertising(host, name, folder, volumes, List.of("-Xmx256m"));
    }

    /** @param javaOptions the heap's size among them */
    public static RunningSite advertising(String host, String name, Path folder, Path volumes, List<String> javaOptions)
            throws IOException {
        return new RunningSite(name, folder, volumes, javaOptions, "", "", ", advertisedHost: " + host);
    }

    private RunningSite(
            String name,
            Path folder,
            Path volumes,
            List<String> javaOptions,
            String furtherProviders,
            String furtherSections,
            String advertised)
            throws IOException {
        this.advertised = advertised;
        this.javaOptions = List.copyOf(javaOptions);
        this.name = name;
        this.folder = Files.createDirectories(folder);
        this.volumes = Files.createDirectories(volumes);
        this.haltFile = folder.resolve("halt");
        this.further = furtherProviders;
        this.sections = furtherSections;
        configure();
    }

    private void configure() throws IOException {
        replicationPort = freePort();
        Files.writeString(folder.resolve("site.yaml"), """
                site: {name: %s}
                state: {folder: %s}
                http: {host: 127.0.0.1, port: 0, metricsOpen: true}
                replication: {host: 127.0.0.1, port: %d%s}
                providers: {image: {folders: [%s]}%s}
                %s""".formatted(
                        name, state(), replicationPort, advertised, volumes, further, sections));
    }

    public int replicationPort() {
        return replicationPort;
    }

    public Path state() {
        return folder.resolve("state");
    }

    Path volumes() {
        return volumes;
    }

    /** Starts the process and waits until it answers. Before the first time the port that was free may have been taken. */
    public void start() throws IOException, InterruptedException {
        for (int left = PORTS_MAXIMUM; ; left--) {
            try {
                startOnce();
                started = true;
                return;
            } catch (IOException e) {
                if (started || left == 1 || !log().contains("in use")) {
                    throw e;
                }
                configure();
            }
        }
    }

    private void startOnce() throws IOException, InterruptedException {
        Files.deleteIfExists(state().resolve("endpoints.json"));
        var command = TidemarkProgram.command(
                haltFile,
                javaOptions,
                "standalone",
                "--config",
                folder.resolve("site.yaml").toString());
        var launched = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
        process = launched;
        forget();
        // Should the tests be killed, the site must not live on and hold their mounts.
        undo = Watchdog.get()
                .remember("kill -9 %1$d; for n in {1..100}; do [[ -e /proc/%1$d ]] || break; sleep 0.05; done"
                        .formatted(launched.pid()));
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (!Files.exists(state().resolve("endpoints.json"))) {
            if (!launched.isAlive() || System.nanoTime() > deadline) {
                throw new IOException("site %s did not start:%n%s".formatted(name, log()));
            }
            Thread.sleep(POLL);
        }
    }

    /** The process ends itself when the moment is reached for the n-th time from now on. */
    void dieAt(Moment moment, int occurrence) throws IOException {
        Path written = folder.resolve("halt.new");
        Files.writeString(written, moment + ":" + occurrence);
        Files.move(written, haltFile, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }

    /** Takes the order back; answers whether it was carried out. */
    boolean diedAsTold() throws IOException {
        return !Files.deleteIfExists(haltFile);
    }

    boolean alive() {
        var running = process;
        return running != null && running.isAlive();
    }

    /** SIGKILL, now. */
    public void kill() throws InterruptedException {
        var running = process;
        if (running != null) {
            running.destroyForcibly().waitFor();
        }
    }

    /** Of its process. @throws IllegalStateException before it was started */
    public long pid() {
        var running = process;
        if (running == null) {
            throw new IllegalStateException("site %s was not started".formatted(name));
        }
        return running.pid();
    }

    public SiteClient client() throws IOException {
        var endpoints = Json.parse(Files.readString(state().resolve("endpoints.json")));
        return new SiteClient(
                URI.create(endpoints.at("http").text()), Optional.of(state().resolve("admin.token")), Optional.empty());
    }

    /** A figure of this name, without labels, as Prometheus would read it. */
    public double metric(String metric) throws IOException {
        var url = client().base().resolve("/metrics").toURL();
        try (var answer = url.openStream()) {
            return new String(answer.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> line.startsWith(metric + " "))
                    .mapToDouble(line -> Double.parseDouble(line.substring(metric.length() + 1)))
                    .findFirst()
                    .orElseThrow(() -> new IOException("site %s has no metric %s".formatted(name, metric)));
        }
    }

    public String log() throws IOException {
        Path log = folder.resolve("log");
        return Files.exists(log) ? Files.readString(log) : "";
    }

    @Override
    public void close() throws InterruptedException, IOException {
        var running = process;
        if (running != null && running.isAlive()) {
            running.destroy();
            if (!running.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                running.destroyForcibly().waitFor();
            }
        }
        forget();
    }

    private void forget() throws IOException {
        var remembered = undo;
        if (remembered != null) {
            remembered.close();
            undo = null;
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
