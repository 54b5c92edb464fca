package io.tidemark.provider.fakecloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.Loudly;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The checker must be able to fail: what it lets pass proves something only then. */
class ServiceModelTest {
    private static final String SNAPSHOT = "snap-0123456789abcdef0";

    @BeforeEach
    void modelsAreAtHand() {
        Loudly.needs(ServiceModel.available(), "no published models; set -Dtidemark.cloudModels");
    }

    @ParameterizedTest
    @CsvSource({
        "CreateSnapshot, VolumeId, vol-1, Colour, red, unknown field Colour",
        "CreateSnapshot, volumeId, vol-1, DryRun, true, required VolumeId is missing",
        "CreateSnapshot, VolumeId, vol-1, DryRun, yes, DryRun is no boolean",
        "CreateSnapshot, VolumeId, vol-1, Location, moon, Location is none of SnapshotLocationEnum",
        "DescribeSnapshots, MaxResults, many, NextToken, x, MaxResults is no integer",
        "DescribeSnapshots, Owner.2, self, NextToken, x, unknown field Owner.2",
        "DescribeSnapshots, OwnerId.1, self, NextToken, x, unknown field OwnerId.1",
        "DescribeSnapshots, Filter.1.Name, a, Filter.1.Values.1, b, unknown field Filter.1.Values.1",
        "LockSnapshot, SnapshotId, snap-1, LockMode, soft, LockMode is none of LockMode",
        "LockSnapshot, SnapshotId, snap-1, LockDuration, 36501, 'LockDuration is 36501.0, allowed 1.0 to 36500.0'",
        "LockSnapshot, SnapshotId, snap-1, ExpirationDate, tomorrow, ExpirationDate is no time",
        "EatSnapshot, SnapshotId, snap-1, DryRun, true, the model has no action EatSnapshot"
    })
    void aWrongFormIsFound(String action, String one, String first, String two, String second, String finding) {
        var form = new TreeMap<>(Map.of("Action", action, "Version", "2016-11-15", one, first, two, second));

        assertThat(new Ec2ModelCheck(ServiceModel.ec2()).request(form)).anyMatch(text -> text.startsWith(finding));
    }

    @ParameterizedTest
    @CsvSource({
        "<requestId>r</requestId><colour>red</colour>, unknown element /colour",
        "<requestId>r</requestId><state>pending</state>, unknown element /state",
        "<requestId>r</requestId><status>done</status>, /status is none of SnapshotState",
        "<requestId>r</requestId><volumeSize>big</volumeSize>, /volumeSize is no integer",
        "<requestId>r</requestId><startTime>now</startTime>, /startTime is no time",
        "<requestId>r</requestId><tagSet><tag><key>a</key></tag></tagSet>, '/tagSet holds tag, not item'",
        "<requestId>r</requestId><status>error</status><status>error</status>, element /status stands twice",
        "<status>pending</status>, no requestId",
        "<requestId>r</requestId><status>pending, no XML"
    })
    void aWrongAnswerOfEc2IsFound(String within, String finding) {
        String body = "<CreateSnapshotResponse>" + within + "</CreateSnapshotResponse>";

        assertThat(new Ec2ModelCheck(ServiceModel.ec2())
                        .answer("CreateSnapshot", 200, body.getBytes(StandardCharsets.UTF_8)))
                .anyMatch(text -> text.startsWith(finding));
    }

    @Test
    void anErrorOfAnotherServicesFormIsFound() {
        var check = new Ec2ModelCheck(ServiceModel.ec2());

        assertThat(check.answer("CreateSnapshot", 400, "<ErrorResponse/>".getBytes(StandardCharsets.UTF_8)))
                .isNotEmpty();
        assertThat(check.answer("CreateSnapshot", 200, "<CopySnapshotResponse/>".getBytes(StandardCharsets.UTF_8)))
                .isNotEmpty();
        assertThat(check.answer("DeleteSnapshot", 200, body("<requestId>1</requestId><return>false</return>")))
                .containsExactly("unknown element return");
    }

    private static byte[] body(String within) {
        return ("<DeleteSnapshotResponse>" + within + "</DeleteSnapshotResponse>").getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aWrongRequestOfEbsDirectIsFound() {
        assertThat(request("StartSnapshot", "POST", "/snapshots", Map.of(), "{}"))
                .containsExactly("required VolumeSize of the request is missing");
        assertThat(request("StartSnapshot", "POST", "/snapshots", Map.of(), "{\"VolumeSize\":\"1\"}"))
                .anyMatch(text -> text.startsWith("/VolumeSize is no long"));
        assertThat(request("StartSnapshot", "POST", "/snapshots", Map.of(), "{\"VolumeSize\":1,\"Timeout\":9}"))
                .containsExactly("/Timeout is 9.0, allowed 10.0 to 4320.0");
        assertThat(request("StartSnapshot", "POST", "/snapshots", Map.of(), "{\"VolumeSize\":1,\"Size\":1}"))
                .containsExactly("unknown field /Size of StartSnapshotRequest");
        assertThat(request(
                        "StartSnapshot", "POST", "/snapshots", Map.of(), "{\"VolumeSize\":1,\"ClientToken\":\"a b\"}"))
                .anyMatch(text -> text.startsWith("/ClientToken does not match"));
        assertThat(request(
                        "ListSnapshotBlocks",
                        "GET",
                        "/snapshots/%s/blocks?maxResults=5".formatted(SNAPSHOT),
                        Map.of(),
                        ""))
                .containsExactly("maxResults is 5.0, allowed 100.0 to 10000.0");
        assertThat(request("ListSnapshotBlocks", "GET", "/snapshots/snap-XYZ/blocks?page=1", Map.of(), ""))
                .hasSize(2);
        assertThat(request("CompleteSnapshot", "POST", "/snapshots/completion/" + SNAPSHOT, Map.of(), ""))
                .containsExactly("required ChangedBlocksCount of the request is missing");
        assertThat(request(
                        "PutSnapshotBlock",
                        "PUT",
                        "/snapshots/%s/blocks/1".formatted(SNAPSHOT),
                        Map.of(
                                "x-amz-data-length", "524288",
                                "x-amz-checksum", "abc=",
                                "x-amz-checksum-algorithm", "MD5",
                                "x-amz-colour", "red"),
                        ""))
                .hasSize(2);
    }

    private static List<String> request(
            String operation, String method, String target, Map<String, String> headers, String body) {
        return new EbsModelCheck(ServiceModel.ebs())
                .request(operation, new HttpRequest(method, target, headers, body.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void aWrongAnswerOfEbsDirectIsFound() {
        assertThat(answer("StartSnapshot", 200, Map.of(), "{}")).containsExactly("HTTP 200, not 201");
        assertThat(answer("StartSnapshot", 201, Map.of(), "{\"StartTime\":\"2026-11-27T00:00:00Z\"}"))
                .anyMatch(text -> text.startsWith("/StartTime is no timestamp"));
        assertThat(answer("StartSnapshot", 201, Map.of(), "{\"Status\":\"recovering\"}"))
                .anyMatch(text -> text.startsWith("/Status is none of Status"));
        assertThat(answer("ListSnapshotBlocks", 200, Map.of(), "{\"Blocks\":[{\"BlockToken\":\"a-b\"}]}"))
                .anyMatch(text -> text.startsWith("/Blocks[]/BlockToken does not match"));
        assertThat(answer("StartSnapshot", 404, Map.of("x-amzn-ErrorType", "ConflictException"), "{}"))
                .containsExactly("HTTP 404, not 409");
        assertThat(answer("GetSnapshotBlock", 409, Map.of("x-amzn-ErrorType", "ConflictException"), "{}"))
                .containsExactly("GetSnapshotBlock has no error ConflictException");
        assertThat(answer("GetSnapshotBlock", 403, Map.of("x-amzn-ErrorType", "AccessDeniedException"), "{}"))
                .containsExactly("required Reason of the answer is missing");
    }

    private static List<String> answer(String operation, int status, Map<String, String> headers, String body) {
        return new EbsModelCheck(ServiceModel.ebs())
                .answer(operation, HttpAnswer.text(status, "application/json", headers, body));
    }
}
