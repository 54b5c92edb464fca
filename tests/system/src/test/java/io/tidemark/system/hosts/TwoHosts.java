package io.tidemark.system.hosts;

import static io.tidemark.client.SiteClient.segment;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.client.Operations;
import io.tidemark.client.SiteClient;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Kept;
import io.tidemark.system.ground.LoopVolume;
import io.tidemark.system.ground.PostgresServer;
import io.tidemark.system.recoverypoint.DatabaseOnImage;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A controller, and two agents in network namespaces; at each a PostgreSQL on a volume. */
final class TwoHosts implements AutoCloseable {
    static final Duration LIMIT = Duration.ofSeconds(5);
    private static final long IMAGE_BYTES = 512L << 20;
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration OPERATION_LIMIT = Duration.ofMinutes(2);
    private static final String VOLUME = DatabaseOnImage.VOLUME.value();

    private final Kept made = new Kept();
    private final Ground ground;
    private final Node controller;
    final Host first;
    final Host second;

    /** One agent's host. */
    record Host(String name, HostNetwork.Cable cable, Node agent, DatabaseOnImage database) {
        String volume() {
            return name + "/" + VOLUME;
        }
    }

    TwoHosts() throws Exception {
        try {
            ground = made.keep(Ground.open());
            var network = made.keep(new HostNetwork());
            controller = made.keep(
                    new Node(ground.folder().resolve("controller"), """
                    http: {host: 127.0.0.1, port: 0}
                    replication: {host: %s, port: 17421}
                    """.formatted(network.address()), List.of()));
            startController();
            first = host("a", network);
            second = host("b", network);
            client().post("/v1/groups", group());
        } catch (Exception | Error e) {
            close();
            throw e;
        }
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
        awaitConnected(first);
        awaitConnected(second);
    }

    private Host host(String name, HostNetwork network) throws Exception {
        var database = made.keep(new DatabaseOnImage(IMAGE_BYTES));
        var cable = network.host(name);
        var agent = made.keep(new Node(ground.folder().resolve(name), """
                agent: {overwrite: true}
                providers: {image: {folders: [%s]}}
                """.formatted(database.images()), cable.enter()));
        var token = Files.writeString(
                ground.folder().resolve("token-" + name),
                client().post("/v1/agent-invitations", Map.of("agent", name, "validMillis", 3_600_000))
                        .at("token")
                        .text());
        agent.run("agent", "--enrol-file", token.toString());
        var host = new Host(name, cable, agent, database);
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

    private Map<String, ?> group() {
        return Map.of(
                "id",
                "shop",
                "volumes",
                List.of(first.volume(), second.volume()),
                "quiescers",
                List.of(quiescer(first), quiescer(second)),
                "freezeLimitMillis",
                LIMIT.toMillis(),
                "requireConsistency",
                "APPLICATION");
    }

    private static Map<String, ?> quiescer(Host host) {
        var server = host.database().server();
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
        var database = host.database();
        try (var mounted = LoopVolume.mount(device, database.folder().resolve("clone-" + point));
                PostgresServer recovered =
                        database.server().startCopy(mounted.mountPoint().resolve("data"))) {
            return recovered.number(sql);
        } finally {
            client().delete("/v1/volumes/" + segment(name));
        }
    }

    List<Json> snapshots(Host host) throws IOException, ClientException {
        return client().list("/v1/snapshots?volume=" + segment(host.volume()), 100);
    }

    String logs() throws IOException {
        return "controller:%n%s%na:%n%s%nb:%n%s"
                .formatted(controller.log(), first.agent().log(), second.agent().log());
    }

    @Override
    public void close() throws IOException {
        made.close();
    }
}
