package io.tidemark.system.bounds;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.client.Operations;
import io.tidemark.client.SiteClient;
import io.tidemark.system.kill.RunningSite;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Two paired sites in processes of their own, and links between volumes of theirs; driven through the public API alone. */
final class LinkedSites implements AutoCloseable {
    private static final Duration LOG_POLL = Duration.ofMillis(50);
    private static final Duration OPERATION_LIMIT = Duration.ofSeconds(100);

    private final RunningSite source;
    private final RunningSite target;

    private LinkedSites(RunningSite source, RunningSite target) {
        this.source = source;
        this.target = target;
    }

    /**
     * @param folder of state and logs
     * @param volumes where both keep their images
     * @param javaOptions of both
     */
    static LinkedSites in(Path folder, Path volumes, List<String> javaOptions) throws Exception {
        var sites = new LinkedSites(
                new RunningSite("source", folder.resolve("source"), volumes.resolve("source"), javaOptions),
                new RunningSite("target", folder.resolve("target"), volumes.resolve("target"), javaOptions));
        boolean paired = false;
        try {
            sites.source.start();
            sites.target.start();
            var token = sites.target
                    .client()
                    .post("/v1/invitations", Map.of("peer", "source", "validMillis", 600_000))
                    .at("token")
                    .text();
            sites.source.client().post("/v1/peers", Map.of("id", "target", "token", token));
            paired = true;
            return sites;
        } finally {
            if (!paired) {
                sites.close();
            }
        }
    }

    RunningSite source() {
        return source;
    }

    RunningSite target() {
        return target;
    }

    /** A new volume, empty, in a group of its own, with a link to a volume that the target makes. */
    Link link(String name, long volumeBytes) throws Exception {
        var site = source.client();
        var volume = "image:" + name;
        var made = site.post("/v1/volumes", Map.of("id", volume, "sizeBytes", volumeBytes));
        site.post(
                "/v1/groups",
                Map.of("id", name, "volumes", List.of(volume), "freezeLimitMillis", 5_000, "freezeFileSystems", true));
        var link = site.post(
                "/v1/links", Map.of("peer", "target", "group", name, "volume", volume, "peerVolume", volume + "-copy"));
        return new Link(
                this, name, link.at("id").text(), Path.of(made.at("device").text()));
    }

    /** The operation's result. */
    static Json await(SiteClient site, Json operation) throws ClientException {
        var ended = new Operations(site).await(operation.at("id").text(), OPERATION_LIMIT, document -> {});
        return Operations.result(ended);
    }

    /** @param image of the source's volume */
    record Link(LinkedSites sites, String name, String id, Path image) {

        /** The id of what was taken. */
        String take() throws ClientException, IOException {
            var site = sites.source.client();
            var taken = await(site, site.post("/v1/groups/" + name + "/recovery-points", Map.of()));
            return taken.at("recoveryPoint", "id").text();
        }

        /** As {@link #sync}, asking nothing of the source before the target's log says that it is done. */
        Json syncUnwatched(String recoveryPoint) throws Exception {
            var started = startSync();
            var done = "ingest.done link=%s recoveryPoint=%s".formatted(id, recoveryPoint);
            long deadline = System.nanoTime() + OPERATION_LIMIT.toNanos();
            while (!sites.target.log().contains(done) && System.nanoTime() < deadline) {
                Thread.sleep(LOG_POLL);
            }
            return await(sites.source.client(), started).at("report");
        }

        /** Of the group's newest recovery point; its report. */
        Json sync() throws ClientException, IOException {
            var site = sites.source.client();
            return await(site, startSync()).at("report");
        }

        Json startSync() throws ClientException, IOException {
            return sites.source.client().post("/v1/links/" + id + "/syncs", Map.of());
        }

        Json verify() throws ClientException, IOException {
            var site = sites.source.client();
            return await(site, site.post("/v1/links/" + id + "/verifications", Map.of()))
                    .at("report");
        }

        /** What the target would restore, as a new volume there; removed by {@link #removeClone}. */
        Path cloneAtTarget(String recoveryPoint) throws ClientException, IOException {
            var site = sites.target.client();
            await(
                    site,
                    site.post(
                            "/v1/recovery-points/" + recoveryPoint + "/clones",
                            Map.of("volume", "image:" + name + "-copy", "name", "image:" + name + "-clone")));
            return Path.of(site.get(clonePath()).at("device").text());
        }

        void removeClone() throws ClientException, IOException {
            sites.target.client().delete(clonePath());
        }

        private String clonePath() {
            return "/v1/volumes/" + SiteClient.segment("image:" + name + "-clone");
        }
    }

    @Override
    public void close() throws Exception {
        try {
            source.close();
        } finally {
            target.close();
        }
    }
}
