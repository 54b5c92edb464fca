package io.tidemark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.Json;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class LiveCommandsTest extends TypedAtSite {
    private static final String LINK = "/v1/live-links/ln-1";
    private static final String SHOWN = "{\"id\":\"ln-1\",\"role\":\"PRIMARY\",\"disk\":\"UP_TO_DATE\","
            + "\"replication\":\"ESTABLISHED\",\"dirtyBytes\":4096,\"bufferUsedBytes\":8192,\"bufferBytes\":65536,"
            + "\"generation\":\"00000000000000AB\",\"why\":\"because\"}";

    @Test
    void whatIsLeftOutIsOrdinary() throws IOException {
        site.on("POST /v1/live-links", 201, SHOWN);

        assertThat(typed("live", "create", "--peer", "b", "--volume", "image:v").exit())
                .isEqualTo(ExitCode.OK);
        var body = Json.parse(site.last().body());
        assertThat(body.at("peerVolume").text()).isEqualTo("image:v");
        assertThat(body.at("protocol").text()).isEqualTo("C");
        assertThat(body.at("congestion").text()).isEqualTo("BLOCK");
        assertThat(body.at("bufferBytes").number()).isEqualTo(16 << 20);
        assertThat(body.at("activityLogExtents").number()).isEqualTo(256);
        assertThat(body.at("resyncFloorBytes").number()).isEqualTo(16 << 20);
        assertThat(body.at("overwritePeer").truth()).isFalse();
        assertThat(body.at("afterSplitBrain").text()).isEqualTo("DISCONNECT");
        assertThat(body.at("afterSplitBrainPrimary").text()).isEqualTo("DISCONNECT");

        typed(
                "live",
                "create",
                "--peer",
                "b",
                "--volume",
                "image:v",
                "--on-congestion",
                "pull-ahead",
                "--protocol",
                "a",
                "--after-split-brain",
                "discard-least-changes",
                "--after-split-brain-primary",
                "discard-secondary");
        assertThat(Json.parse(site.last().body()).at("afterSplitBrain").text()).isEqualTo("DISCARD_LEAST_CHANGES");
        assertThat(Json.parse(site.last().body()).at("afterSplitBrainPrimary").text())
                .isEqualTo("DISCARD_SECONDARY");
        assertThat(Json.parse(site.last().body()).at("congestion").text()).isEqualTo("PULL_AHEAD");
        assertThat(Json.parse(site.last().body()).at("protocol").text()).isEqualTo("A");
    }

    @Test
    void linkThatCannotBeReadIsToldBesideTheList() throws IOException {
        site.on(
                "GET /v1/live-links",
                200,
                "{\"items\":[" + SHOWN
                        + "],\"unread\":[{\"id\":\"ln-2\",\"folder\":\"/state/live/ln-2\",\"why\":\"it is damaged\"}]}");

        var typed = typed("live", "list");

        assertThat(typed.out()).contains("ln-1").doesNotContain("ln-2");
        assertThat(typed.err())
                .contains(
                        "live link ln-2 cannot be read", "it is damaged", "put /state/live/ln-2 right", "move it away");
    }

    @Test
    void statusIsOneLineInDrbdsWords() throws IOException {
        site.on("GET " + LINK, 200, SHOWN);

        assertThat(typed("live", "status", "ln-1").out())
                .contains("role:PRIMARY disk:UP_TO_DATE replication:ESTABLISHED dirty:4.0 KiB"
                        + " buffer:8.0 KiB of 64.0 KiB generation:00000000000000AB why:\"because\"");
    }

    private static Json source(long done, long left) throws IOException {
        return Json.parse(
                "{\"role\":\"PRIMARY\",\"disk\":\"UP_TO_DATE\",\"replication\":\"SYNC_SOURCE\",\"dirtyBytes\":%d,"
                                .formatted(left)
                        + "\"resync\":{\"doneBytes\":%d,\"leftBytes\":%d}}".formatted(done, left));
    }

    @Test
    void whoWatchesAResyncIsToldItsRateAndItsEnd() throws IOException {
        var lines = new LiveLines();
        long second = 1_000_000_000;

        assertThat(lines.next(source(0, 100 << 20), 0)).doesNotContain("left:");
        assertThat(lines.next(source(10 << 20, 90 << 20), second)).endsWith("done:10.0 MiB resync:10.0 MiB/s left:9 s");
        // The mean since the first look.
        assertThat(lines.next(source(50 << 20, 50 << 20), 2 * second)).endsWith("resync:25.0 MiB/s left:2 s");
    }

    @Test
    void targetOfAResyncTellsItsRateAlone() throws IOException {
        var lines = new LiveLines();
        var line = "";
        for (int look = 0; look < 2; look++) {
            line = lines.next(
                    Json.parse("{\"role\":\"SECONDARY\",\"disk\":\"INCONSISTENT\",\"replication\":\"SYNC_TARGET\","
                            + "\"dirtyBytes\":0,\"traffic\":{\"received\":{\"resyncBytes\":%d}}}"
                                    .formatted(look << 20)),
                    look * 2_000_000_000L);
        }

        assertThat(line).endsWith("resync:512.0 KiB/s");
    }

    @Test
    void whatEachSideHasThatTheOtherLacksIsTold() throws IOException {
        var line = new LiveLines()
                .next(
                        Json.parse("{\"role\":\"SECONDARY\",\"disk\":\"CONSISTENT\",\"replication\":\"STAND_ALONE\","
                                + "\"dirtyBytes\":4096,\"apart\":{\"local\":{\"role\":\"SECONDARY\",\"dirtyBytes\":4096,"
                                + "\"generation\":\"A\",\"since\":\"2026-11-28T10:00:00Z\"},"
                                + "\"peer\":{\"role\":\"PRIMARY\",\"dirtyBytes\":8192,\"generation\":\"B\"}}}"),
                        0);

        assertThat(line)
                .endsWith("here:\"4.0 KiB since 2026-11-28T10:00:00Z generation A SECONDARY\""
                        + " peer:\"8.0 KiB generation B PRIMARY\"");
    }

    @Test
    void eventsAreATable() throws IOException {
        site.on(
                "GET " + LINK + "/events",
                200,
                "{\"items\":[{\"number\":7,\"at\":\"2026-11-28T10:00:00Z\",\"what\":\"ROLE\",\"from\":\"SECONDARY\","
                        + "\"to\":\"PRIMARY\"}]}");

        assertThat(typed("live", "events", "ln-1").out()).contains("ROLE", "SECONDARY", "PRIMARY");
    }

    @Test
    void eachVerbAsksForWhatItSays() throws IOException {
        site.on("POST " + LINK + "/promotions", 200, SHOWN)
                .on("POST " + LINK + "/resolutions", 200, SHOWN)
                .on("POST " + LINK + "/invalidations", 200, SHOWN)
                .on("POST " + LINK + "/verifications", 200, SHOWN)
                .on("DELETE " + LINK + "/verifications", 200, SHOWN)
                .on("POST " + LINK + "/reconnections", 200, SHOWN);

        typed("live", "promote", "ln-1", "--force");
        assertThat(Json.parse(site.last().body()).at("force").truth()).isTrue();
        typed("live", "resolve", "ln-1", "--keep", "peer");
        assertThat(Json.parse(site.last().body()).at("keep").text()).isEqualTo("PEER");
        typed("live", "invalidate", "ln-1", "--peer");
        assertThat(Json.parse(site.last().body()).at("side").text()).isEqualTo("PEER");
        site.on("POST " + LINK + "/changes", 200, SHOWN);
        typed("live", "change", "ln-1", "--on-congestion", "pull-ahead", "--no-compare", "--buffer", "1MiB");
        assertThat(site.last().body())
                .isEqualTo("{\"congestion\":\"PULL_AHEAD\",\"bufferBytes\":1048576,\"compare\":false}");
        assertThat(typed("live", "change", "ln-1").err()).contains("nothing is to be changed", "--protocol");
        // These have no body, and the site refuses one.
        typed("live", "verify", "ln-1");
        assertThat(site.last().body()).isEmpty();
        typed("live", "verify", "ln-1", "--stop");
        assertThat(site.last().method()).isEqualTo("DELETE");
        typed("live", "reconnect", "ln-1");
        assertThat(site.last().body()).isEmpty();
        assertThat(typed("live", "resolve", "ln-1", "--keep", "both").err()).contains("--keep both is neither side");
    }
}
