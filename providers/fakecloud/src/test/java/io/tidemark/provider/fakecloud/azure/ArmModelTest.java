package io.tidemark.provider.fakecloud.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.Loudly;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** That the published models find what is wrong; and that what is right passes. */
class ArmModelTest {
    private static final String GROUP =
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Compute";
    private static final String SNAPSHOT = GROUP + "/snapshots/s?api-version=2025-01-02";

    private final FakeAzure cloud = FakeAzure.inProcess(FakeAzureSettings.defaults());
    private final FakeDisk disk = cloud.createDisk("g", "d", 1);

    @BeforeEach
    void modelsAreAtHand() {
        Loudly.needs(AzureModels.available(), "no published models; set -Dtidemark.cloudModels");
    }

    @Test
    void aRightRequestPasses() {
        var answer = put(body());

        assertThat(answer.status).isEqualTo(200);
        assertThat(cloud.violations()).isEmpty();
        assertThat(cloud.calls()).hasEntrySatisfying("Snapshots_CreateOrUpdate", count -> {
            assertThat(count.requestsChecked()).isEqualTo(1);
            assertThat(count.answersChecked()).isEqualTo(1);
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"location\":\"westeurope\"          | \"place\":\"westeurope\"            | body/place is unknown",
                "\"location\":\"westeurope\",         | ''                                  | body/location: missing",
                "\"creationData\"                     | \"createdData\"                     | body/properties/creationData: missing",
                "\"incremental\":true                 | \"incremental\":\"yes\"             | no boolean",
                "\"incremental\":true                 | \"timeCreated\":\"2026-01-01T00:00:00Z\" | only read, and is sent",
                "\"createOption\":\"Copy\"            | \"createOption\":\"Clone\"          | none of",
                "\"incremental\":true                 | \"diskSizeGB\":1.5                  | no whole number",
                "\"tags\":{}                          | \"tags\":{\"a\":1}                  | body/tags/a: no text"
            })
    void aWrongBodyIsFound(String right, String wrong, String finding) {
        assertThat(body()).contains(right);

        var unused = put(body().replace(right, wrong));

        assertThat(cloud.violations()).anyMatch(each -> each.contains("request") && each.contains(finding));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET | /snapshots/s                                  | query api-version is missing",
                "GET | /snapshots/s?api-version=2019-01-01           | none of",
                "GET | /snapshots/s?api-version=2025-01-02&expand=x  | query expand is unknown",
                "POST | /snapshots/s/beginGetAccess?api-version=2025-01-02 | body is missing",
                "GET | /images/i?api-version=2025-01-02              | is no operation"
            })
    void aWrongAddressIsFound(String method, String address, String finding) {
        var unused = call(method, GROUP + address, "");

        assertThat(cloud.violations()).anyMatch(each -> each.contains(finding));
    }

    @Test
    void aWrongAnswerIsFound() {
        var models = java.util.Objects.requireNonNull(AzureModels.present());
        var calls = new io.tidemark.provider.fakecloud.CloudCalls();
        var wrong = Map.of(
                "{\"location\":1}", "no text",
                "{\"location\":\"l\",\"propertes\":{}}", "is unknown",
                "{\"name\":\"n\"}", "missing");
        for (var each : wrong.entrySet()) {
            models.answer(calls, "Snapshots_Get", HttpAnswer.text(200, "application/json", Map.of(), each.getKey()));
            assertThat(calls.violations().getLast()).contains("answer").contains(each.getValue());
        }
        models.answer(calls, "Snapshots_Delete", HttpAnswer.text(202, "application/json", Map.of(), ""));
        assertThat(calls.violations().getLast()).contains("202 without the address");
        models.answer(calls, "Snapshots_Get", HttpAnswer.text(404, "application/json", Map.of(), "{\"code\":1}"));
        assertThat(calls.violations().getLast()).contains("an error without code");
        models.blobAnswer(
                calls,
                "PageBlob_GetPageRanges",
                HttpAnswer.text(
                        200, "application/xml", Map.of(), "<?xml version=\"1.0\"?><PageList><Range/></PageList>"));
        assertThat(calls.violations().getLast()).contains("no list of pages");
    }

    private String body() {
        return """
                {"location":"westeurope","tags":{},"properties":{"incremental":true,"creationData":{"createOption":"Copy","sourceResourceId":"%s"}}}
                """.formatted(disk.id);
    }

    private HttpAnswer put(String body) {
        return call("PUT", SNAPSHOT, body);
    }

    private HttpAnswer call(String method, String address, String body) {
        return cloud.answer(new HttpRequest(method, address, Map.of(), body.getBytes(StandardCharsets.UTF_8)));
    }
}
