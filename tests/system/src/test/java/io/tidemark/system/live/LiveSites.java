package io.tidemark.system.live;

import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.domain.ExportId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Kept;
import io.tidemark.system.kill.RunningSite;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.awaitility.Awaitility;

/** Two sites with a line between them that can fail, and one volume that is replicated live. */
final class LiveSites implements AutoCloseable {
    static final String VOLUME = "image:live";
    /** Where the line listens: the second site's address as the first knows it. */
    private static final String LINE_HOST = "127.0.0.2";

    private static final Duration CALM_LIMIT = Duration.ofSeconds(60);
    private static final Duration ROLE_LIMIT = Duration.ofSeconds(40);
    private static final Duration POLL = Duration.ofMillis(100);

    private final Kept kept = new Kept();
    private final List<Side> sides;
    private final FaultyLine line;
    private final String link;
    private final Path folder;

    /** One of the two. */
    record Side(RunningSite site, Path image) {
        Json link(String link) throws ClientException, IOException {
            return site.client().get("/v1/live-links/" + link);
        }
    }

    LiveSites(long volumeBytes, String protocol) throws Exception {
        boolean isWhole = false;
        try {
            var ground = kept.keep(Ground.open());
            folder = ground.folder();
            var first = kept.keep(new RunningSite(
                    "first", ground.folder().resolve("first"), ground.folder().resolve("volumes-first")));
            var second = kept.keep(RunningSite.advertising(
                    LINE_HOST,
                    "second",
                    ground.folder().resolve("second"),
                    ground.folder().resolve("volumes-second")));
            start(first, second);
            var name = VOLUME.substring("image:".length());
            sides = List.of(
                    new Side(first, ground.folder().resolve("volumes-first").resolve(name)),
                    new Side(second, ground.folder().resolve("volumes-second").resolve(name)));
            line = kept.keep(new FaultyLine(
                    LINE_HOST, new InetSocketAddress(InetAddress.getLoopbackAddress(), second.replicationPort())));
            pair(first, second);
            first.client().post("/v1/volumes", Map.of("id", VOLUME, "sizeBytes", volumeBytes));
            link = first.client()
                    .post(
                            "/v1/live-links",
                            Map.of(
                                    "peer",
                                    "second",
                                    "volume",
                                    VOLUME,
                                    "peerVolume",
                                    VOLUME,
                                    "protocol",
                                    protocol,
                                    "congestion",
                                    "BLOCK",
                                    "bufferBytes",
                                    1 << 20,
                                    "activityLogExtents",
                                    67))
                    .at("id")
                    .text();
            isWhole = true;
        } finally {
            if (!isWhole) {
                kept.close();
            }
        }
    }

    private static void start(RunningSite first, RunningSite second) throws Exception {
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

    private static void pair(RunningSite first, RunningSite second) throws ClientException, IOException {
        var invitation = first.client().post("/v1/invitations", Map.of("peer", "second", "validMillis", 600_000));
        second.client()
                .post(
                        "/v1/peers",
                        Map.of("id", "first", "token", invitation.at("token").text()));
    }

    Side side(int number) {
        return sides.get(number);
    }

    FaultyLine line() {
        return line;
    }

    Json status(int side) throws ClientException, IOException {
        return side(side).link(link);
    }

    NbdClient client(int side) throws IOException {
        return new NbdClient(socket(side), export().value());
    }

    Path socket(int side) {
        return side(side).site().state().resolve("exports/nbd.sock");
    }

    /** Of the same name on whatever side is primary. */
    ExportId export() {
        return new ExportId("ex-" + link.substring("ln-".length()));
    }

    /** Of the sites, on a disk; gone with them. */
    Path folder() {
        return folder;
    }

    /** Asks until it is granted: the two may be meeting, or resyncing. */
    void promote(int side, boolean isForced) {
        ask(side, "promotions", Map.of("force", isForced));
    }

    void demote(int side) {
        ask(side, "demotions", Map.of("force", true));
    }

    void resolve(int side, String keep) {
        ask(side, "resolutions", Map.of("keep", keep));
    }

    private void ask(int side, String what, Map<String, ?> body) {
        Awaitility.await()
                .atMost(ROLE_LIMIT)
                .pollInterval(POLL)
                .ignoreExceptionsMatching(LiveSites::isNotYet)
                .until(() -> {
                    side(side).site().client().post("/v1/live-links/" + link + "/" + what, body);
                    return true;
                });
    }

    private static boolean isNotYet(Throwable failure) {
        return failure instanceof ClientException refused
                && (refused.error() instanceof ClientError.Refused
                        || refused.error() instanceof ClientError.Unreachable);
    }

    /** Until both are connected, and nothing is left to be sent. */
    void awaitInStep() {
        Awaitility.await().atMost(CALM_LIMIT).pollInterval(POLL).until(() -> isCalm(0) && isCalm(1));
    }

    private boolean isCalm(int side) throws ClientException, IOException {
        var status = status(side);
        return status.at("replication").text().equals("ESTABLISHED")
                && status.at("disk").text().equals("UP_TO_DATE");
    }

    String logs() throws IOException {
        return tail(side(0)) + tail(side(1));
    }

    private static String tail(Side side) throws IOException {
        var log = side.site().log();
        return "%n== %s%n%s".formatted(side.image(), log.substring(Math.max(0, log.length() - 12_000)));
    }

    @Override
    public void close() throws Exception {
        kept.close();
    }
}
