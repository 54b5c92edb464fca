package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpResponse;

/** Rights asked about by dry runs. */
class EbsRightsTest {
    private static HostRequirement of(Map<String, HostRequirement> rights, String right) {
        return Objects.requireNonNull(rights.get(right), right);
    }

    private static Map<String, HostRequirement> rights(FakeAws cloud) {
        var config = EbsAccount.config("eu-central-1", cloud.endpoint().toString());
        try (var clients = EbsAccount.inProcess(cloud, config)) {
            var found = new TreeMap<String, HostRequirement>();
            new EbsRights(clients, config).all().forEach(each -> found.put(each.what(), each));
            return found;
        }
    }

    @Test
    void rightByRightIsToldWhetherItIsGranted() throws Exception {
        try (var cloud = FakeAws.start();
                var provider = EbsAccount.open(cloud)) {
            var volume = cloud.createVolume(1, Map.of());
            cloud.createInstance(List.of(volume));
            var id = EbsAccount.volume(volume.id());
            provider.cut(new CutRequest(new RecoveryPointId("rp-1"), List.of(id)));
            var snapshot = new SnapshotId(id, new RecoveryPointId("rp-1"));
            provider.clone(new CloneRequest(snapshot, VolumeId.of("ebs", "clone")));
            int volumes = cloud.volumes().size();

            var all = rights(cloud);
            assertThat(all.keySet()).as("all of the policy").isEqualTo(ofThePolicy());
            all.forEach((right, told) -> assertThat(told.state())
                    .as("%s: %s", right, told.detail())
                    .isEqualTo(right.startsWith("ec2:") ? State.MET : State.LIMITED));
            assertThat(of(all, "ebs:GetSnapshotBlock").detail()).contains("not checkable");

            for (var right : all.keySet()) {
                if (right.startsWith("ec2:") && !right.contains(":Describe")) {
                    cloud.deny(right.substring("ec2:".length()));
                    assertThat(rights(cloud).get(right)).as(right).satisfies(told -> {
                        assertThat(told.state()).isNotEqualTo(State.MET);
                        assertThat(told.detail()).contains("tidemark providers policy ebs");
                    });
                    cloud.allow(right.substring("ec2:".length()));
                }
            }
            cloud.deny("CreateSnapshot");
            cloud.deny("LockSnapshot");
            cloud.deny("DescribeVolumes");
            cloud.deny("DescribeLockedSnapshots");
            var denied = rights(cloud);
            assertThat(of(denied, "ec2:CreateSnapshot").detail())
                    .as("no volume is seen")
                    .contains("not checkable");
            assertThat(of(denied, "ec2:DescribeVolumes").state()).isEqualTo(State.LACKING);
            assertThat(of(denied, "ec2:DescribeLockedSnapshots").state())
                    .as("deletions ask for it")
                    .isEqualTo(State.LACKING);
            assertThat(of(denied, "ec2:LockSnapshot").state())
                    .as("one command alone")
                    .isEqualTo(State.LIMITED);
            assertThat(cloud.snapshots()).as("dry runs change nothing").hasSize(1);
            assertThat(cloud.volumes()).hasSize(volumes);
            EbsAccount.everyCallIsChecked(cloud);
        }
    }

    /** What answers as if a dry run were none. */
    private static SdkHttpClient heedingNoDryRun(SdkHttpClient inner) {
        return new SdkHttpClient() {
            @Override
            public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
                try (var body = request.contentStreamProvider().orElseThrow().newStream()) {
                    var form = new String(body.readAllBytes(), StandardCharsets.UTF_8).replace("&DryRun=true", "");
                    return inner.prepareRequest(HttpExecuteRequest.builder()
                            .request(request.httpRequest())
                            .contentStreamProvider(ContentStreamProvider.fromUtf8String(form))
                            .build());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public void close() {
                inner.close();
            }
        };
    }

    /** What answers each request alike; counts them. */
    private static SdkHttpClient saying(Optional<String> code, AtomicInteger asked) {
        return new SdkHttpClient() {
            @Override
            public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
                return new ExecutableHttpRequest() {
                    @Override
                    public HttpExecuteResponse call() throws IOException {
                        asked.incrementAndGet();
                        var error = "<Response><Errors><Error><Code>%s</Code></Error></Errors></Response>"
                                .formatted(code.orElseThrow(() -> new IOException("connection refused")));
                        return HttpExecuteResponse.builder()
                                .response(SdkHttpResponse.builder()
                                        .statusCode(401)
                                        .build())
                                .responseBody(AbortableInputStream.create(
                                        new ByteArrayInputStream(error.getBytes(StandardCharsets.UTF_8))))
                                .build();
                    }

                    @Override
                    public void abort() {
                        // The call is over before anybody could end it.
                    }
                };
            }

            @Override
            public void close() {
                // There is no connection.
            }
        };
    }

    @Test
    void credentialsThatAmazonRefusesLeaveRightsLacking() {
        var config = EbsAccount.config("eu-central-1", "http://127.0.0.1:1");
        for (var code : List.of(
                "AuthFailure",
                "InvalidClientTokenId",
                "RequestExpired",
                "SignatureDoesNotMatch",
                "OptInRequired",
                "ExpiredToken")) {
            try (var clients =
                    new AwsClients(config, EbsAccount.CREDENTIALS, saying(Optional.of(code), new AtomicInteger()))) {
                var all = new EbsRights(clients, config).all();

                assertThat(all)
                        .filteredOn(each -> each.what().equals("ec2:DescribeVolumes"))
                        .singleElement()
                        .satisfies(each -> {
                            assertThat(each.state()).as(code).isEqualTo(State.LACKING);
                            assertThat(each.detail()).contains(code).contains("credentials");
                        });
                assertThat(all)
                        .filteredOn(each -> each.what().equals("ec2:ListSnapshotsInRecycleBin"))
                        .allMatch(each -> each.state() == State.LIMITED);
            }
        }
    }

    @Test
    void whereNobodyAnswersTheFirstQuestionIsTheLastAndItsRightLacks() {
        var config = EbsAccount.config("eu-central-1", "http://127.0.0.1:1");
        var asked = new AtomicInteger();
        try (var clients = new AwsClients(config, EbsAccount.CREDENTIALS, saying(Optional.empty(), asked))) {
            var all = new EbsRights(clients, config).all();

            assertThat(all.getFirst().state()).isEqualTo(State.LACKING);
            assertThat(all.getFirst().detail()).contains("cannot be asked");
            assertThat(all.subList(1, all.size())).allMatch(each -> each.state() == State.LIMITED);
            assertThat(asked.get()).as("tries of one question").isLessThan(10);
        }
    }

    @Test
    void nothingIsChangedWhereDryRunsAreNotHeeded() throws Exception {
        try (var cloud = FakeAws.start();
                var provider = EbsAccount.open(cloud)) {
            var volume = EbsAccount.volume(cloud.createVolume(1, Map.of()).id());
            provider.cut(new CutRequest(new RecoveryPointId("rp-1"), List.of(volume)));
            var config = EbsAccount.config("eu-central-1", cloud.endpoint().toString());
            var http = heedingNoDryRun(new InProcessHttp(cloud, "eu-central-1", () -> false));

            try (var clients = new AwsClients(config, EbsAccount.CREDENTIALS, http)) {
                var all = new EbsRights(clients, config).all();
                assertThat(all).allMatch(each -> each.state() == State.LIMITED);
                assertThat(all).anyMatch(each -> each.detail().contains("does not heed dry runs"));
            }
            assertThat(cloud.snapshots()).hasSize(1);
            assertThat(cloud.calls()).doesNotContainKey("DeleteSnapshot");
        }
    }

    @Test
    void whatThereIsNothingToAskAboutIsNotCalledGranted() {
        try (var cloud = FakeAws.start()) {
            var all = rights(cloud);

            assertThat(of(all, "ec2:DeleteSnapshot").state()).isEqualTo(State.LIMITED);
            assertThat(of(all, "ec2:DeleteSnapshot").detail()).contains("a snapshot of ours");
            assertThat(of(all, "ec2:DescribeVolumes").state()).isEqualTo(State.MET);
        }
    }

    private static Set<String> ofThePolicy() throws Exception {
        var granted = new TreeSet<String>();
        new ObjectMapper()
                .readTree(EbsPolicy.of("tests"))
                .path("Statement")
                .forEach(statement -> statement.path("Action").forEach(action -> granted.add(action.asText())));
        return granted;
    }
}
