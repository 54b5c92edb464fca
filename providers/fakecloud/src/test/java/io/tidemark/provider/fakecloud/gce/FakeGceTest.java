package io.tidemark.provider.fakecloud.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The rules of the fake, each by a client that shares no code with it. */
class FakeGceTest extends GceChecked {
    private static final String DISK = GceWire.ZONE + "/disks/orders";

    private FakeDisk disk() {
        return cloud.createDisk(GceWire.ZONE, "orders", 10, Map.of("team", "a"));
    }

    @Test
    void contentOfASnapshotIsThatOfWhenItsUploadBegins() throws Exception {
        restart(FakeGceSettings.defaults().creating(Duration.ofSeconds(5)).takes(Duration.ofMinutes(3)));
        var disk = disk();
        disk.write(0, new byte[] {1});
        wire.snapshot("s-1", DISK);
        assertThat(wire.status("global/snapshots/s-1")).isEqualTo("CREATING");
        disk.write(0, new byte[] {2});
        cloud.clock().advance(Duration.ofSeconds(5));
        assertThat(wire.status("global/snapshots/s-1")).isEqualTo("UPLOADING");
        disk.write(0, new byte[] {3});
        cloud.clock().advance(Duration.ofMinutes(3));

        assertThat(wire.status("global/snapshots/s-1")).isEqualTo("READY");
        assertThat(cloud.snapshots().getFirst().read(0, 1)).containsExactly(2);
    }

    @Test
    void operationOfASnapshotIsGlobalAndNamesTheDisk() throws Exception {
        restart(FakeGceSettings.defaults().takes(Duration.ofMinutes(3)));
        disk();
        var begun = wire.snapshot("s-1", DISK).json();
        String operation = "global/operations/" + begun.path("name").asText();

        assertThat(begun.path("targetLink").asText()).endsWith("/disks/orders");
        assertThat(wire.status(operation)).isEqualTo("RUNNING");
        cloud.clock().advance(Duration.ofMinutes(3));
        assertThat(wire.get(operation).json().path("status").asText()).isEqualTo("DONE");
    }

    @Test
    void operationMayBeDoneWithAnErrorInIt() throws Exception {
        disk();
        cloud.faults(FaultScript.none()
                .on("snapshots.insert", 1, Fault.END_IN_ERROR)
                .on("snapshots.insert", 2, Fault.END_IN_ERROR));
        var one = wire.snapshot("s-1", DISK).json();
        var two = wire.snapshot("s-2", DISK).json();

        var both = List.of(one, two);
        assertThat(both)
                .anySatisfy(
                        each -> assertThat(each.path("error").isMissingNode()).isFalse());
        assertThat(both)
                .allSatisfy(each -> assertThat(each.path("status").asText()).isEqualTo("DONE"));
        assertThat(cloud.snapshots().stream().map(FakeGceSnapshot::name).toList())
                .hasSizeLessThan(2);
    }

    @Test
    void sameRequestIdIsTheSameOperationForAnHour() throws Exception {
        disk();
        String target = "global/snapshots?requestId=0b3c9e6a-0000-4000-8000-000000000001";
        String body = "{'name': 's-1', 'sourceDisk': '%s'}".formatted(DISK);
        var first = wire.post(target, body);
        var again = wire.post(target, body);

        assertThat(again.json().path("name")).isEqualTo(first.json().path("name"));
        assertThat(wire.snapshot("s-1", DISK).status()).isEqualTo(409);
        assertThat(wire.snapshot("s-1", DISK).reason()).isEqualTo("alreadyExists");
        cloud.clock().advance(Duration.ofMinutes(61));
        assertThat(wire.post(target, body).status()).isEqualTo(409);
    }

    @Test
    void labelsAreSetByWhoKnowsTheLatestOnes() throws Exception {
        disk();
        wire.snapshot("s-1", DISK);
        String print =
                wire.get("global/snapshots/s-1").json().path("labelFingerprint").asText();
        String body = "{'labels': {'a': 'b'}, 'labelFingerprint': '%s'}".formatted(print);

        assertThat(wire.post("global/snapshots/s-1/setLabels", body).status()).isEqualTo(200);
        assertThat(wire.post("global/snapshots/s-1/setLabels", body).status()).isEqualTo(412);
        assertThat(cloud.snapshots().getFirst().labels()).containsExactly(Map.entry("a", "b"));
    }

    @Test
    void seventhSnapshotOfADiskInAnHourFails() throws Exception {
        restart(FakeGceSettings.defaults().limits(GceLimits.published()));
        disk();
        for (int count = 0; count < 6; count++) {
            assertThat(wire.snapshot("s-" + count, DISK).json().has("error")).isFalse();
            cloud.clock().advance(Duration.ofMinutes(9));
        }
        var seventh = wire.snapshot("s-7", DISK).json();
        assertThat(seventh.path("error").path("errors").path(0).path("code").asText())
                .isEqualTo("RESOURCE_OPERATION_RATE_EXCEEDED");
        cloud.clock().advance(Duration.ofMinutes(6));
        assertThat(wire.snapshot("s-7", DISK).json().has("error")).isFalse();
    }

    @Test
    void instantSnapshotsAreHalfAMinuteApart() throws Exception {
        restart(FakeGceSettings.defaults().limits(GceLimits.published()));
        disk();
        String target = GceWire.ZONE + "/instantSnapshots";
        assertThat(wire.post(target, "{'name': 'i-1', 'sourceDisk': '%s'}".formatted(DISK))
                        .json()
                        .has("error"))
                .isFalse();
        assertThat(wire.post(target, "{'name': 'i-2', 'sourceDisk': '%s'}".formatted(DISK))
                        .json()
                        .has("error"))
                .isTrue();
        cloud.clock().advance(Duration.ofSeconds(30));
        assertThat(wire.post(target, "{'name': 'i-2', 'sourceDisk': '%s'}".formatted(DISK))
                        .json()
                        .has("error"))
                .isFalse();
        assertThat(wire.delete(DISK).status()).isEqualTo(200);
        assertThat(cloud.instantSnapshots()).isEmpty();
    }

    @Test
    void groupTakesAllDisksOfItsPolicyAtOneInstant() throws Exception {
        var one = disk();
        var two = cloud.createDisk(GceWire.ZONE, "logs", 10, Map.of());
        cloud.createDisk(GceWire.ZONE, "other", 10, Map.of());
        cloud.createConsistencyGroup("europe-west3", "both", List.of(one, two));
        wire.post(
                GceWire.ZONE + "/instantSnapshotGroups",
                "{'name': 'g', 'sourceConsistencyGroup': '%s/resourcePolicies/both'}"
                        .formatted("projects/" + cloud.project() + "/" + GceWire.REGION));
        one.write(0, new byte[] {9});

        assertThat(cloud.instantSnapshots())
                .hasSize(2)
                .allSatisfy(each -> assertThat(each.read(0, 1)).containsExactly(0));
        String instant = GceWire.ZONE + "/instantSnapshots/"
                + cloud.instantSnapshots().getFirst().name();
        wire.post(
                "global/snapshots",
                "{'name': 's', 'sourceInstantSnapshot': '%s'}"
                        .formatted("projects/" + cloud.project() + "/" + instant));
        assertThat(cloud.snapshots()).hasSize(1);
        wire.delete(GceWire.ZONE + "/instantSnapshotGroups/g");
        assertThat(cloud.instantSnapshots()).isEmpty();
    }

    @Test
    void replicationThatWasStoppedDoesNotGoOn() throws Exception {
        disk();
        String primary = "projects/" + cloud.project() + "/" + DISK;
        String secondary = "projects/" + cloud.project() + "/zones/europe-west1-b/disks/copy";
        wire.post(
                "zones/europe-west1-b/disks",
                "{'name': 'copy', 'sizeGb': '10', 'asyncPrimaryDisk': {'disk': '%s'}}".formatted(primary));
        String start = "{'asyncSecondaryDisk': '%s'}".formatted(secondary);

        assertThat(wire.post(DISK + "/startAsyncReplication", start).status()).isEqualTo(200);
        assertThat(wire.delete("zones/europe-west1-b/disks/copy").reason()).isEqualTo("resourceInUseByAnotherResource");
        assertThat(wire.ask("POST", DISK + "/stopAsyncReplication", "").status())
                .isEqualTo(200);
        assertThat(wire.post(DISK + "/startAsyncReplication", start).status()).isEqualTo(400);
        assertThat(wire.delete("zones/europe-west1-b/disks/copy").status()).isEqualTo(200);
    }

    @Test
    void listsComeInPagesSomeOfThemEmpty() throws Exception {
        cloud.fill("europe-west3-a", 30, 2, Map.of("mine", "yes"));
        cloud.faults(FaultScript.none().on("snapshots.list", 2, Fault.EMPTY_PAGE));
        var seen = new HashSet<String>();
        String token = "";
        int pages = 0;
        do {
            var page =
                    wire.get("global/snapshots?maxResults=25&filter=labels.mine%20%3D%20%22yes%22&pageToken=" + token);
            page.json().path("items").forEach(each -> seen.add(each.path("name").asText()));
            token = page.json().path("nextPageToken").asText("");
            pages++;
        } while (!token.isEmpty());

        assertThat(seen).hasSize(60);
        assertThat(pages).isEqualTo(4);
        assertThat(wire.get("aggregated/disks").json().at("/items/zones~1europe-west3-a/disks"))
                .hasSize(30);
    }

    @Test
    void whatIsHiddenIsNeitherListedNorFoundButItsNameIsTaken() throws Exception {
        disk();
        cloud.faults(FaultScript.none().on("snapshots.insert", 1, Fault.INVISIBLE));
        wire.snapshot("s-1", DISK);

        assertThat(wire.snapshot("s-1", DISK).status()).isEqualTo(409);
        assertThat(wire.get("global/snapshots/s-1").status()).isEqualTo(404);
        wire.get("global/snapshots");
        wire.get("global/snapshots");
        assertThat(wire.get("global/snapshots/s-1").status()).isEqualTo(200);
    }

    @Test
    void permissionsThatAreDeniedAreLeftOutAndRefused() throws Exception {
        disk();
        cloud.deny("compute.disks.createSnapshot");

        var told = wire.post(
                DISK + "/testIamPermissions", "{'permissions': ['compute.disks.createSnapshot', 'compute.disks.get']}");
        assertThat(told.json().path("permissions")).hasSize(1);
        assertThat(wire.snapshot("s-1", DISK).status()).isEqualTo(403);
    }

    @Test
    void tooManyRequestsAreToldInBothDialects() throws Exception {
        cloud.faults(
                FaultScript.none().on("snapshots.list", 1, Fault.THROTTLE).on("snapshots.list", 2, Fault.THROTTLE));

        var said = List.of(wire.get("global/snapshots"), wire.get("global/snapshots"));
        assertThat(said).extracting(GceWire.Said::status).containsExactlyInAnyOrder(403, 429);
        assertThat(said).allMatch(each -> each.reason().equals("rateLimitExceeded"));
    }
}
