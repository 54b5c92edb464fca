package io.tidemark.system.kill;

import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.client.Operations;
import io.tidemark.client.SiteClient;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** One volume on a source site and its copy on a target site, driven through the public API alone. */
final class Replicated {
    static final String GROUP = "kill";
    static final String VOLUME = "image:kill";
    static final String COPY = "image:copy";
    static final String CHECKED = "image:checked";
    private static final int VOLUME_BYTES = 16 << 20;
    private static final int BLOCK_BYTES = 4_096;
    /** More than the target receives between two syncs of its log, which is 8 MiB. */
    private static final int LARGE_WRITE_BYTES = 9 << 20;

    private static final Duration OPERATION_LIMIT = Duration.ofSeconds(90);
    private static final Duration POLL = Duration.ofMillis(5);
    private static final int LIST_MAXIMUM = 10_000;
    private static final List<Integer> GONE_OR_REFUSED = List.of(404, 409);

    private final RunningSite source;
    private final RunningSite target;

    Replicated(RunningSite source, RunningSite target) {
        this.source = source;
        this.target = target;
    }

    /** Pairs the sites, makes volume, group and link; {@code mounted} volumes are frozen with it. */
    void build(List<String> mounted) throws ClientException, IOException {
        source.client().post("/v1/volumes", Map.of("id", VOLUME, "sizeBytes", VOLUME_BYTES));
        var volumes = new ArrayList<>(List.of(VOLUME));
        volumes.addAll(mounted);
        source.client()
                .post(
                        "/v1/groups",
                        Map.of("id", GROUP, "volumes", volumes, "freezeLimitMillis", 5_000, "freezeFileSystems", true));
        String token = target.client()
                .post("/v1/invitations", Map.of("peer", "source", "validMillis", 600_000))
                .at("token")
                .text();
        source.client().post("/v1/peers", Map.of("id", "target", "token", token));
        source.client()
                .post("/v1/links", Map.of("peer", "target", "group", GROUP, "volume", VOLUME, "peerVolume", COPY));
    }

    /**
     * Changes random blocks of the source volume, some of them to zeros.
     *
     * @param large whether so much that its synchronisation meets the moments of a long one
     */
    void write(RandomGenerator random, boolean large) throws IOException, ClientException {
        write(Path.of(source.client().get(volumePath(VOLUME)).at("device").text()), random, large);
    }

    /** Changes random blocks of a volume's image, whoever's it is, durably. */
    static void write(Path image, RandomGenerator random, boolean large) throws IOException {
        try (var channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            if (large) {
                byte[] run = new byte[LARGE_WRITE_BYTES];
                random.nextBytes(run);
                channel.write(ByteBuffer.wrap(run), randomBlock(random, VOLUME_BYTES - LARGE_WRITE_BYTES));
            }
            int writes = 1 + random.nextInt(120);
            for (int index = 0; index < writes; index++) {
                byte[] block = new byte[BLOCK_BYTES];
                if (random.nextInt(5) > 0) {
                    random.nextBytes(block);
                }
                channel.write(ByteBuffer.wrap(block), randomBlock(random, VOLUME_BYTES));
            }
            channel.force(true);
        }
    }

    private static long randomBlock(RandomGenerator random, int belowBytes) {
        return (long) random.nextInt(belowBytes / BLOCK_BYTES) * BLOCK_BYTES;
    }

    String sourceDigest() throws IOException, ClientException {
        return digest(
                Path.of(source.client().get(volumePath(VOLUME)).at("device").text()));
    }

    /** Starts taking a recovery point; the operation's id. */
    String startRecoveryPoint() throws ClientException, IOException {
        return source.client()
                .post("/v1/groups/" + GROUP + "/recovery-points", Map.of())
                .at("id")
                .text();
    }

    String startSync() throws ClientException, IOException {
        return source.client()
                .post("/v1/links/" + link() + "/syncs", Map.of())
                .at("id")
                .text();
    }

    Json await(String operation) throws ClientException, IOException {
        return await(source.client(), operation);
    }

    /** Asks every few milliseconds: hundreds of runs wait here. */
    static Json await(SiteClient site, String operation) throws ClientException {
        long deadline = System.nanoTime() + OPERATION_LIMIT.toNanos();
        while (!Operations.ended(site.get("/v1/operations/" + operation)) && System.nanoTime() < deadline) {
            try {
                Thread.sleep(POLL);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        return new Operations(site).await(operation, POLL, document -> {});
    }

    String link() throws ClientException, IOException {
        return source.client()
                .list("/v1/links", LIST_MAXIMUM)
                .getFirst()
                .at("id")
                .text();
    }

    /** Newest first. */
    static List<String> recoveryPoints(SiteClient site) throws ClientException {
        return site.list("/v1/recovery-points", LIST_MAXIMUM).stream()
                .map(point -> point.at("id").text())
                .sorted(java.util.Comparator.reverseOrder())
                .toList();
    }

    static Optional<String> newest(SiteClient site) throws ClientException {
        return recoveryPoints(site).stream().findFirst();
    }

    /** What the target would restore: the newest recovery point's bytes, read from a clone of it. */
    String targetDigest(String recoveryPoint) throws ClientException, IOException {
        var site = target.client();
        String operation = site.post(
                        "/v1/recovery-points/" + recoveryPoint + "/clones", Map.of("volume", COPY, "name", CHECKED))
                .at("id")
                .text();
        await(site, operation);
        String digest =
                digest(Path.of(site.get(volumePath(CHECKED)).at("device").text()));
        site.delete(volumePath(CHECKED));
        return digest;
    }

    /** Every operation of a site has come to an end. */
    static void awaitQuiet(SiteClient site) throws ClientException {
        for (var operation : site.list("/v1/operations", LIST_MAXIMUM)) {
            if (!Operations.ended(operation)) {
                try {
                    await(site, operation.at("id").text());
                } catch (ClientException e) {
                    if (!(e.error() instanceof ClientError.OperationFailed)) {
                        throw e;
                    }
                }
            }
        }
    }

    /** Snapshots on the storage that belong to no recovery point the site knows. */
    static List<String> orphans(SiteClient site) throws ClientException {
        var known = recoveryPoints(site);
        return site.list("/v1/snapshots", LIST_MAXIMUM).stream()
                .filter(snapshot -> !known.contains(snapshot.at("recoveryPoint").text()))
                .map(snapshot -> snapshot.at("id").text())
                .toList();
    }

    /** Deletes old recovery points where nothing holds them, so that a long run stays small. */
    static void prune(SiteClient site, int keep) throws ClientException {
        for (var old : recoveryPoints(site).stream().skip(keep).toList()) {
            try {
                site.delete("/v1/recovery-points/" + old);
            } catch (ClientException e) {
                boolean expected =
                        e.error() instanceof ClientError.Refused refused && GONE_OR_REFUSED.contains(refused.status());
                if (!expected) {
                    throw e;
                }
            }
        }
    }

    static String volumePath(String volume) {
        return "/v1/volumes/" + SiteClient.segment(volume);
    }

    static String digest(Path image) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(image)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
