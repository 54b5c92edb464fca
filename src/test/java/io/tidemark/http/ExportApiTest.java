package io.tidemark.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.control.Observer;
import io.tidemark.control.OperationSettings;
import io.tidemark.site.TestSite;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Exports, over real HTTP on loopback. */
class ExportApiTest {
    @TempDir
    Path folder;

    private TestSite site;
    private ApiClient api;

    @BeforeEach
    void start() throws Exception {
        site = TestSite.in(
                folder, InstantSource.system(), new OperationSettings(8, Duration.ofSeconds(5)), Observer.NONE);
        api = new ApiClient(site.recovered(), folder);
        for (var volume : new String[] {"orders", "logs"}) {
            api.post("/v1/volumes", "{'id':'memory:%s','sizeBytes':1048576}".formatted(volume))
                    .is(201);
        }
        api.post("/v1/groups", "{'id':'orders','volumes':['memory:orders','memory:logs']}")
                .is(201);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    private String takePoint() throws Exception {
        return api.succeeded(api.post("/v1/groups/orders/recovery-points"))
                .at("/recoveryPoint/id")
                .asText();
    }

    private JsonNode export(String source, String access) throws Exception {
        return api.post("/v1/exports", "{'source':'%s','access':'%s'}".formatted(source, access))
                .is(201)
                .json()
                .get("items");
    }

    private void refused(String source, String access, int status, String reason) throws Exception {
        var reply = api.post("/v1/exports", "{'source':'%s','access':'%s'}".formatted(source, access))
                .is(status);
        assertThat(reply.text()).contains(reason);
        assertThat(api.get("/v1/exports").json().get("items")).isEmpty();
    }

    @Test
    void everySnapshotOfARecoveryPointIsExportedAndKeptForAsLong() throws Exception {
        var point = takePoint();

        var items = export(point, "READ_ONLY");

        assertThat(items).hasSize(2);
        assertThat(items.get(0).get("source").asText()).isEqualTo("memory:orders@" + point);
        assertThat(items.get(0).get("sizeBytes").asLong()).isEqualTo(1_048_576);
        assertThat(items.get(0).get("uri").asText())
                .endsWith(items.get(0).get("id").asText());
        assertThat(api.get("/v1/exports").json().get("items")).isEqualTo(items);
        assertThat(api.delete("/v1/recovery-points/" + point).is(409).text()).contains("needed by export ex-");
        for (var item : items) {
            var path = "/v1/exports/" + item.get("id").asText();
            assertThat(api.get(path).is(200).json()).isEqualTo(item);
            api.delete(path).is(204);
            assertThat(api.get(path).is(404).json().get("advice").asText())
                    .isEqualTo("list what there is with GET /v1/exports");
            api.delete(path).is(404);
        }
        api.delete("/v1/recovery-points/" + point).is(204);
    }

    @Test
    void aSnapshotIsExportedOverAnOverlay() throws Exception {
        var item = export("memory:orders@" + takePoint(), "OVERLAY").get(0);

        assertThat(item.get("access").asText()).isEqualTo("OVERLAY");
        assertThat(item.get("overlayBytes").asLong()).isZero();
        assertThat(item.get("connectionCount").asInt()).isZero();
    }

    @Test
    void aVolumeIsExportedWhileNobodyElseWritesIt() throws Exception {
        var item = export("memory:orders", "WRITABLE").get(0);

        var second = api.post("/v1/exports", "{'source':'memory:orders','access':'WRITABLE'}")
                .is(409);
        assertThat(second.text())
                .contains("volume memory:orders is needed by export "
                        + item.get("id").asText());
        api.delete("/v1/exports/" + item.get("id").asText()).is(204);
        export("memory:orders", "WRITABLE");
    }

    @Test
    void whatCannotBeExportedIsRefusedWithItsReason() throws Exception {
        var point = takePoint();

        refused("memory:orders", "READ_ONLY", 400, "WRITABLE of a volume");
        refused("memory:orders@" + point, "WRITABLE", 400, "READ_ONLY or OVERLAY of a snapshot");
        refused(point, "WRITABLE", 400, "READ_ONLY or OVERLAY of a snapshot");
        refused("memory:orders@rp-none", "READ_ONLY", 404, "rp-none");
        refused("rp-none", "READ_ONLY", 404, "rp-none");
        refused("memory:none", "WRITABLE", 404, "memory:none");
        refused("db1/memory:orders", "WRITABLE", 400, "agent");
        refused("no id", "READ_ONLY", 400, "source");
        refused("memory:orders@" + point, "SOME", 400, "access");
        site.looksUntilReadable.set(1);
        refused("memory:orders@" + point, "READ_ONLY", 503, "40 %");
    }

    @Test
    void whereOneSnapshotIsRefusedNoneOfTheRecoveryPointIsExported() throws Exception {
        var point = takePoint();
        site.files.add(new VolumeId("memory:logs"));

        refused(point, "READ_ONLY", 409, "RANDOM_READ");
        api.delete("/v1/recovery-points/" + point).is(204);
    }

    @Test
    void aRepeatedRequestMakesOneExport() throws Exception {
        var point = takePoint();
        var body = "{'source':'memory:orders@%s','access':'READ_ONLY'}".formatted(point);
        var first = api.post("/v1/exports", body, "export-1");

        assertThat(api.post("/v1/exports", body, "export-1").text()).isEqualTo(first.text());
        assertThat(api.get("/v1/exports").json().get("items")).hasSize(1);
    }
}
