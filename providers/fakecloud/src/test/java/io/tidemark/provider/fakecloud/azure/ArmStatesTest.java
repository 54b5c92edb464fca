package io.tidemark.provider.fakecloud.azure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The rules of the fake, held by a client that shares no code with it. */
class ArmStatesTest {
    private static final String HERE =
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Compute/";

    private final FakeAzure cloud =
            FakeAzure.inProcess(FakeAzureSettings.defaults().taking(Duration.ofSeconds(10), Duration.ofMinutes(10)));
    private final FakeDisk disk = cloud.createDisk("g", "d", 1);

    @AfterEach
    void nothingIsWrong() {
        assertThat(cloud.violations()).isEmpty();
    }

    @Test
    void aCreationGoesOnAfterItsAnswer() throws Exception {
        var begun = put("snapshots/s", copy("Copy", disk.id, "westeurope"));
        assertThat(begun.status).isEqualTo(202);
        var operation = begun.headers.getOrDefault("Azure-AsyncOperation", "");

        assertThat(json(call("GET", path(operation), Map.of(), ""))
                        .path("status")
                        .asText())
                .isEqualTo("InProgress");
        disk.write(0, new byte[] {7});
        cloud.clock().advance(Duration.ofSeconds(10));
        assertThat(json(call("GET", path(operation), Map.of(), ""))
                        .path("status")
                        .asText())
                .isEqualTo("Succeeded");
        assertThat(state("s")).isEqualTo("Succeeded");
        var access = access("s");
        assertThat(call("GET", path(access), Map.of("x-ms-range", "bytes=0-0", "x-ms-version", "2021-12-02"), "").body)
                .as("the content is that of the end")
                .containsExactly(7);
    }

    @Test
    void aCopyOfAnotherRegionHasSucceededBeforeItsDataIsThere() throws Exception {
        put("snapshots/s", copy("Copy", disk.id, "westeurope"));
        cloud.clock().advance(Duration.ofSeconds(10));
        var source = cloud.snapshots().getFirst();
        put("snapshots/north", copy("CopyStart", source.id, "northeurope"));
        cloud.clock().advance(Duration.ofMinutes(5));

        assertThat(state("north")).isEqualTo("Succeeded");
        assertThat(properties("north").path("completionPercent").asDouble()).isBetween(30.0, 60.0);
        assertThat(put("snapshots/again", copy("CopyStart", source.id, "northeurope")).status)
                .isEqualTo(409);
        call("DELETE", HERE + "snapshots/s?api-version=2025-01-02", Map.of(), "");
        assertThat(properties("north")
                        .path("copyCompletionError")
                        .path("errorCode")
                        .asText())
                .isEqualTo("CopySourceNotFound");
    }

    @Test
    void aFullSnapshotDoesNotCrossRegions() throws Exception {
        put("snapshots/s", copy("Copy", disk.id, "westeurope").replace("true", "false"));
        cloud.clock().advance(Duration.ofSeconds(10));

        assertThat(put("snapshots/n", copy("CopyStart", cloud.snapshots().getFirst().id, "northeurope")).status)
                .isEqualTo(400);
    }

    @Test
    void theSameNameOfAnotherSourceIsAConflict() {
        var other = cloud.createDisk("g", "e", 1);
        put("snapshots/s", copy("Copy", disk.id, "westeurope"));

        assertThat(put("snapshots/s", copy("Copy", disk.id, "westeurope")).status)
                .isEqualTo(202);
        assertThat(put("snapshots/s", copy("Copy", other.id, "westeurope")).status)
                .isEqualTo(409);
        assertThat(cloud.snapshots()).hasSize(1);
    }

    @Test
    void theSixthAccessOfAFamilyIsRefused() throws Exception {
        for (int count = 1; count <= 6; count++) {
            put("snapshots/s" + count, copy("Copy", disk.id, "westeurope"));
        }
        cloud.clock().advance(Duration.ofSeconds(10));
        for (int count = 1; count <= 5; count++) {
            assertThat(grant("s" + count).status).isEqualTo(202);
        }

        assertThat(grant("s6").status).isEqualTo(409);
        assertThat(call("DELETE", HERE + "snapshots/s1?api-version=2025-01-02", Map.of(), "").status)
                .isEqualTo(409);
        call("POST", HERE + "snapshots/s1/endGetAccess?api-version=2025-01-02", Map.of(), "");
        assertThat(grant("s6").status).isEqualTo(202);
        cloud.clock().advance(Duration.ofHours(2));
        assertThat(cloud.activeAccesses()).as("expired").isZero();
    }

    @Test
    void whoComesBeforeItsTimeWaitsAnew() {
        cloud.faults(FaultScript.none().on("Disks_Get", 1, Fault.THROTTLE));
        var address = HERE + "disks/d?api-version=2025-01-02";
        var refused = call("GET", address, Map.of(), "");

        assertThat(refused.status).isEqualTo(429);
        assertThat(refused.headers).containsEntry("Retry-After", "2").containsKey("x-ms-ratelimit-remaining-resource");
        cloud.clock().advance(Duration.ofSeconds(1));
        assertThat(call("GET", address, Map.of(), "").status).isEqualTo(429);
        cloud.clock().advance(Duration.ofSeconds(1));
        assertThat(call("GET", address, Map.of(), "").status).isEqualTo(429);
        cloud.clock().advance(Duration.ofSeconds(2));
        assertThat(call("GET", address, Map.of(), "").status).isEqualTo(200);
        assertThat(cloud.earlyCalls()).isEqualTo(2);
    }

    @Test
    void aDiskForAnUploadIsWrittenPageByPage() throws Exception {
        put("disks/u", """
                {"location":"westeurope","properties":{"creationData":{"createOption":"Upload","uploadSizeBytes":1073742336}}}
                """);
        cloud.clock().advance(Duration.ofSeconds(10));
        var begun = call("POST", HERE + "disks/u/beginGetAccess?api-version=2025-01-02", Map.of(), """
                {"access":"Write","durationInSeconds":600}
                """);
        cloud.clock().advance(Duration.ofSeconds(10));
        var told = call("GET", path(begun.headers.getOrDefault("Location", "")), Map.of(), "");
        var access = path(json(told).path("accessSAS").asText()) + "&comp=page";
        var body = "x".repeat(512);

        assertThat(page(access, "bytes=512-1023", body).status).isEqualTo(201);
        assertThat(page(access, "bytes=512-1022", body).status).isEqualTo(416);
        assertThat(page(access, "bytes=0-4194815", "x").status).isEqualTo(413);
        assertThat(cloud.disks().getLast().read(511, 3)).containsExactly(0, 'x', 'x');
    }

    private HttpAnswer page(String address, String range, String body) {
        return call(
                "PUT",
                address,
                Map.of(
                        "x-ms-range",
                        range,
                        "x-ms-page-write",
                        "update",
                        "x-ms-version",
                        "2021-12-02",
                        "content-length",
                        String.valueOf(body.length())),
                body);
    }

    private static String copy(String option, String source, String location) {
        return """
                {"location":"%s","properties":{"incremental":true,"creationData":{"createOption":"%s","sourceResourceId":"%s"}}}
                """.formatted(location, option, source);
    }

    private HttpAnswer put(String what, String body) {
        return call("PUT", HERE + what + "?api-version=2025-01-02", Map.of(), body);
    }

    private HttpAnswer grant(String snapshot) {
        return call("POST", HERE + "snapshots/" + snapshot + "/beginGetAccess?api-version=2025-01-02", Map.of(), """
                {"access":"Read","durationInSeconds":3600}
                """);
    }

    private String access(String snapshot) throws Exception {
        var begun = grant(snapshot);
        cloud.clock().advance(Duration.ofSeconds(10));
        var told = call("GET", path(begun.headers.getOrDefault("Location", "")), Map.of(), "");
        return json(told).path("accessSAS").asText();
    }

    private JsonNode properties(String snapshot) throws Exception {
        return json(call("GET", HERE + "snapshots/" + snapshot + "?api-version=2025-01-02", Map.of(), ""))
                .path("properties");
    }

    private String state(String snapshot) throws Exception {
        return properties(snapshot).path("provisioningState").asText();
    }

    private static String path(String address) {
        return address.replace("http://127.0.0.1", "");
    }

    private static JsonNode json(HttpAnswer answer) throws Exception {
        return new ObjectMapper().readTree(answer.body);
    }

    private HttpAnswer call(String method, String address, Map<String, String> headers, String body) {
        return cloud.answer(
                new HttpRequest(method, address, new HashMap<>(headers), body.getBytes(StandardCharsets.UTF_8)));
    }
}
