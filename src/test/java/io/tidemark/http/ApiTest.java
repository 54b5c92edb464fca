package io.tidemark.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.control.Observer;
import io.tidemark.control.OperationSettings;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.SyncReport;
import io.tidemark.replication.ReplicationError;
import io.tidemark.site.TestSite;
import io.tidemark.telemetry.Metrics;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What works, over real HTTP on loopback against the real store. */
class ApiTest {
    private static final String ORDERS = "{'id':'memory:orders','sizeBytes':1048576}";

    @TempDir
    Path folder;

    private TestSite site;
    private ApiClient api;

    @BeforeEach
    void start() throws Exception {
        var metrics = new CompletableFuture<Metrics>();
        site = TestSite.in(
                folder, InstantSource.system(), new OperationSettings(8, Duration.ofSeconds(5)), new Observer() {
                    @Override
                    public void operationEnded(Operation operation, Duration took) {
                        metrics.join().operationEnded(operation, took);
                    }

                    @Override
                    public void recoveryPointTaken(RecoveryPoint point) {
                        metrics.join().recoveryPointTaken(point);
                    }

                    @Override
                    public void synced(SyncReport report) {
                        metrics.join().synced(report);
                    }
                });
        api = new ApiClient(site.recovered(), folder);
        metrics.complete(api.metrics);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    private void addGroup() throws Exception {
        api.post("/v1/volumes", ORDERS).is(201);
        api.post("/v1/groups", "{'id':'orders','volumes':['memory:orders']}").is(201);
    }

    private String takePoint() throws Exception {
        return api.succeeded(api.post("/v1/groups/orders/recovery-points"))
                .at("/recoveryPoint/id")
                .asText();
    }

    private String addLink() throws Exception {
        api.post("/v1/peers", "{'id':'site-b','token':'tidemark-invitation-1'}").is(201);
        return api.post(
                        "/v1/links",
                        "{'peer':'site-b','group':'orders','volume':'memory:orders','peerVolume':'memory:copy'}")
                .is(201)
                .json()
                .get("id")
                .asText();
    }

    @Test
    void healthReadinessAndVersionNeedNoToken() throws Exception {
        for (var path : new String[] {"/v1/health", "/v1/ready", "/v1/version"}) {
            api.call("GET", path, Optional.empty(), Map.of("Authorization", "")).is(200);
        }
        assertThat(api.get("/v1/version").json().get("version").asText()).isEqualTo("0.0.0-test");
    }

    @Test
    void aVolumeThatTakesLongIsMadeByAnOperation() throws Exception {
        api.site.stepsToCreate.set(3);
        var started = api.post("/v1/volumes", ORDERS).is(202);

        assertThat(started.json().get("kind").asText()).isEqualTo("create-volume");
        assertThat(api.succeeded(started).at("/volume/id").asText()).isEqualTo("memory:orders");
        api.get("/v1/volumes/memory%3Aorders").is(200);
        assertThat(api.site.stepsToCreate).as("asked again until it was made").hasValueLessThan(1);
    }

    @Test
    void aVolumeIsMadeReadListedAndRemoved() throws Exception {
        var made = api.post("/v1/volumes", ORDERS).is(201);

        assertThat(made.headers()).containsEntry("location", "/v1/volumes/memory%3Aorders");
        assertThat(api.get("/v1/volumes/memory%3Aorders").is(200).json()).isEqualTo(made.json());
        assertThat(api.get("/v1/volumes").json().get("items")).hasSize(1);
        api.delete("/v1/volumes/memory%3Aorders").is(204);
        api.get("/v1/volumes/memory%3Aorders").is(404);
    }

    @Test
    void aSlashInAVolumesNameTravelsPercentEncoded() throws Exception {
        api.post("/v1/volumes", "{'id':'memory:pool/orders','sizeBytes':512}").is(201);

        assertThat(api.get("/v1/volumes/memory%3Apool%2Forders")
                        .is(200)
                        .json()
                        .get("id")
                        .asText())
                .isEqualTo("memory:pool/orders");
    }

    @Test
    void volumesComeInPages() throws Exception {
        for (int index = 0; index < 5; index++) {
            api.post("/v1/volumes", "{'id':'memory:v" + index + "','sizeBytes':512}")
                    .is(201);
        }

        var found = new ArrayList<String>();
        var next = "/v1/volumes?limit=2";
        while (!next.isEmpty()) {
            var page = api.get(next).is(200).json();
            page.get("items").forEach(item -> found.add(item.get("id").asText()));
            next = page.has("nextCursor")
                    ? "/v1/volumes?limit=2&cursor=" + page.get("nextCursor").asText()
                    : "";
        }

        assertThat(found).containsExactly("memory:v0", "memory:v1", "memory:v2", "memory:v3", "memory:v4");
    }

    @Test
    void aSnapshotIsTakenListedAndDeleted() throws Exception {
        api.post("/v1/volumes", ORDERS).is(201);

        var snapshot = api.succeeded(api.post("/v1/snapshots", "{'volume':'memory:orders'}"))
                .get("snapshot");

        var path = "/v1/snapshots/"
                + snapshot.get("id").asText().replace(":", "%3A").replace("@", "%40");
        var shown = (ObjectNode) api.get(path).is(200).json();
        assertThat(shown.remove("readable").toString()).isEqualTo("{\"state\":\"READY\"}");
        assertThat(shown).isEqualTo(snapshot);
        site.looksUntilReadable.set(1);
        assertThat(api.get(path).is(200).json().get("readable").toString())
                .isEqualTo("{\"state\":\"PENDING\",\"percent\":40}");
        assertThat(api.get("/v1/snapshots?volume=memory:orders").json().get("items"))
                .hasSize(1);
        api.delete(path).is(204);
        assertThat(api.get("/v1/snapshots").json().get("items")).isEmpty();
    }

    @Test
    void aGroupIsMadeWithDefaultsReplacedAndRemoved() throws Exception {
        addGroup();

        var made = api.get("/v1/groups/orders").is(200).json();
        assertThat(made.get("freezeLimitMillis").asInt()).isEqualTo(10_000);
        assertThat(made.get("freezeFileSystems").asBoolean()).isTrue();
        assertThat(made.get("requireConsistency").asText()).isEqualTo("CRASH");
        var replaced = api.put(
                        "/v1/groups/orders",
                        "{'id':'orders','volumes':['memory:orders'],'freezeLimitMillis':500,"
                                + "'quiescers':[{'kind':'postgresql','settings':{'port':'5432'}}]}")
                .is(200)
                .json();
        assertThat(replaced.get("freezeLimitMillis").asInt()).isEqualTo(500);
        assertThat(api.get("/v1/groups").json().get("items")).hasSize(1);
        api.delete("/v1/groups/orders").is(204);
        api.get("/v1/groups/orders").is(404);
    }

    @Test
    void aDryRunShowsThePlanAndChangesNothing() throws Exception {
        addGroup();

        var plan = api.post("/v1/groups/orders/recovery-points", "{'dryRun':true}")
                .is(200)
                .json();

        assertThat(plan.get("steps")).isNotEmpty();
        assertThat(api.get("/v1/operations").json().get("items")).isEmpty();
        assertThat(api.site.snapshotCount()).isZero();
    }

    @Test
    void aRecoveryPointShowsItsCertificateEvidenceAndFreezeWindow() throws Exception {
        addGroup();

        var point = api.get("/v1/recovery-points/" + takePoint()).is(200).json();

        assertThat(point.get("freezeWindowMillis").asInt()).isEqualTo(4);
        assertThat(point.at("/certificate/freezes")).hasSize(1);
        assertThat(point.at("/evidence/backup_label").asText()).startsWith("START WAL");
        var listed = api.get("/v1/recovery-points?group=orders").json().get("items");
        assertThat(listed).hasSize(1);
        assertThat(listed.get(0).has("certificate")).isFalse();
    }

    @Test
    void aRecoveryPointIsClonedRolledBackToAndDeleted() throws Exception {
        addGroup();
        var point = "/v1/recovery-points/" + takePoint();

        var clone = api.succeeded(api.post(point + "/clones", "{'volume':'memory:orders','name':'memory:drill'}"));
        var rolledBack = api.succeeded(api.post(point + "/rollback"));

        assertThat(clone.at("/volume/id").asText()).isEqualTo("memory:drill");
        assertThat(rolledBack.get("volumes")).hasSize(1);
        api.get("/v1/volumes/memory%3Adrill").is(200);
        api.delete("/v1/volumes/memory%3Adrill").is(204);
        api.delete(point).is(204);
        api.get(point).is(404);
        assertThat(api.site.snapshotCount()).isZero();
    }

    @Test
    void aRollbackThatIsToWaitForOpenVolumesDoesNotWaitWhereNoneIs() throws Exception {
        addGroup();
        var point = "/v1/recovery-points/" + takePoint();

        var rolledBack = api.succeeded(api.post(point + "/rollback", "{'whenOpen':'defer'}"));

        assertThat(rolledBack.get("volumes")).hasSize(1);
    }

    @Test
    void sitesPairAndALinkIsSynchronisedVerifiedAndForgotten() throws Exception {
        addGroup();
        var invitation = api.post("/v1/invitations", "{'peer':'site-c','validMillis':60000}")
                .is(201)
                .json();
        assertThat(invitation.get("token").asText()).isNotEmpty();
        var link = "/v1/links/" + addLink();
        var point = takePoint();

        var report = api.succeeded(api.post(link + "/syncs")).get("report");
        var verified = api.succeeded(api.post(link + "/verifications")).get("report");

        assertThat(report.get("recoveryPoint").asText()).isEqualTo(point);
        assertThat(verified.get("differingBlocks").asLong()).isZero();
        var shown = api.get(link).is(200).json();
        assertThat(shown.get("inStep").asText()).isEqualTo(point);
        assertThat(shown.at("/lastReport/durationMillis").asInt()).isEqualTo(12);
        assertThat(api.get("/v1/links").json().get("items")).hasSize(1);
        assertThat(api.get("/v1/peers").json().get("items")).hasSize(1);
        api.get("/v1/peers/site-b").is(200);
        api.delete(link).is(204);
        api.delete("/v1/peers/site-b").is(204);
        api.delete("/v1/recovery-points/" + point).is(204);
    }

    @Test
    void whatOthersNeedIsNotDeletedAndTheAnswerNamesThem() throws Exception {
        addGroup();
        var linkId = addLink();
        var point = takePoint();
        api.succeeded(api.post("/v1/links/" + linkId + "/syncs"));

        for (var path : new String[] {"/v1/groups/orders", "/v1/peers/site-b", "/v1/recovery-points/" + point}) {
            var refused = api.delete(path).is(409).json();
            assertThat(refused.get("detail").asText()).contains(linkId);
            assertThat(refused.get("advice").asText()).contains(linkId);
        }
        assertThat(api.delete("/v1/volumes/memory%3Aorders")
                        .is(409)
                        .json()
                        .get("detail")
                        .asText())
                .contains("group orders");
        var snapshot = "/v1/snapshots/memory%3Aorders%40" + point;
        assertThat(api.delete(snapshot).is(409).json().get("detail").asText()).contains(point);
        assertThat(api.put("/v1/groups/orders", "{'id':'orders','volumes':['memory:other']}")
                        .status())
                .isEqualTo(404);
        api.post("/v1/volumes", "{'id':'memory:other','sizeBytes':512}").is(201);
        assertThat(api.put("/v1/groups/orders", "{'id':'orders','volumes':['memory:other']}")
                        .is(409)
                        .json()
                        .get("detail")
                        .asText())
                .contains(linkId);
    }

    @Test
    void theSameKeyAndBodyGetTheSameAnswerAndActOnce() throws Exception {
        addGroup();

        var first = api.post("/v1/groups/orders/recovery-points", "{}", "key-1")
                .is(202)
                .json();
        var second = api.post("/v1/groups/orders/recovery-points", "{ }", "key-1")
                .is(202)
                .json();

        assertThat(second).isEqualTo(first);
        api.site.awaitEnd(new OperationId(first.get("id").asText()));
        assertThat(api.get("/v1/recovery-points").json().get("items")).hasSize(1);
    }

    @Test
    void aFailedRequestDoesNotUseItsKeyUp() throws Exception {
        api.post("/v1/groups", "{'id':'orders','volumes':['memory:orders']}", "key-1")
                .is(404);
        api.post("/v1/volumes", ORDERS).is(201);

        api.post("/v1/groups", "{'id':'orders','volumes':['memory:orders']}", "key-1")
                .is(201);
    }

    @Test
    void aRunningOperationIsCancelledAndUndone() throws Exception {
        addGroup();
        api.site.taker.slow = true;
        var started = api.post("/v1/groups/orders/recovery-points").is(202);

        api.post(started.location() + "/cancel").is(202);
        var ended = api.ended(started);

        assertThat(ended.get("state").asText()).isEqualTo("CANCELLED");
        assertThat(ended.at("/problem/type").asText()).endsWith("/cancelled");
        assertThat(api.site.snapshotCount()).isZero();
        api.post(started.location() + "/cancel").is(202);
    }

    @Test
    void anEndedOperationCannotBeCancelled() throws Exception {
        api.post("/v1/volumes", ORDERS).is(201);
        var ended = api.ended(api.post("/v1/snapshots", "{'volume':'memory:orders'}"));

        api.post("/v1/operations/" + ended.get("id").asText() + "/cancel").is(409);
    }

    @Test
    void operationsAreListedNewestFirstAndByStateAndKind() throws Exception {
        addGroup();
        api.succeeded(api.post("/v1/snapshots", "{'volume':'memory:orders'}"));
        takePoint();

        assertThat(api.get("/v1/operations").json().at("/items/0/kind").asText())
                .isEqualTo("recovery-point");
        assertThat(api.get("/v1/operations?kind=snapshot").json().get("items")).hasSize(1);
        assertThat(api.get("/v1/operations?state=FAILED").json().get("items")).isEmpty();
        var page = api.get("/v1/operations?limit=1").json();
        var next = api.get("/v1/operations?limit=1&cursor="
                        + page.get("nextCursor").asText())
                .json();
        assertThat(next.at("/items/0/kind").asText()).isEqualTo("snapshot");
    }

    @Test
    void eventsTellAnOperationUntilItsEnd() throws Exception {
        addGroup();
        addLink();
        takePoint();
        api.site.replicator.slow = true;
        var link = api.get("/v1/links").json().at("/items/0/id").asText();
        var started = api.post("/v1/links/" + link + "/syncs").is(202);

        var request = HttpRequest.newBuilder(api.uri(started.location() + "/events"))
                .header("Authorization", "Bearer " + api.token)
                .header("Accept", "text/event-stream")
                .build();
        var stream = api.raw().sendAsync(request, HttpResponse.BodyHandlers.ofString());
        Awaitility.await()
                .until(() -> api.get(started.location())
                                .json()
                                .at("/progress/doneUnits")
                                .asLong()
                        > 3);
        api.site.replicator.slow = false;
        var events = stream.get(30, TimeUnit.SECONDS);

        assertThat(events.headers().firstValue("content-type")).contains("text/event-stream");
        assertThat(events.body()).startsWith("event: operation\ndata: {").contains("\"phase\":\"send\"");
        var last = events.body().strip().substring(events.body().strip().lastIndexOf("event: operation"));
        assertThat(last).contains("\"state\":\"SUCCEEDED\"");
        var again = api.raw().send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(again.body().split("event: operation", -1)).hasSize(2);
    }

    @Test
    void theEventsOfAnUnknownOperationAreAProblem() throws Exception {
        api.get("/v1/operations/op-none/events").is(404);
    }

    @Test
    void anOperationThatFailsKeepsItsProblem() throws Exception {
        addGroup();
        api.site.taker.failure = new ConsistencyError.FreezeFailed("postgresql", "db", "gone");

        var ended = api.ended(api.post("/v1/groups/orders/recovery-points"));

        assertThat(ended.get("state").asText()).isEqualTo("FAILED");
        assertThat(ended.at("/problem/type").asText()).endsWith("/freeze-failed");
        assertThat(ended.at("/problem/advice").asText()).isNotEmpty();
    }

    @Test
    void aLinkThatThePeerRefusesIsNotKept() throws Exception {
        addGroup();
        api.post("/v1/peers", "{'id':'site-b','token':'tidemark-invitation-1'}").is(201);
        api.site.replicator.failure = new ReplicationError.PeerUnreachable("10.0.0.2:1", "refused");

        var refused = api.post(
                        "/v1/links",
                        "{'peer':'site-b','group':'orders','volume':'memory:orders','peerVolume':'memory:copy'}")
                .is(502);

        assertThat(refused.json().get("retryable").asBoolean()).isTrue();
        assertThat(refused.headers()).containsKey("retry-after");
        assertThat(api.get("/v1/links").json().get("items")).isEmpty();
    }

    @Test
    void metricsCountOperationsFreezesAndSyncs() throws Exception {
        addGroup();
        addLink();
        takePoint();
        api.succeeded(api.post(
                "/v1/links/" + api.get("/v1/links").json().at("/items/0/id").asText() + "/syncs"));

        var metrics = api.get("/metrics").is(200).text();

        assertThat(metrics)
                .contains("tidemark_operations_duration_seconds_count{kind=\"sync\",state=\"SUCCEEDED\"} 1")
                .contains("tidemark_freeze_window_seconds_bucket")
                .contains("tidemark_sync_bytes_total{what=\"sent_wire\"} 4200.0")
                .contains("tidemark_operations_running")
                .contains("jvm_memory_used_bytes")
                .contains("tidemark_http_requests_seconds_count{route=\"createGroup\",status=\"201\"}");
        assertThat(metrics).doesNotContain(api.token);
    }

    @Test
    void answersCarryARequestIdAndSecurityHeaders() throws Exception {
        var reply = api.call("GET", "/v1/volumes", Optional.empty(), Map.of("X-Request-Id", "mine-1"));

        assertThat(reply.headers())
                .containsEntry("x-request-id", "mine-1")
                .containsEntry("x-content-type-options", "nosniff")
                .containsEntry("cache-control", "no-store");
    }

    @Test
    void aSiteThatIsStoppingTakesNoNewWorkAndSaysSo() throws Exception {
        addGroup();
        api.site.control.stop();

        api.post("/v1/groups/orders/recovery-points").is(503);
        assertThat(api.get("/v1/ready").is(503).json().get("status").asText()).isEqualTo("not-ready");
    }

    @Test
    void everyOperationOfTheContractHasAnEndpoint() {
        var endpoints = new Endpoints(api.site.control, api.metrics, ApiClient.settings(Duration.ofSeconds(1)))
                .byOperation()
                .keySet();
        var operations = new TreeSet<>(new RouteIndex(Contract.read(), false).operationIds());
        operations.remove("streamOperation");

        assertThat(endpoints).containsExactlyInAnyOrderElementsOf(operations);
        assertThat(operations).hasSize(75);
    }
}
