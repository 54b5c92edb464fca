package io.tidemark.system.hosts;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.client.Operations;
import io.tidemark.client.SiteClient;
import io.tidemark.domain.Consistency;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Kept;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.recoverypoint.DatabaseOnImage;
import io.tidemark.system.recoverypoint.ImageGround;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A controller, and agents in network namespaces: two, at each a PostgreSQL on a volume, and perhaps a third, whose volume
 * holds a file system alone.
 */
final class AgentHosts implements AutoCloseable {
    static final Duration LIMIT = Duration.ofSeconds(5);
    private static final long IMAGE_BYTES = 512L << 20;
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration OPERATION_LIMIT = Duration.ofMinutes(2);
    private static final Duration TIDY_LIMIT = Duration.ofSeconds(30);
    private static final String VOLUME = DatabaseOnImage.VOLUME.value();

    private final Kept made = new Kept();
    private final Ground ground;
    private final Node controller;
    final Host first;
    final Host second;
    private final Optional<Host> third;

    /**
     * One agent's host.
     *
     * @param folder to work in
     * @param mounted the file system on its volume
     */
    record Host(
            String name,
            HostNetwork.Cable cable,
            Node agent,
            Path folder,
            LoopVolume mounted,
            Optional<PostgresServer> database) {
        String volume() {
            return name + "/" + VOLUME;
        }

        PostgresServer server() {
            return database.orElseThrow();
        }
    }

    static AgentHosts two() throws Exception {
        return new AgentHosts(false, Consistency.APPLICATION);
    }

    /** Its group requires nothing: what is not reached shows in the label, and does not fail the recovery point. */
    static AgentHosts three() throws Exception {
        return new AgentHosts(true, Consistency.CRASH);
    }

    private AgentHosts(boolean withThird, Consistency required) throws Exception {
        try {
            ground = made.keep(Ground.open());
            var network = made.keep(new HostNetwork());
            controller = made.keep(
                    new Node(ground.folder().resolve("controller"), """
                    http: {host: 127.0.0.1, port: 0}
                    replication: {host: %s, port: 17421}
                    """.formatted(network.address()), List.of()));
            startController();
            first = hostWithDatabase("a", network);
            second = hostWithDatabase("b", network);
            third = withThird ? Optional.of(hostWithFileSystem("c", network)) : Optional.empty();
            client().post("/v1/groups", group(required));
        } catch (Exception | Error e) {
            close();
            throw e;
        }
    }

    List<Host> all() {
        return third.map(one -> List.of(first, second, one)).orElseGet(() -> List.of(first, second));
    }

    Node controller() {
        return controller;
    }

    private void startController() throws Exception {
        controller.start("controller");
        await("controller", () -> Files.exists(controller.state().resolve("endpoints.json")));
    }

    /** As after a power failure of the controller's host. */
    void killController() throws Exception {
        controller.kill();
    }

    /** By SIGTERM; returns once it has ended. */
    void stopController() throws Exception {
        controller.close();
    }

    void restartController() throws Exception {
        startController();
        for (var host : all()) {
            awaitConnected(host);
        }
    }

    private Host hostWithDatabase(String name, HostNetwork network) throws Exception {
        var database = made.keep(new DatabaseOnImage(IMAGE_BYTES));
        var cable = network.host(name);
        var agent = enrolled(name, cable, database.images());
        return started(
                new Host(name, cable, agent, database.folder(), database.volume(), Optional.of(database.server())));
    }

    private Host hostWithFileSystem(String name, HostNetwork network) throws Exception {
        var images = made.keep(new ImageGround(DatabaseOnImage.VOLUME, IMAGE_BYTES));
        var cable = network.host(name);
        var agent = enrolled(name, cable, images.images());
        return started(new Host(name, cable, agent, images.folder(), images.volume(), Optional.empty()));
    }

    private Node enrolled(String name, HostNetwork.Cable cable, Path images) throws Exception {
        var agent = made.keep(new Node(ground.folder().resolve(name), """
                agent: {overwrite: true}
                providers: {image: {folders: [%s]}}
                """.formatted(images), cable.enter()));
        var token = Files.writeString(
                ground.folder().resolve("token-" + name),
                client().post("/v1/agent-invitations", Map.of("agent", name, "validMillis", 3_600_000))
                        .at("token")
                        .text());
        agent.run("agent", "--enrol-file", token.toString());
        return agent;
    }

    private Host started(Host host) throws Exception {
        startAgent(host);
        return host;
    }

    void startAgent(Host host) throws Exception {
        host.agent().start("agent");
        awaitConnected(host);
    }

    void awaitConnected(Host host) throws Exception {
        await("agent " + host.name(), () -> state(host).equals("CONNECTED"));
    }

    String state(Host host) throws IOException, ClientException {
        return client().get("/v1/agents/" + host.name()).at("state").text();
    }

    private interface Question {
        boolean ask() throws Exception;
    }

    private static void await(String what, Question question) throws Exception {
        long until = System.nanoTime() + START_LIMIT.toNanos();
        while (!question.ask()) {
            if (System.nanoTime() > until) {
                throw new IOException("%s was not there within %s".formatted(what, START_LIMIT));
            }
            Thread.sleep(20);
        }
    }

    private Map<String, ?> group(Consistency required) {
        return Map.of(
                "id",
                "shop",
                "volumes",
                all().stream().map(Host::volume).toList(),
                "quiescers",
                List.of(quiescer(first), quiescer(second)),
                "freezeLimitMillis",
                LIMIT.toMillis(),
                "requireConsistency",
                required.name());
    }

    private static Map<String, ?> quiescer(Host host) {
        var server = host.server();
        return Map.of(
                "kind",
                host.name() + "/postgresql",
                "settings",
                Map.of(
                        "port",
                        Integer.toString(server.port()),
                        "user",
                        "postgres",
                        "socketFolder",
                        server.data().toString()));
    }

    SiteClient client() throws IOException {
        var endpoints = Json.parse(Files.readString(controller.state().resolve("endpoints.json")));
        return new SiteClient(
                URI.create(endpoints.at("http").text()),
                Optional.of(controller.state().resolve("admin.token")),
                Optional.empty());
    }

    /** The operation, at its end. */
    Json take() throws Exception {
        return await(client().post("/v1/groups/shop/recovery-points"));
    }

    String startTaking() throws IOException, ClientException {
        return client().post("/v1/groups/shop/recovery-points").at("id").text();
    }

    Json await(Json operation) throws Exception {
        return await(operation.at("id").text());
    }

    /** At its end, whatever that is. */
    Json await(String operation) throws Exception {
        long until = System.nanoTime() + OPERATION_LIMIT.toNanos();
        while (true) {
            var now = client().get("/v1/operations/" + operation);
            if (Operations.ended(now)) {
                return now;
            }
            if (System.nanoTime() > until) {
                throw new IOException(
                        "operation has not ended within %s: %s".formatted(OPERATION_LIMIT, now.compact()));
            }
            Thread.sleep(10);
        }
    }

    /** The whole document of a recovery point that an operation took. */
    Json point(Json operation) throws IOException, ClientException {
        var id = Operations.result(operation).at("recoveryPoint", "id").text();
        return client().get("/v1/recovery-points/" + segment(id));
    }

    /** Starts the database on a clone of the host's member, as if the power had gone at the cut. */
    long numbers(Host host, String point, String sql) throws Exception {
        var name = "%s/image:clone-%s".formatted(host.name(), point);
        await(client().post(
                        "/v1/recovery-points/%s/clones".formatted(point),
                        Map.of("volume", host.volume(), "name", name)));
        var device = Path.of(client().get("/v1/volumes/" + segment(name))
                .at("facts", "device")
                .text());
        try (var mounted = LoopVolume.mount(device, host.folder().resolve("clone-" + point));
                PostgresServer recovered =
                        host.server().startCopy(mounted.mountPoint().resolve("data"))) {
            return recovered.number(sql);
        } finally {
            client().delete("/v1/volumes/" + segment(name));
        }
    }

    List<Json> snapshots(Host host) throws IOException, ClientException {
        return client().list("/v1/snapshots?volume=" + segment(host.volume()), 100);
    }

    String logs() throws IOException {
        var text = new StringBuilder("controller:\n").append(controller.log());
        for (var host : all()) {
            text.append("\n%s:\n%s".formatted(host.name(), host.agent().log()));
        }
        return text.toString();
    }

    /**
     * No snapshot is left but those of recovery points that are recorded; these are deleted.
     *
     * @throws AssertionError with all logs, where it is not so within {@link #TIDY_LIMIT}
     */
    void awaitTidy() throws Exception {
        long until = System.nanoTime() + TIDY_LIMIT.toNanos();
        while (!isTidy()) {
            if (System.nanoTime() > until) {
                throw new AssertionError("snapshots are left after %s%n%s".formatted(TIDY_LIMIT, logs()));
            }
            Thread.sleep(100);
        }
    }

    private boolean isTidy() throws Exception {
        for (var point : client().list("/v1/recovery-points", 100)) {
            client().delete("/v1/recovery-points/" + point.at("id").text());
        }
        for (var host : all()) {
            if (!snapshots(host).isEmpty()) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        made.close();
    }
}
