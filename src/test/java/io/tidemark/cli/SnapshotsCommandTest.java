package io.tidemark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that have the storage lock, archive or bring back a snapshot. */
class SnapshotsCommandTest {
    private static final String SNAPSHOT = "ebs:vol-1@rp-1";
    private static final String PATH = "/v1/snapshots/ebs%3Avol-1%40rp-1";
    private static final String SHOWN = "{\"id\":\"ebs:vol-1@rp-1\"}";

    @TempDir
    private Path folder;

    private ScriptedSite site;
    private Path token;

    @BeforeEach
    void start() throws IOException {
        site = new ScriptedSite();
        token = Files.writeString(folder.resolve("token"), "secret-token\n");
    }

    @AfterEach
    void stop() {
        site.close();
    }

    private Typed typed(String... words) {
        var args = new ArrayList<>(List.of("snapshots"));
        args.addAll(List.of(words));
        args.addAll(List.of("--url", site.url(), "--token-file", token.toString()));
        return Typed.run(args.toArray(String[]::new));
    }

    private Json asked() throws IOException {
        return Json.parse(site.asked().getLast().body());
    }

    @Test
    void lockForSoManyDaysIsAskedForAsATime() throws IOException {
        site.on("PUT " + PATH + "/lock", 200, SHOWN);

        var typed = typed("lock", SNAPSHOT, "--mode", "governance", "--for", "30d");

        assertThat(typed.out()).contains(SNAPSHOT);
        assertThat(asked().at("mode").text()).isEqualTo("GOVERNANCE");
        assertThat(Instant.parse(asked().at("until").text()))
                .isBetween(
                        Instant.now().plus(29, ChronoUnit.DAYS), Instant.now().plus(31, ChronoUnit.DAYS));
    }

    @Test
    void lockOfComplianceIsAskedForOnlyWhenItIsMeant() throws IOException {
        site.on("PUT " + PATH + "/lock", 200, SHOWN);
        var words = List.of("lock", SNAPSHOT, "--mode", "compliance", "--until", "2030-01-01T00:00:00Z");

        var refused = typed(words.toArray(String[]::new));
        assertThat(refused.err()).contains("nobody can delete or unlock").contains("--yes");
        assertThat(site.asked()).isEmpty();

        var meant = new ArrayList<>(words);
        meant.addAll(List.of("--cooling-off", "24h", "--yes"));
        assertThat(typed(meant.toArray(String[]::new)).exit()).isZero();
        assertThat(asked().at("coolingOffHours").number()).isEqualTo(24);
    }

    @Test
    void lockWithoutATimeOrWithTwoIsRefused() {
        var both = typed("lock", SNAPSHOT, "--mode", "governance", "--for", "1d", "--until", "2030-01-01T00:00:00Z");

        assertThat(both.err()).contains("either --for 30d or --until");
        assertThat(typed("lock", SNAPSHOT, "--mode", "governance").err()).contains("either --for 30d or --until");
        assertThat(typed("lock", SNAPSHOT, "--mode", "governance", "--until", "soon")
                        .err())
                .contains("soon");
        assertThat(site.asked()).isEmpty();
    }

    @Test
    void archiveAndTheWayBackAreMovesOfItsTier() throws IOException {
        site.on("PUT " + PATH + "/tier", 200, SHOWN);

        assertThat(typed("archive", SNAPSHOT).exit()).isZero();
        assertThat(asked().at("tier").text()).isEqualTo("ARCHIVE");
        assertThat(typed("restore-from-archive", SNAPSHOT, "--days", "7").exit())
                .isZero();
        assertThat(asked().at("tier").text()).isEqualTo("STANDARD");
        assertThat(asked().at("days").number()).isEqualTo(7);
    }

    @Test
    void fastRestoreWarnsOfItsCost() throws IOException {
        site.on("PUT " + PATH + "/fast-restore", 200, """
                {"id":"ebs:vol-1@rp-1","fastRestore":{"zones":[],"cost":"1.50 USD an hour"}}""");

        var typed = typed("fast-restore", SNAPSHOT, "--zones", "eu-central-1a,eu-central-1b");

        assertThat(typed.err()).contains("1.50 USD an hour");
        assertThat(asked().at("zones").items()).hasSize(2);
        assertThat(asked().at("on").truth()).isTrue();
        assertThat(typed("fast-restore", SNAPSHOT, "--zones", "eu-central-1a", "--off")
                        .exit())
                .isZero();
        assertThat(asked().at("on").truth()).isFalse();
    }

    @Test
    void recycleBinIsListedAndGivesBack() {
        site.on("GET /v1/recycle-bins/ebs", 200, """
                {"items":[{"id":"ebs:vol-1@rp-1","deletedAt":"2026-11-27T00:00:00Z","goneAt":"2026-12-04T00:00:00Z"}]}""");
        site.on("POST " + PATH + "/undelete", 200, SHOWN);
        site.on("DELETE " + PATH + "/lock", 200, SHOWN);

        assertThat(typed("recycle-bin", "ebs").out()).contains(SNAPSHOT, "2026-12-04");
        assertThat(typed("undelete", SNAPSHOT).out()).contains(SNAPSHOT);
        assertThat(typed("unlock", SNAPSHOT).out()).contains(SNAPSHOT);
    }
}
