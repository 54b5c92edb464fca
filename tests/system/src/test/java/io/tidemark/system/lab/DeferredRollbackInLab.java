package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.client.Operations;
import io.tidemark.client.SiteClient;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.kill.RunningSite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A site with a thin and a classic volume of one recovery point, each with a mounted ext4, is asked to roll them back. */
@InLab
class DeferredRollbackInLab {
    private static final Duration OPERATION_LIMIT = Duration.ofMinutes(1);
    private static final long VOLUME_BYTES = 32L << 20;
    private static final String GROUP = "deferred";
    private static final String THIN = "lvm:thin";
    private static final String CLASSIC = "lvm:deferred/linear";
    private static final List<String> VOLUMES = List.of(THIN, CLASSIC);
    private static final Map<String, String> DEFERRED = Map.of("whenOpen", "defer");

    private @Nullable RunningSite site;

    @AfterEach
    void stop() throws Exception {
        if (site != null) {
            site.close();
        }
    }

    private RunningSite site() {
        return Objects.requireNonNull(site);
    }

    private SiteClient client() throws IOException {
        return site().client();
    }

    /** Images are none here, but a site has to have a folder for them, where extents can be asked for. */
    private void start() throws Exception {
        Programs.run("ip", "link", "set", "lo", "up");
        Programs.run("pvcreate", "-y", "/dev/ubda");
        Programs.run("vgcreate", GROUP, "/dev/ubda");
        Programs.run("lvcreate", "-y", "--type", "thin-pool", "-L", "300M", "-n", "pool", GROUP);
        Programs.run("lvcreate", "-y", "-L", VOLUME_BYTES + "b", "-n", "linear", GROUP);
        Programs.run("mkfs.ext4", "-q", "/dev/ubdb");
        var folder = Path.of("/mnt/site");
        mount(Path.of("/dev/ubdb"), folder);
        var made = new RunningSite(
                "one",
                folder,
                folder.resolve("images"),
                List.of("-Xmx256m"),
                ", lvm: {group: %s, pool: pool, classicSnapshotPercent: 100}".formatted(GROUP));
        site = made;
        made.start();
        client().post("/v1/volumes", Map.of("id", THIN, "sizeBytes", VOLUME_BYTES));
        for (var volume : VOLUMES) {
            Programs.run("mkfs.ext4", "-q", device(volume).toString());
            mount(volume);
        }
        client().post(
                        "/v1/groups",
                        Map.of(
                                "id",
                                "both",
                                "volumes",
                                VOLUMES,
                                "freezeLimitMillis",
                                5_000,
                                "freezeFileSystems",
                                true));
    }

    @Test
    void openVolumesAreRolledBackOnceBothAreClosedWhateverHappensToTheSite() throws Exception {
        start();
        writeBoth("before");
        var point = result(client().post("/v1/groups/both/recovery-points", Map.of()))
                .at("recoveryPoint", "id")
                .text();
        writeBoth("after");
        var rollback = "/v1/recovery-points/" + point + "/rollback";

        assertRefused(rollback);
        assertCancelledDoesNothing(rollback);

        mountBoth();
        var operation = client().post(rollback, DEFERRED).at("id").text();
        awaitPhase(operation, "waits until lvm:deferred/linear is closed: a mount at /mnt/lvm-deferred-linear");
        writeBoth("later");
        site().kill();
        unmount(CLASSIC);
        site().start();
        awaitPhase(operation, "waits until lvm:thin is closed: a mount at /mnt/lvm-thin");
        mount(CLASSIC);
        assertThat(state(CLASSIC)).isEqualTo("later");
        unmount(CLASSIC);
        unmount(THIN);

        var ended = new Operations(client()).await(operation, OPERATION_LIMIT, document -> {});

        assertThat(Operations.result(ended).at("volumes").items()).hasSize(VOLUMES.size());
        mountBoth();
        for (var volume : VOLUMES) {
            assertThat(state(volume)).isEqualTo("before");
        }
        assertThat(client().list("/v1/snapshots", 10)).hasSize(VOLUMES.size());
        // What was rolled back is cut as ever.
        result(client().post("/v1/groups/both/recovery-points", Map.of()));
    }

    private void assertRefused(String rollback) throws Exception {
        unmount(THIN);

        var refused = client().post(rollback, Map.of()).at("id").text();
        await().atMost(OPERATION_LIMIT).until(() -> Operations.ended(operation(refused)));

        assertThat(operation(refused).at("problem", "detail").text())
                .isEqualTo("lvm:deferred/linear is in use by a mount at /mnt/lvm-deferred-linear");
        mount(THIN);
        assertThat(state(THIN)).as("of the volume that was closed").isEqualTo("after");
    }

    private void assertCancelledDoesNothing(String rollback) throws Exception {
        var cancelled = client().post(rollback, DEFERRED).at("id").text();
        awaitPhase(cancelled, "waits until lvm:deferred/linear is closed: a mount at /mnt/lvm-deferred-linear");

        client().post("/v1/operations/" + cancelled + "/cancel");
        await().atMost(OPERATION_LIMIT)
                .untilAsserted(() ->
                        assertThat(operation(cancelled).at("state").text()).isEqualTo("CANCELLED"));

        for (var volume : VOLUMES) {
            unmount(volume);
        }
        mountBoth();
        for (var volume : VOLUMES) {
            assertThat(state(volume)).isEqualTo("after");
            unmount(volume);
        }
    }

    private Json operation(String id) throws Exception {
        return client().get("/v1/operations/" + id);
    }

    private void awaitPhase(String operation, String phase) {
        await().atMost(OPERATION_LIMIT)
                .untilAsserted(() -> assertThat(
                                operation(operation).at("progress", "phase").text())
                        .isEqualTo(phase));
    }

    private Json result(Json operation) throws IOException, ClientException {
        return Operations.result(
                new Operations(client()).await(operation.at("id").text(), OPERATION_LIMIT, document -> {}));
    }

    private Path device(String volume) throws Exception {
        return Path.of(client().get("/v1/volumes/" + SiteClient.segment(volume))
                .at("device")
                .text());
    }

    private void mountBoth() throws Exception {
        for (var volume : VOLUMES) {
            mount(volume);
        }
    }

    private void mount(String volume) throws Exception {
        mount(device(volume), folder(volume));
    }

    private static void mount(Path device, Path where) throws IOException {
        Files.createDirectories(where);
        Programs.run("mount", device.toString(), where.toString());
    }

    private static void unmount(String volume) throws IOException {
        Programs.run("umount", folder(volume).toString());
    }

    private static Path folder(String volume) {
        return Path.of("/mnt", volume.replace(':', '-').replace('/', '-'));
    }

    private static String state(String volume) throws IOException {
        return Files.readString(folder(volume).resolve("state"));
    }

    private static void writeBoth(String text) throws IOException {
        for (var volume : VOLUMES) {
            Files.writeString(folder(volume).resolve("state"), text);
        }
        Programs.run("sync");
    }
}
