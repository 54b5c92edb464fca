package io.tidemark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.Json;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class ExportCommandsTest extends TypedAtSite {
    @Test
    void exportsAreMadeWithTheAccessThatWasAskedForAndShownWithTheirAddress() throws IOException {
        String item = "{\"id\":\"ex-1\",\"source\":\"image:orders@rp-1\",\"uri\":\"nbd+unix:///ex-1?socket=/s\"}";
        site.on("POST /v1/exports", 201, "{\"items\":[" + item + "]}")
                .on("GET /v1/exports", 200, "{\"items\":[" + item + "]}");

        assertThat(typed("exports", "create", "image:orders@rp-1", "--overlay").out())
                .contains("nbd+unix:///ex-1?socket=/s");
        assertThat(Json.parse(site.last().body()).at("access").text()).isEqualTo("OVERLAY");
        assertThat(typed("exports", "list").out()).contains("image:orders@rp-1");
        site.on("DELETE /v1/exports/ex-1", 202, "{\"id\":\"ex-1\",\"ending\":true}")
                .on("DELETE /v1/exports/ex-2", 204, "");
        assertThat(typed("exports", "remove", "ex-1").out()).contains("export ex-1 is ending");
        assertThat(typed("exports", "remove", "ex-2").out()).contains("export ex-2 removed");
        assertThat(typed("exports", "create", "x", "--overlay", "--writable").exit())
                .isEqualTo(ExitCode.REFUSED);
    }

    @Test
    void whatCannotBeAttachedOrDetachedIsToldWithTheWayOut() throws IOException {
        site.on("GET /v1/exports/ex-1", 200, "{\"id\":\"ex-1\",\"uris\":[\"nbd://127.0.0.1:1/ex-1\"]}");

        var elsewhere = typed("attach", "ex-1");
        assertThat(elsewhere.exit()).isEqualTo(ExitCode.REFUSED);
        assertThat(elsewhere.err()).contains("export ex-1 is not served at a unix socket");
        assertThat(typed("attach", "ex-1", "--away-limit", "0s").err()).contains("--away-limit is less than a second");
        var unknown = Typed.run("detach", "/dev/loop99", "--folder", "/nowhere");
        assertThat(unknown.exit()).isEqualTo(ExitCode.REFUSED);
        assertThat(unknown.err()).contains("/dev/loop99 is not attached by /nowhere", "tidemark detach --list");
        assertThat(Typed.run("detach", "--folder", "/nowhere").err()).contains("no device is named");
        assertThat(Typed.run("detach", "--list", "--folder", "/nowhere").out()).isEmpty();
    }
}
