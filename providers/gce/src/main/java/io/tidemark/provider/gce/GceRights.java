package io.tidemark.provider.gce;

import com.google.cloud.compute.v1.TestIamPermissionsDiskRequest;
import com.google.cloud.compute.v1.TestIamPermissionsInstanceRequest;
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
import java.util.Set;
import java.util.TreeSet;

/**
 * Asks Google which rights we have on what is seen: a disk, one that we have made, a snapshot of ours, the helper's
 * instance; changes nothing. What is left of the policy, such as rights to make things, which are the project's, and
 * which Google's compute API cannot be asked about, is named as not asked.
 */
final class GceRights {
    private static final List<String> ON_DISK =
            List.of("compute.disks.get", "compute.disks.createSnapshot", "compute.disks.setLabels");
    private static final List<String> ON_OWN_DISK = List.of("compute.disks.delete");
    private static final List<String> ON_READING_DISK = List.of("compute.disks.delete", "compute.disks.useReadOnly");
    private static final List<String> ON_SNAPSHOT = List.of(
            "compute.snapshots.get",
            "compute.snapshots.setLabels",
            "compute.snapshots.useReadOnly",
            "compute.snapshots.delete");
    private static final List<String> ON_HELPER =
            List.of("compute.instances.attachDisk", "compute.instances.detachDisk");
    /** Whoever lacks these is refused before anything else is asked. */
    private static final List<String> LISTS = List.of("compute.disks.list", "compute.snapshots.list");

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

    private interface Asked {
        /** Those of the needed ones that are granted. */
        List<String> granted(List<String> needed) throws ProviderException;
    }

    /** Rights that are needed on one thing; without it nothing can be asked. */
    private record On(String what, List<String> needed, Asked asked) {}

    List<HostRequirement> check() {
        try {
            var left = new TreeSet<>(needed());
            left.removeAll(LISTS);
            var found = new ArrayList<HostRequirement>();
            for (var each : seen()) {
                try {
                    found.add(of(each.what(), each.needed(), each.asked().granted(each.needed())));
                    left.removeAll(each.needed());
                } catch (ProviderException e) {
                    // The others are told all the same.
                    found.add(new HostRequirement(
                            each.what(), State.LACKING, e.error().message()));
                }
            }
            found.add(new HostRequirement(
                    "rights that are not asked about",
                    State.LIMITED,
                    "%s: they are the project's, or of what is not there yet or did not answer"
                            .formatted(String.join(", ", left))));
            return found;
        } catch (ProviderException e) {
            return List.of(
                    new HostRequirement("rights", State.LACKING, e.error().message()));
        }
    }

    /** Of the roles that the settings have a use for. */
    private Set<String> needed() {
        var needed = new TreeSet<String>(GcePolicy.ALWAYS);
        needed.addAll(GcePolicy.DELETION);
        if (config.helper().isPresent()) {
            needed.addAll(GcePolicy.OF_HELPER);
        }
        if (isReplicating()) {
            needed.addAll(GcePolicy.OF_REPLICATION);
        }
        return needed;
    }

    /** A secondary is in another region than its primary. */
    private boolean isReplicating() {
        return config.locations().stream().map(GceLocation::region).distinct().count() > 1;
    }

    private List<On> seen() throws ProviderException {
        var seen = new ArrayList<On>();
        var disks = new GceVolumes(calls, attempts, config).disks();
        if (!disks.isEmpty()) {
            var disk = disks.getFirst();
            var needed = new ArrayList<>(ON_DISK);
            if (isReplicating()) {
                needed.addAll(GcePolicy.OF_REPLICATION);
            }
            seen.add(new On("rights on disk " + disk.name(), needed, each -> onDisk(disk, each)));
        }
        String ours = "labels.%s = \"%s\"".formatted(GceNames.INSTALLATION, config.installation());
        // Deletion may be granted for such names alone.
        var own = GceLists.first(
                "disks.aggregatedList",
                token -> attempts.until(() -> calls.disks(ours, token)),
                each -> each.name().startsWith(GceNames.PREFIX));
        own.ifPresent(disk -> seen.add(new On(
                "rights on our disk " + disk.name(),
                config.helper().isPresent() ? ON_READING_DISK : ON_OWN_DISK,
                each -> onDisk(disk, each))));
        var snapshot = GceLists.first(
                "snapshots.list", token -> attempts.until(() -> calls.snapshots(ours, token)), each -> true);
        snapshot.ifPresent(each -> seen.add(
                new On("rights on snapshot " + each.name(), ON_SNAPSHOT, needed -> onSnapshot(each.name(), needed))));
        if (config.helper().isPresent()) {
            var named = config.helper().get().instance();
            seen.add(new On(
                    "rights on helper " + named.map(HelperInstance::name).orElse("this instance"),
                    ON_HELPER,
                    needed ->
                            onHelper(named.isPresent() ? named.get() : new MetadataServer(connection).self(), needed)));
        }
        return seen;
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

    private List<String> onDisk(CloudDisk disk, List<String> needed) throws ProviderException {
        String asked = "testIamPermissions of %s/%s".formatted(disk.location(), disk.name());
        var permissions = TestPermissionsRequest.newBuilder().addAllPermissions(needed);
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

    private List<String> onSnapshot(String name, List<String> needed) throws ProviderException {
        String asked = "testIamPermissions of snapshot " + name;
        var request = TestIamPermissionsSnapshotRequest.newBuilder()
                .setProject(config.project())
                .setResource(name)
                .setTestPermissionsRequestResource(
                        TestPermissionsRequest.newBuilder().addAllPermissions(needed))
                .build();
        var call = clients(asked).snapshots().testIamPermissionsCallable();
        return attempts.until(() -> GceCalls.ask(asked, call, request, GceRights::told, refusal -> Optional.empty()));
    }

    private List<String> onHelper(HelperInstance helper, List<String> needed) throws ProviderException {
        String asked = "testIamPermissions of instance " + helper.name();
        var request = TestIamPermissionsInstanceRequest.newBuilder()
                .setProject(helper.project())
                .setZone(helper.zone().name())
                .setResource(helper.name())
                .setTestPermissionsRequestResource(
                        TestPermissionsRequest.newBuilder().addAllPermissions(needed))
                .build();
        var call = clients(asked).instances().testIamPermissionsCallable();
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
