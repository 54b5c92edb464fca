package io.tidemark.provider.gce;

import com.google.api.gax.rpc.ApiException;
import com.google.api.gax.rpc.UnaryCallable;
import com.google.cloud.compute.v1.AggregatedListDisksRequest;
import com.google.cloud.compute.v1.DeleteDiskRequest;
import com.google.cloud.compute.v1.DeleteRegionDiskRequest;
import com.google.cloud.compute.v1.DeleteSnapshotRequest;
import com.google.cloud.compute.v1.Disk;
import com.google.cloud.compute.v1.GetDiskRequest;
import com.google.cloud.compute.v1.GetGlobalOperationRequest;
import com.google.cloud.compute.v1.GetRegionDiskRequest;
import com.google.cloud.compute.v1.GetRegionOperationRequest;
import com.google.cloud.compute.v1.GetResourcePolicyRequest;
import com.google.cloud.compute.v1.GetSnapshotRequest;
import com.google.cloud.compute.v1.GetZoneOperationRequest;
import com.google.cloud.compute.v1.GlobalSetLabelsRequest;
import com.google.cloud.compute.v1.InsertDiskRequest;
import com.google.cloud.compute.v1.InsertRegionDiskRequest;
import com.google.cloud.compute.v1.InsertSnapshotRequest;
import com.google.cloud.compute.v1.ListSnapshotsRequest;
import com.google.cloud.compute.v1.ResourcePolicy;
import com.google.cloud.compute.v1.SetLabelsSnapshotRequest;
import com.google.cloud.compute.v1.Snapshot;
import io.tidemark.provider.gce.GceFailures.Refusal;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Each call as Google has it, in our words; asked once. */
final class GceCalls {
    /** The most that Google gives (parameter maxResults). */
    static final int PAGE = 500;

    private final GceConnection connection;
    private final String project;

    GceCalls(GceConnection connection, String project) {
        this.connection = connection;
        this.project = project;
    }

    /** A page; no next one: it was the last. */
    record Page<T>(List<T> items, Optional<String> next) {}

    interface Refused<T> {
        /** What a refusal stands for; empty: an error. */
        Optional<T> of(Refusal refusal);
    }

    /** Asks; a refusal that stands for something is that. */
    static <Q, A, T> T ask(String asked, UnaryCallable<Q, A> call, Q request, Mapped<A, T> mapped, Refused<T> refused)
            throws ProviderException {
        try {
            return mapped.of(call.call(request));
        } catch (ApiException e) {
            Refusal refusal = GceFailures.of(e);
            Optional<T> meant = refused.of(refusal);
            if (meant.isPresent()) {
                return meant.get();
            }
            throw GceFailures.exception(asked, refusal);
        }
    }

    interface Mapped<A, T> {
        T of(A answer);
    }

    private GceClients clients(String asked) throws ProviderException {
        try {
            GceClients clients = connection.clients();
            clients.requireCredentials();
            return clients;
        } catch (IOException e) {
            throw GceFailures.withoutCredentials(asked, e);
        }
    }

    /** Empty: the token was refused. */
    Optional<Page<CloudSnapshot>> snapshots(String filter, Optional<String> token) throws ProviderException {
        var request = ListSnapshotsRequest.newBuilder()
                .setProject(project)
                .setMaxResults(PAGE)
                .setFilter(filter);
        token.ifPresent(request::setPageToken);
        return ask(
                "snapshots.list",
                clients("snapshots.list").snapshots().listCallable(),
                request.build(),
                answer -> Optional.of(new Page<>(
                        answer.getItemsList().stream().map(GceAnswers::snapshot).toList(),
                        Optional.of(answer.getNextPageToken()).filter(text -> !text.isEmpty()))),
                GceCalls::expired);
    }

    Optional<CloudSnapshot> snapshot(String name) throws ProviderException {
        String asked = "snapshots.get of " + name;
        var request = GetSnapshotRequest.newBuilder()
                .setProject(project)
                .setSnapshot(name)
                .build();
        return ask(
                asked,
                clients(asked).snapshots().getCallable(),
                request,
                answer -> Optional.of(GceAnswers.snapshot(answer)),
                GceCalls::absent);
    }

    private static <T> Optional<Optional<T>> absent(Refusal refusal) {
        return refusal.isNotFound() ? Optional.of(Optional.empty()) : Optional.empty();
    }

    private static <T> Optional<Optional<T>> expired(Refusal refusal) {
        return refusal.isExpiredPage() ? Optional.of(Optional.empty()) : Optional.empty();
    }

    private static <T> Optional<Optional<T>> there(Refusal refusal) {
        return refusal.isThere() ? Optional.of(Optional.empty()) : Optional.empty();
    }

    /** Empty: there is one of that name already. */
    Optional<CloudOperation> insertSnapshot(Snapshot wanted, UUID requestId) throws ProviderException {
        String asked = "snapshots.insert of " + wanted.getName();
        var request = InsertSnapshotRequest.newBuilder()
                .setProject(project)
                .setRequestId(requestId.toString())
                .setSnapshotResource(wanted)
                .build();
        return ask(
                asked,
                clients(asked).snapshots().insertCallable(),
                request,
                answer -> Optional.of(GceAnswers.operation(answer)),
                GceCalls::there);
    }

    /** Empty: there is none of that name. */
    Optional<CloudOperation> deleteSnapshot(String name) throws ProviderException {
        String asked = "snapshots.delete of " + name;
        var request = DeleteSnapshotRequest.newBuilder()
                .setProject(project)
                .setSnapshot(name)
                .setRequestId(UUID.randomUUID().toString())
                .build();
        return ask(
                asked,
                clients(asked).snapshots().deleteCallable(),
                request,
                answer -> Optional.of(GceAnswers.operation(answer)),
                GceCalls::absent);
    }

    /** Takes effect only where nobody has changed the labels since they were read; who asked looks again. */
    void setLabels(CloudSnapshot snapshot, Map<String, String> labels) throws ProviderException {
        String asked = "snapshots.setLabels of " + snapshot.name();
        var request = SetLabelsSnapshotRequest.newBuilder()
                .setProject(project)
                .setResource(snapshot.name())
                .setGlobalSetLabelsRequestResource(GlobalSetLabelsRequest.newBuilder()
                        .setLabelFingerprint(snapshot.labelFingerprint())
                        .putAllLabels(labels))
                .build();
        var unused = ask(
                asked,
                clients(asked).snapshots().setLabelsCallable(),
                request,
                answer -> true,
                refusal -> refusal.isStale() || refusal.isNotFound() ? Optional.of(false) : Optional.empty());
    }

    /** Empty: the token was refused. */
    Optional<Page<CloudDisk>> disks(String filter, Optional<String> token) throws ProviderException {
        var request =
                AggregatedListDisksRequest.newBuilder().setProject(project).setMaxResults(PAGE);
        if (!filter.isEmpty()) {
            request.setFilter(filter);
        }
        token.ifPresent(request::setPageToken);
        return ask(
                "disks.aggregatedList",
                clients("disks.aggregatedList").disks().aggregatedListCallable(),
                request.build(),
                answer -> {
                    var found = new ArrayList<CloudDisk>();
                    answer.getItemsMap()
                            .forEach((scope, list) -> GceLocation.ofScope(scope)
                                    .ifPresent(place -> list.getDisksList()
                                            .forEach(disk -> found.add(GceAnswers.disk(place, disk)))));
                    return Optional.of(new Page<>(
                            found, Optional.of(answer.getNextPageToken()).filter(text -> !text.isEmpty())));
                },
                GceCalls::expired);
    }

    Optional<CloudDisk> disk(GceLocation place, String name) throws ProviderException {
        String asked = "disks.get of %s/%s".formatted(place, name);
        Mapped<Disk, Optional<CloudDisk>> mapped = answer -> Optional.of(GceAnswers.disk(place, answer));
        if (place.isZone()) {
            var request = GetDiskRequest.newBuilder()
                    .setProject(project)
                    .setZone(place.name())
                    .setDisk(name)
                    .build();
            return ask(asked, clients(asked).disks().getCallable(), request, mapped, GceCalls::absent);
        }
        var request = GetRegionDiskRequest.newBuilder()
                .setProject(project)
                .setRegion(place.name())
                .setDisk(name)
                .build();
        return ask(asked, clients(asked).regionDisks().getCallable(), request, mapped, GceCalls::absent);
    }

    /** Empty: there is one of that name already. */
    Optional<CloudOperation> insertDisk(GceLocation place, Disk wanted, UUID requestId) throws ProviderException {
        String asked = "disks.insert of %s/%s".formatted(place, wanted.getName());
        Mapped<com.google.cloud.compute.v1.Operation, Optional<CloudOperation>> mapped =
                answer -> Optional.of(GceAnswers.operation(answer));
        if (place.isZone()) {
            var request = InsertDiskRequest.newBuilder()
                    .setProject(project)
                    .setZone(place.name())
                    .setRequestId(requestId.toString())
                    .setDiskResource(wanted)
                    .build();
            return ask(asked, clients(asked).disks().insertCallable(), request, mapped, GceCalls::there);
        }
        var request = InsertRegionDiskRequest.newBuilder()
                .setProject(project)
                .setRegion(place.name())
                .setRequestId(requestId.toString())
                .setDiskResource(wanted)
                .build();
        return ask(asked, clients(asked).regionDisks().insertCallable(), request, mapped, GceCalls::there);
    }

    /** Empty: there is none of that name. */
    Optional<CloudOperation> deleteDisk(GceLocation place, String name) throws ProviderException {
        String asked = "disks.delete of %s/%s".formatted(place, name);
        Mapped<com.google.cloud.compute.v1.Operation, Optional<CloudOperation>> mapped =
                answer -> Optional.of(GceAnswers.operation(answer));
        String requestId = UUID.randomUUID().toString();
        if (place.isZone()) {
            var request = DeleteDiskRequest.newBuilder()
                    .setProject(project)
                    .setZone(place.name())
                    .setDisk(name)
                    .setRequestId(requestId)
                    .build();
            return ask(asked, clients(asked).disks().deleteCallable(), request, mapped, GceCalls::absent);
        }
        var request = DeleteRegionDiskRequest.newBuilder()
                .setProject(project)
                .setRegion(place.name())
                .setDisk(name)
                .setRequestId(requestId)
                .build();
        return ask(asked, clients(asked).regionDisks().deleteCallable(), request, mapped, GceCalls::absent);
    }

    boolean isConsistencyGroup(String region, String policy) throws ProviderException {
        String asked = "resourcePolicies.get of " + policy;
        var request = GetResourcePolicyRequest.newBuilder()
                .setProject(project)
                .setRegion(region)
                .setResourcePolicy(policy)
                .build();
        return ask(
                asked,
                clients(asked).policies().getCallable(),
                request,
                ResourcePolicy::hasDiskConsistencyGroupPolicy,
                refusal -> refusal.isNotFound() ? Optional.of(false) : Optional.empty());
    }

    /** Of a snapshot: its operations are the project's. Empty: Google no longer knows it. */
    Optional<CloudOperation> operation(String name) throws ProviderException {
        String asked = "operations.get of " + name;
        var request = GetGlobalOperationRequest.newBuilder()
                .setProject(project)
                .setOperation(name)
                .build();
        return ask(
                asked,
                clients(asked).globalOperations().getCallable(),
                request,
                answer -> Optional.of(GceAnswers.operation(answer)),
                GceCalls::absent);
    }

    /** Of a disk, where the disk is. */
    Optional<CloudOperation> operation(GceLocation place, String name) throws ProviderException {
        String asked = "operations.get of " + name;
        Mapped<com.google.cloud.compute.v1.Operation, Optional<CloudOperation>> mapped =
                answer -> Optional.of(GceAnswers.operation(answer));
        if (place.isZone()) {
            var request = GetZoneOperationRequest.newBuilder()
                    .setProject(project)
                    .setZone(place.name())
                    .setOperation(name)
                    .build();
            return ask(asked, clients(asked).zoneOperations().getCallable(), request, mapped, GceCalls::absent);
        }
        var request = GetRegionOperationRequest.newBuilder()
                .setProject(project)
                .setRegion(place.name())
                .setOperation(name)
                .build();
        return ask(asked, clients(asked).regionOperations().getCallable(), request, mapped, GceCalls::absent);
    }
}
