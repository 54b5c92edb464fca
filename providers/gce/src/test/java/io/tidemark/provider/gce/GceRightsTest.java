package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.gce.FakeGce;
import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That what is printed is what is needed, {@link GcePolicyTest} sees; here, that it is what is asked about. */
class GceRightsTest {
    private static final String NOT_ASKED = "rights that are not asked about";

    @TempDir
    Path folder;

    private static Map<String, String> settings(FakeGce cloud, Map<String, String> more) {
        var settings = new HashMap<>(GceProject.settings());
        settings.put("endpoint", cloud.endpoint().toString());
        settings.putAll(more);
        return settings;
    }

    private Map<String, String> everything() {
        return Map.of(
                "helper",
                "projects/tidemark-tests/zones/europe-west3-a/instances/helper",
                "helperDevices",
                folder.toString(),
                "locations.2",
                "us-east1-b");
    }

    /** A disk of others, one of ours, a snapshot and the helper. */
    private FakeGce filled() {
        return filled(FakeGce.start());
    }

    private FakeGce filled(FakeGce cloud) {
        var disk = cloud.createDisk(GceProject.ZONE, "orders", 10, Map.of());
        cloud.createDisk(GceProject.ZONE, "tm-clone", 10, Map.of(GceNames.INSTALLATION, "tests"));
        cloud.createInstance("europe-west3-a", "helper", folder);
        var id = new SnapshotId(GceProject.volume(disk), new RecoveryPointId("rp-1"));
        cloud.createSnapshot(
                disk,
                GceNames.snapshotOf("tests", id),
                GceNames.labelsOf("tests", id, new GceLocation("europe-west3-a")));
        return cloud;
    }

    /** Lists come in pages, the first of which may be empty. */
    @Test
    void whatIsOnALaterPageIsAskedAboutToo() {
        try (var cloud = filled()) {
            cloud.faults(FaultScript.none()
                    .on("disks.aggregatedList", 2, Fault.EMPTY_PAGE)
                    .on("snapshots.list", 1, Fault.EMPTY_PAGE));

            assertThat(GceProviderFactory.rights(settings(cloud, everything())))
                    .extracting(HostRequirement::state)
                    .containsExactly(State.MET, State.MET, State.MET, State.MET, State.LIMITED);
        }
    }

    @Test
    void whatDoesNotAnswerLeavesTheOthersTold() throws Exception {
        try (var project = new GceProject(FakeGceSettings.defaults())) {
            filled(project.cloud());
            project.leaveGoogle();
            var settings = settings(project.cloud(), Map.of("helper", "this", "helperDevices", folder.toString()));

            var told = new GceRights(project.connection(), GceConfig.of("gce", settings), project.attempts()).check();

            assertThat(told)
                    .extracting(HostRequirement::state)
                    .containsExactly(State.MET, State.MET, State.MET, State.LACKING, State.LIMITED);
            assertThat(told.get(3).detail()).contains("name an instance in the setting helper");
            assertThat(permissions(told.getLast())).contains("compute.instances.attachDisk");
        }
    }

    private static List<String> permissions(HostRequirement told) {
        return Arrays.stream(told.detail().split("[,;: ]+"))
                .filter(each -> each.startsWith("compute."))
                .toList();
    }

    @Test
    void eachRightOfThePolicyIsAskedAboutOrNamedAsNotAsked() {
        try (var cloud = filled()) {
            var told = GceProviderFactory.rights(settings(cloud, everything()));

            assertThat(told)
                    .extracting(HostRequirement::state)
                    .containsExactly(State.MET, State.MET, State.MET, State.MET, State.LIMITED);
            var named =
                    told.stream().flatMap(each -> permissions(each).stream()).toList();
            var printed = GcePolicy.of("my-project")
                    .lines()
                    .filter(each -> each.startsWith("- "))
                    .map(each -> each.substring(2))
                    // It has listed.
                    .filter(each -> !List.of("compute.disks.list", "compute.snapshots.list")
                            .contains(each))
                    .toList();
            assertThat(named).containsExactlyInAnyOrderElementsOf(printed);
            assertThat(permissions(told.getLast()))
                    .doesNotContain(
                            "compute.instances.attachDisk",
                            "compute.disks.useReadOnly",
                            "compute.disks.startAsyncReplication");
            assertThat(cloud.violations()).isEmpty();
        }
    }

    @Test
    void whatIsOfNoUseOrNotThereIsNotAskedAbout() {
        try (var cloud = FakeGce.start()) {
            var told = GceProviderFactory.rights(settings(cloud, Map.of()));

            assertThat(told).extracting(HostRequirement::what).containsExactly(NOT_ASKED);
            assertThat(permissions(told.getFirst()))
                    .contains("compute.snapshots.delete", "compute.disks.createSnapshot")
                    .doesNotContain("compute.instances.attachDisk", "compute.disks.startAsyncReplication");
        }
    }

    @Test
    void rightThatIsMissingIsNamed() {
        try (var cloud = filled()) {
            var denied = List.of(
                    "compute.disks.createSnapshot",
                    "compute.disks.stopGroupAsyncReplication",
                    "compute.disks.useReadOnly",
                    "compute.snapshots.delete",
                    "compute.instances.detachDisk");
            denied.forEach(cloud::deny);

            var told = GceProviderFactory.rights(settings(cloud, everything()));
            var lacking =
                    told.stream().filter(each -> each.state() == State.LACKING).toList();
            assertThat(lacking).hasSize(4);
            assertThat(lacking.stream().flatMap(each -> permissions(each).stream()))
                    .containsExactlyInAnyOrderElementsOf(denied);
            assertThat(cloud.violations()).isEmpty();
            assertThat(cloud.snapshots()).hasSize(1);
        }
    }
}
