package io.tidemark.provider.fakecloud.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.Loudly;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel.Finding;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel.Severity;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The checker can fail: each kind of wrong thing is found, and what is right is not. */
class DiscoveryCheckTest {
    private static final String PATH = "/compute/v1/projects/tests/global/snapshots";

    @BeforeEach
    void modelsAreAtHand() {
        Loudly.needs(DiscoveryModel.available(), "no published models; set -Dtidemark.cloudModels");
    }

    @Test
    void rightRequestHasNoFinding() {
        assertThat(request("POST", PATH, "{'name': 's-1', 'sourceDisk': 'd', 'labels': {'a': 'b'}}"))
                .isEmpty();
        assertThat(request("GET", PATH + "?maxResults=500&filter=a", "")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'name': 's-1', 'disk': 'd'} | disk is unknown",
                "{'sourceDisk': 'd'} | name is required",
                "{'name': 'S_1'} | name is not of its form",
                "{'name': 's-1', 'guestFlush': 'true'} | guestFlush is no truth value",
                "{'name': 's-1', 'snapshotType': 'COLD'} | snapshotType is none of its values",
                "{'name': 's-1', 'storageLocations': 'eu'} | storageLocations is no list",
                "{'name': 's-1', 'labels': {'a': 1}} | labels.a is no text",
                "{'name': 's-1', 'labelFingerprint': '?'} | labelFingerprint is no byte",
                "{'name': 's-1', 'snapshotEncryptionKey': null} | snapshotEncryptionKey is null",
                "{'name': 's-1', 'snapshotEncryptionKey': {'x': ''}} | snapshotEncryptionKey.x is unknown",
                "[] | body is no object",
                "{ | body is no JSON"
            })
    void wrongBodyIsFound(String body, String finding) {
        assertThat(request("POST", PATH, body)).anySatisfy(each -> {
            assertThat(each.severity()).isEqualTo(Severity.ERROR);
            assertThat(each.text()).startsWith(finding);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /compute/v1/projects/tests/global/snapshoots, no method",
        "GET, /compute/v1/projects/tests/global/snapshots?size=1, size is no parameter",
        "GET, /compute/v1/projects/tests/global/snapshots?maxResults=x, maxResults is no uint32",
        "GET, /compute/v1/projects/tests/global/snapshots?maxResults=-1, maxResults is no uint32",
        "GET, /compute/v1/projects/Te_sts/global/snapshots, project is not of its form",
        "GET, /compute/v1/projects/tests/zones/Zone_A/disks, zone is not of its form"
    })
    void wrongAddressIsFound(String method, String target, String finding) {
        assertThat(request(method, target, ""))
                .extracting(Finding::text)
                .anySatisfy(text -> assertThat(text).startsWith(finding));
    }

    @Test
    void whatIsOutputOnlyIsAWarning() {
        assertThat(request("POST", PATH, "{'name': 's-1', 'status': 'READY'}"))
                .containsExactly(new Finding(Severity.WARNING, "status is output only"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | {'diskSizeGb': 10} | diskSizeGb is no text",
                "200 | {'diskSizeGb': '9223372036854775808'} | diskSizeGb is no int64",
                "200 | {'status': 'DONE'} | status is none of its values",
                "200 | {'size': '1'} | size is unknown",
                "404 | {'error': {'code': 500, 'message': 'm', 'errors': []}} | error.code",
                "404 | {'error': {'code': 404, 'message': 'm', 'errors': []}} | error.errors is no list",
                "404 | {'error': {'code': 404, 'errors': [{'reason': 'r'}]}} | error.message is no text"
            })
    void wrongAnswerIsFound(int status, String body, String finding) {
        var check = new DiscoveryCheck(DiscoveryModel.v1());
        byte[] bytes = body.replace('\'', '"').getBytes(StandardCharsets.UTF_8);

        assertThat(check.answer("snapshots.get", status, bytes))
                .extracting(Finding::text)
                .anySatisfy(text -> assertThat(text).startsWith(finding));
    }

    private static List<Finding> request(String method, String target, String body) {
        byte[] bytes = body.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        return new DiscoveryCheck(DiscoveryModel.v1()).request(new HttpRequest(method, target, Map.of(), bytes));
    }
}
