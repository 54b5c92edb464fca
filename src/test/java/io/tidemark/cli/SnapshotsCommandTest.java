package io.tidemark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.Json;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Commands that have the storage lock, archive or bring back a snapshot. */
class SnapshotsCommandTest extends TypedAtSite {
    private static final String SNAPSHOT = "ebs:vol-1@rp-1";
    private static final String PATH = "/v1/snapshots/ebs%3Avol-1%40rp-1";
    private static final String SHOWN = "{\"id\":\"ebs:vol-1@rp-1\"}";

    private Typed snapshots(String... words) {
        var all = new ArrayList<>(List.of("snapshots"));
        all.addAll(List.of(words));
        return typed(all.toArray(String[]::new));
    }

    private Json asked() throws IOException {
        return Json.parse(site.asked().getLast().body());
    }

    @Test
    void lockForSoManyDaysIsAskedForAsATime() throws IOException {
        site.on("PUT " + PATH + "/lock", 200, SHOWN);

        var typed = snapshots("lock", SNAPSHOT, "--mode", "governance", "--for", "30d");

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

        var refused = snapshots(words.toArray(String[]::new));
        assertThat(refused.err()).contains("nobody can delete or unlock").contains("--yes");
        assertThat(site.asked()).isEmpty();

        var meant = new ArrayList<>(words);
        meant.addAll(List.of("--cooling-off", "24h", "--yes"));
        assertThat(snapshots(meant.toArray(String[]::new)).exit()).isZero();
        assertThat(asked().at("coolingOffHours").number()).isEqualTo(24);
    }

    @Test
    void lockWithoutATimeOrWithTwoIsRefused() {
        var both =
                snapshots("lock", SNAPSHOT, "--mode", "governance", "--for", "1d", "--until", "2030-01-01T00:00:00Z");

        assertThat(both.err()).contains("either --for 30d or --until");
        assertThat(snapshots("lock", SNAPSHOT, "--mode", "governance").err()).contains("either --for 30d or --until");
        assertThat(snapshots("lock", SNAPSHOT, "--mode", "governance", "--until", "soon")
                        .err())
                .contains("soon");
        assertThat(site.asked()).isEmpty();
    }

    @Test
    void archiveAndTheWayBackAreMovesOfItsTier() throws IOException {
        site.on("PUT " + PATH + "/tier", 200, SHOWN);

        assertThat(snapshots("archive", SNAPSHOT).exit()).isZero();
        assertThat(asked().at("tier").text()).isEqualTo("ARCHIVE");
        assertThat(snapshots("restore-from-archive", SNAPSHOT, "--days", "7").exit())
                .isZero();
        assertThat(asked().at("tier").text()).isEqualTo("STANDARD");
        assertThat(asked().at("days").number()).isEqualTo(7);
    }

    @Test
    void fastRestoreWarnsOfItsCost() throws IOException {
        site.on("PUT " + PATH + "/fast-restore", 200, """
                {"id":"ebs:vol-1@rp-1","fastRestore":{"zones":[],"cost":"1.50 USD an hour"}}""");

        var typed = snapshots("fast-restore", SNAPSHOT, "--zones", "eu-central-1a,eu-central-1b");

        assertThat(typed.err()).contains("1.50 USD an hour");
        assertThat(asked().at("zones").items()).hasSize(2);
        assertThat(asked().at("on").truth()).isTrue();
        assertThat(snapshots("fast-restore", SNAPSHOT, "--zones", "eu-central-1a", "--off")
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

        assertThat(snapshots("recycle-bin", "ebs").out()).contains(SNAPSHOT, "2026-12-04");
        assertThat(snapshots("undelete", SNAPSHOT).out()).contains(SNAPSHOT);
        assertThat(snapshots("unlock", SNAPSHOT).out()).contains(SNAPSHOT);
    }
}
