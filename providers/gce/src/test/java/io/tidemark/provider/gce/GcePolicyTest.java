package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.gce.FakeGceSettings;
import io.tidemark.provider.fakecloud.gce.GcePermissions;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That the policy grants what is asked for, no less and no more, is seen by asking for everything there is. */
class GcePolicyTest {
    @TempDir
    Path folder;

    @Test
    void whatIsGrantedIsWhatIsAskedFor() throws Exception {
        var granted = new TreeSet<String>();
        new GceProviderFactory()
                .policy(Map.of("project", "my-project"))
                .orElseThrow()
                .lines()
                .filter(each -> each.startsWith("- "))
                .forEach(each -> granted.add(each.substring(2)));

        var needed = new TreeSet<String>();
        try (var project = new GceProject(FakeGceSettings.defaults().operations(Duration.ofSeconds(20)))) {
            live(project);
            read(project);
            replicate(project);
            project.cloud().calls().keySet().forEach(each -> needed.addAll(GcePermissions.of(each)));
            project.everyCallIsChecked();
        }
        assertThat(granted).isEqualTo(needed);
    }

    private static void replicate(GceProject project) throws Exception {
        var settings = new HashMap<>(GceProject.settings());
        settings.put("locations.2", "us-east1-b");
        settings.put("locations.3", "us-east1");
        var provider = project.open(GceConfig.of("gce", settings), new AtomicBoolean());
        var places = Map.of(GceProject.ZONE, "us-east1-b", GceProject.REGION, "us-east1");
        for (String from : places.keySet()) {
            boolean wholeGroup = from.equals(GceProject.ZONE);
            var primary = project.cloud().createDisk(from, "replicated-" + wholeGroup, 10, Map.of());
            project.cloud().createConsistencyGroup("europe-west3", "group-" + wholeGroup, List.of(primary));
            project.cloud().clock().advance(Duration.ofMinutes(1));
            var volume = GceProject.volume(primary);
            Step<?> step =
                    provider.startReplication(volume, VolumeId.of("gce", places.get(from) + "/copy-" + wholeGroup));
            while (step instanceof Step.Running<?> running) {
                project.cloud().clock().advance(running.askAgainAfter());
                step = provider.resume(running.handle());
            }
            provider.stopReplication(volume, wholeGroup, true);
        }
    }

    private void read(GceProject project) throws Exception {
        var one = project.disk("read");
        project.cloud().createInstance("europe-west3-a", "helper", folder);
        var settings = new HashMap<>(GceProject.settings());
        settings.put("helper", "projects/tidemark-tests/zones/europe-west3-a/instances/helper");
        settings.put("helperDevices", folder.toString());
        settings.put("snapshotType", "archive");
        var provider = project.open(GceConfig.of("gce", settings), new AtomicBoolean());
        var point = new RecoveryPointId("rp-3");
        provider.cut(new CutRequest(point, List.of(GceProject.volume(one))));
        try (var reader = provider.read(new SnapshotId(GceProject.volume(one), point))) {
            reader.read(0, ByteBuffer.allocate(1));
        }
    }

    /** A disk's life, and that of two together, with all that can be asked of them. */
    private static void live(GceProject project) throws Exception {
        var provider = project.open();
        var one = project.disk("data");
        var two = project.disk("log");
        project.cloud().createConsistencyGroup("europe-west3", "both", List.of(one, two));
        var both = List.of(GceProject.volume(one), GceProject.volume(two));
        provider.volumes();
        provider.cut(new CutRequest(new RecoveryPointId("rp-1"), both));
        provider.snapshots(SnapshotQuery.everything());
        provider.snapshots(SnapshotQuery.everything());
        provider.cut(new CutRequest(new RecoveryPointId("rp-2"), List.of(both.getFirst())));
        var id = new SnapshotId(both.getFirst(), new RecoveryPointId("rp-2"));
        provider.hold(id, new HoldOwner("link-1"));
        provider.release(id, new HoldOwner("link-1"));
        var copy = VolumeId.of("gce", "europe-west3-a/copy");
        var begun = (Step.Running<?>) provider.clone(new CloneRequest(id, copy));
        project.cloud().clock().advance(Duration.ofSeconds(20));
        provider.resume(begun.handle());
        provider.remove(copy);
        var deleting = provider.delete(id);
        if (deleting instanceof Step.Running<?> running) {
            provider.resume(running.handle());
        }
    }
}
