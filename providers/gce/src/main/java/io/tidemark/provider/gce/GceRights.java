package io.tidemark.provider.gce;

import com.google.cloud.compute.v1.TestIamPermissionsDiskRequest;
import com.google.cloud.compute.v1.TestIamPermissionsRegionDiskRequest;
import com.google.cloud.compute.v1.TestIamPermissionsSnapshotRequest;
import com.google.cloud.compute.v1.TestPermissionsRequest;
import com.google.cloud.compute.v1.TestPermissionsResponse;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Asks Google which rights we have on the first disk and the first snapshot of ours that are seen; changes nothing.
 * Rights to make things are the project's, and Google's compute API cannot be asked about those.
 */
final class GceRights {
    private static final List<String> ON_DISK =
            List.of("compute.disks.get", "compute.disks.createSnapshot", "compute.disks.setLabels");
    private static final List<String> ON_SNAPSHOT = List.of(
            "compute.snapshots.get",
            "compute.snapshots.setLabels",
            "compute.snapshots.useReadOnly",
            "compute.snapshots.delete");

    private final GceConnection connection;
    private final GceConfig config;
    private final GceCalls calls;
    private final Attempts attempts;

    GceRights(GceConnection connection, GceConfig config, Attempts attempts) {
        this.connection = connection;
        this.config = config;
        this.attempts = attempts;
        this.calls = new GceCalls(connection, config.project());
    }

    List<HostRequirement> check() {
        try {
            var found = new ArrayList<HostRequirement>();
            var disks = new GceVolumes(calls, attempts, config).disks();
            found.add(
                    disks.isEmpty()
                            ? new HostRequirement("rights on disks", State.LIMITED, "no disk is seen to ask about")
                            : of("rights on disk " + disks.getFirst().name(), ON_DISK, onDisk(disks.getFirst())));
            String ours = "labels.%s = \"%s\"".formatted(GceNames.INSTALLATION, config.installation());
            var page = attempts.until(() -> calls.snapshots(ours, Optional.empty()));
            var snapshot = page.flatMap(each -> each.items().stream().findFirst());
            if (snapshot.isPresent()) {
                String name = snapshot.get().name();
                found.add(of("rights on snapshot " + name, ON_SNAPSHOT, onSnapshot(name)));
            } else {
                found.add(new HostRequirement(
                        "rights on snapshots", State.LIMITED, "none of ours is there to ask about"));
            }
            return found;
        } catch (ProviderException e) {
            return List.of(
                    new HostRequirement("rights", State.LACKING, e.error().message()));
        }
    }

    private static HostRequirement of(String what, List<String> needed, List<String> granted) {
        var lacking = needed.stream().filter(each -> !granted.contains(each)).toList();
        return lacking.isEmpty()
                ? new HostRequirement(what, State.MET, String.join(", ", needed))
                : new HostRequirement(
                        what,
                        State.LACKING,
                        "%s; \"tidemark providers policy gce\" prints what is needed"
                                .formatted(String.join(", ", lacking)));
    }

    private List<String> onDisk(CloudDisk disk) throws ProviderException {
        String asked = "testIamPermissions of %s/%s".formatted(disk.location(), disk.name());
        var permissions = TestPermissionsRequest.newBuilder().addAllPermissions(ON_DISK);
        if (disk.location().isZone()) {
            var request = TestIamPermissionsDiskRequest.newBuilder()
                    .setProject(config.project())
                    .setZone(disk.location().name())
                    .setResource(disk.name())
                    .setTestPermissionsRequestResource(permissions)
                    .build();
            var call = clients(asked).disks().testIamPermissionsCallable();
            return attempts.until(
                    () -> GceCalls.ask(asked, call, request, GceRights::told, refusal -> Optional.empty()));
        }
        var request = TestIamPermissionsRegionDiskRequest.newBuilder()
                .setProject(config.project())
                .setRegion(disk.location().name())
                .setResource(disk.name())
                .setTestPermissionsRequestResource(permissions)
                .build();
        var call = clients(asked).regionDisks().testIamPermissionsCallable();
        return attempts.until(() -> GceCalls.ask(asked, call, request, GceRights::told, refusal -> Optional.empty()));
    }

    private List<String> onSnapshot(String name) throws ProviderException {
        String asked = "testIamPermissions of snapshot " + name;
        var request = TestIamPermissionsSnapshotRequest.newBuilder()
                .setProject(config.project())
                .setResource(name)
                .setTestPermissionsRequestResource(
                        TestPermissionsRequest.newBuilder().addAllPermissions(ON_SNAPSHOT))
                .build();
        var call = clients(asked).snapshots().testIamPermissionsCallable();
        return attempts.until(() -> GceCalls.ask(asked, call, request, GceRights::told, refusal -> Optional.empty()));
    }

    private static List<String> told(TestPermissionsResponse answer) {
        return List.copyOf(answer.getPermissionsList());
    }

    private GceClients clients(String asked) throws ProviderException {
        try {
            var clients = connection.clients();
            clients.requireCredentials();
            return clients;
        } catch (IOException e) {
            throw GceFailures.withoutCredentials(asked, e);
        }
    }
}
