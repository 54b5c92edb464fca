package io.tidemark.benchmark;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.system.ground.Kept;
import io.tidemark.system.kill.RunningSite;
import io.tidemark.system.live.FaultyLine;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** Two sites in processes of their own on this host, paired: the first has volumes, the second gets live copies of them. */
final class LivePair implements AutoCloseable {
    /** What {@code tidemark live create} has where nothing is said. */
    static final int EXTENTS = 256;

    static final long EXTENT_BYTES = 4L << 20;
    private static final long BUFFER_BYTES = 16L << 20;
    private static final long RESYNC_FLOOR_BYTES = 16L << 20;

    /** Where the line listens: the second site's address as the first knows it. */
    private static final String LINE_HOST = "127.0.0.2";
    /** The heap that a site has by itself on a small host; compiled as the launcher's is, not as tests' are. */
    private static final List<String> OPTIONS = List.of("-Xmx256m", "-XX:TieredStopAtLevel=4");

    /** Of a resync of gibibytes on a busy machine. */
    private static final Duration CALM_LIMIT = Duration.ofMinutes(5);

    private static final Duration POLL = Duration.ofMillis(20);

    private final Kept kept = new Kept();
    private final Path folder;
    private final RunningSite first;
    private final RunningSite second;
    private final Optional<FaultyLine> line;

    /**
     * A live link whose first side is primary.
     *
     * @param uri of its export there
     */
    record Link(String id, String uri) {}

    /** How a live link is made; the rest is as {@code tidemark live create} has it. */
    record Terms(String protocol, String congestion, long bufferBytes) {
        static Terms of(String protocol) {
            return new Terms(protocol, "BLOCK", BUFFER_BYTES);
        }
    }

    private LivePair(Path folder, boolean isOverLine) throws Exception {
        this.folder = folder;
        boolean isWhole = false;
        try {
            first = kept.keep(site("first", false));
            second = kept.keep(site("second", isOverLine));
            startBoth();
            var to = new InetSocketAddress(InetAddress.getLoopbackAddress(), second.replicationPort());
            line = isOverLine ? Optional.of(kept.keep(new FaultyLine(LINE_HOST, to))) : Optional.empty();
            var invitation = first.client().post("/v1/invitations", Map.of("peer", "second", "validMillis", 600_000));
            second.client()
                    .post(
                            "/v1/peers",
                            Map.of(
                                    "id",
                                    "first",
                                    "token",
                                    invitation.at("token").text()));
            isWhole = true;
        } finally {
            if (!isWhole) {
                kept.close();
            }
        }
    }

    /**
     * Connected by loopback alone.
     *
     * @param folder has a folder {@code first} and {@code second} for each, made where they are not there
     */
    static LivePair direct(Path folder) throws Exception {
        return new LivePair(folder, false);
    }

    /** Connected by a line in this process. */
    static LivePair overLine(Path folder) throws Exception {
        return new LivePair(folder, true);
    }

    private RunningSite site(String name, boolean isBehindLine) throws IOException {
        var state = folder.resolve(name).resolve("site");
        var volumes = folder.resolve(name).resolve("volumes");
        return isBehindLine
                ? RunningSite.advertising(LINE_HOST, name, state, volumes, OPTIONS)
                : new RunningSite(name, state, volumes, OPTIONS);
    }

    private void startBoth() throws Exception {
        var other = new FutureTask<>(() -> {
            second.start();
            return true;
        });
        Thread.ofPlatform().start(other);
        try {
            first.start();
        } finally {
            other.get();
        }
    }

    RunningSite first() {
        return first;
    }

    RunningSite second() {
        return second;
    }

    /** @throws java.util.NoSuchElementException where they are connected without one */
    FaultyLine line() {
        return line.orElseThrow();
    }

    /** A volume of the first site without anything in it; gives its file. */
    Path volume(String name, long sizeBytes) throws ClientException, IOException {
        first.client().post("/v1/volumes", Map.of("id", "image:" + name, "sizeBytes", sizeBytes));
        return folder.resolve("first").resolve("volumes").resolve(name);
    }

    /** A volume that holds a file's content, durable. */
    void volume(String name, Path content) throws ClientException, IOException, InterruptedException {
        var file = volume(name, Files.size(content));
        new Tool(List.of("dd")).run("if=" + content, "of=" + file, "bs=4M", "conv=notrunc,fsync");
    }

    /** A writable export of a volume as it is, without a copy; gives its URI. */
    String export(String name) throws ClientException, IOException {
        var made = first.client().post("/v1/exports", Map.of("source", "image:" + name, "access", "WRITABLE"));
        return made.at("items").items().getFirst().at("uri").text();
    }

    /** The peer's copy of a volume is being made when this returns: {@link #awaitInStep}. */
    Link link(String name, Terms terms) throws Exception {
        var id = first.client()
                .post(
                        "/v1/live-links",
                        Map.of(
                                "peer",
                                "second",
                                "volume",
                                "image:" + name,
                                "peerVolume",
                                "image:" + name,
                                "protocol",
                                terms.protocol(),
                                "congestion",
                                terms.congestion(),
                                "bufferBytes",
                                terms.bufferBytes(),
                                "activityLogExtents",
                                EXTENTS,
                                "resyncFloorBytes",
                                RESYNC_FLOOR_BYTES))
                .at("id")
                .text();
        // Before they have met, a copy that was just made may not be primary.
        await(
                "%s is met".formatted(id),
                () -> !status(first, id).at("replication").text().equals("OFF"));
        var export = first.client()
                .post("/v1/live-links/%s/promotions".formatted(id), Map.of("force", false))
                .at("export")
                .text();
        var uri = first.client().get("/v1/exports/" + export).at("uri").text();
        return new Link(id, uri);
    }

    /** As a side has it. */
    static Json status(RunningSite site, String link) throws ClientException, IOException {
        return site.client().get("/v1/live-links/" + link);
    }

    /** Until both are connected, and nothing is left to be sent. */
    void awaitInStep(Link link) throws Exception {
        await("%s is in step".formatted(link.id()), () -> isInStep(first, link) && isInStep(second, link));
    }

    private static boolean isInStep(RunningSite site, Link link) throws ClientException, IOException {
        var status = status(site, link.id());
        return status.at("replication").text().equals("ESTABLISHED")
                && status.at("disk").text().equals("UP_TO_DATE");
    }

    /** What was written before is not the burden of what is measured next: nothing of any volume is only in the page cache. */
    void settle() throws IOException, InterruptedException, Skipped {
        var files = new ArrayList<Object>();
        for (var site : List.of("first", "second")) {
            try (var volumes = Files.list(folder.resolve(site).resolve("volumes"))) {
                volumes.filter(Files::isRegularFile).forEach(files::add);
            }
        }
        Tool.of("sync", "coreutils").run(files.toArray());
    }

    /** What is waited for. */
    interface Condition {
        boolean holds() throws ClientException, IOException;
    }

    /** @throws IOException where it is not within the limit */
    static void await(String what, Condition condition) throws ClientException, IOException, InterruptedException {
        long until = System.nanoTime() + CALM_LIMIT.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > until) {
                throw new IOException("not within %d s: %s".formatted(CALM_LIMIT.toSeconds(), what));
            }
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
    }

    @Override
    public void close() throws IOException {
        kept.close();
    }
}
