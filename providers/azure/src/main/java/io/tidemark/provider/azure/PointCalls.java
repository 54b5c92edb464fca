package io.tidemark.provider.azure;

import com.azure.core.util.Context;
import com.azure.resourcemanager.compute.fluent.ComputeManagementClient;
import com.azure.resourcemanager.compute.fluent.models.DiskRestorePointInner;
import com.azure.resourcemanager.compute.fluent.models.RestorePointCollectionInner;
import com.azure.resourcemanager.compute.fluent.models.RestorePointInner;
import com.azure.resourcemanager.compute.fluent.models.VirtualMachineInner;
import com.azure.resourcemanager.compute.models.ApiEntityReference;
import com.azure.resourcemanager.compute.models.ConsistencyModeTypes;
import com.azure.resourcemanager.compute.models.DiskRestorePointAttributes;
import com.azure.resourcemanager.compute.models.ManagedDiskParameters;
import com.azure.resourcemanager.compute.models.RestorePointCollectionSourceProperties;
import com.azure.resourcemanager.compute.models.RestorePointCollectionUpdate;
import io.tidemark.provider.azure.Arm.Begun;
import io.tidemark.provider.azure.Arm.Page;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What we ask of machines and restore points, one call each, never repeated here. */
final class PointCalls {
    private final Arm arm;
    private final ComputeManagementClient compute;

    PointCalls(Arm arm) {
        this.arm = arm;
        compute = arm.clients().compute();
    }

    /**
     * A virtual machine.
     *
     * @param system the disk that it boots from, an id in lower case
     * @param data the others
     */
    record CloudMachine(String id, String size, Optional<String> system, List<String> data) {}

    /**
     * A restore point.
     *
     * @param disks ids of the disks' parts by the disks' ids, both in lower case
     */
    record CloudPoint(String state, String mode, Instant createdAt, Map<String, String> disks) {}

    Optional<CloudMachine> machine(String id) throws ProviderException {
        return arm.find(
                        "machine " + AzureNames.nameOf(id),
                        () -> compute.getVirtualMachines()
                                .getByResourceGroupWithResponse(
                                        AzureNames.groupOf(id), AzureNames.nameOf(id), null, Context.NONE))
                .map(told -> machine(id, told));
    }

    private static CloudMachine machine(String id, VirtualMachineInner told) {
        var storage = told.storageProfile();
        var size = told.hardwareProfile() == null
                ? ""
                : String.valueOf(told.hardwareProfile().vmSize());
        var data = new ArrayList<String>();
        if (storage == null) {
            return new CloudMachine(id, size, Optional.empty(), data);
        }
        if (storage.dataDisks() != null) {
            storage.dataDisks().forEach(each -> disk(each.managedDisk()).ifPresent(data::add));
        }
        var system = storage.osDisk() == null
                ? Optional.<String>empty()
                : disk(storage.osDisk().managedDisk());
        return new CloudMachine(id, size, system, data);
    }

    private static Optional<String> disk(@Nullable ManagedDiskParameters disk) {
        return disk == null || disk.id() == null ? Optional.empty() : Optional.of(AzureNames.lower(disk.id()));
    }

    /** @param group empty: of the whole subscription */
    Page<CloudCollection> collections(Optional<String> group, Optional<String> next) throws ProviderException {
        var client = compute.getRestorePointCollections();
        var page = arm.page(
                "a list of restore points",
                () -> group.map(each -> client.listByResourceGroup(each, Context.NONE))
                        .orElseGet(() -> client.list(Context.NONE)),
                next);
        return new Page<>(page.items().stream().map(PointCalls::collection).toList(), page.next());
    }

    Optional<CloudCollection> collection(String group, String name) throws ProviderException {
        return arm.find(
                        "restore points " + name,
                        () -> compute.getRestorePointCollections()
                                .getByResourceGroupWithResponse(group, name, null, Context.NONE))
                .map(PointCalls::collection);
    }

    private static CloudCollection collection(RestorePointCollectionInner told) {
        return new CloudCollection(
                AzureNames.lower(String.valueOf(told.id())),
                told.source() == null
                        ? ""
                        : AzureNames.lower(String.valueOf(told.source().id())),
                told.tags() == null ? Map.of() : told.tags());
    }

    /** Asked for again with the same name and machine it is the one that there is, with these tags. */
    void createCollection(CloudCollection wanted, String location) throws ProviderException {
        var asked = new RestorePointCollectionInner()
                .withLocation(location)
                .withTags(new HashMap<>(wanted.tags()))
                .withSource(new RestorePointCollectionSourceProperties().withId(wanted.machine()));
        arm.requireCredentials("restore points " + wanted.name());
        var unused = arm.ask(
                "restore points " + wanted.name(),
                () -> compute.getRestorePointCollections()
                        .createOrUpdateWithResponse(wanted.group(), wanted.name(), asked, Context.NONE));
    }

    /** In place of all the tags that it has. */
    void tagCollection(CloudCollection changed) throws ProviderException {
        var unused = arm.ask(
                "tags of restore points " + changed.name(),
                () -> compute.getRestorePointCollections()
                        .updateWithResponse(
                                changed.group(),
                                changed.name(),
                                new RestorePointCollectionUpdate().withTags(new HashMap<>(changed.tags())),
                                Context.NONE));
    }

    /** With its restore points. */
    Begun deleteCollection(String group, String name) throws ProviderException {
        return arm.begin(
                "deletion of restore points " + name,
                () -> compute.getRestorePointCollections().deleteWithResponseAsync(group, name));
    }

    /** Crash-consistent; where there is one of that name already, nothing is done. */
    void createPoint(CloudCollection in, List<String> excluded) throws ProviderException {
        var asked = new RestorePointInner()
                .withConsistencyMode(ConsistencyModeTypes.CRASH_CONSISTENT)
                .withExcludeDisks(excluded.stream()
                        .map(each -> new ApiEntityReference().withId(each))
                        .toList());
        try {
            var unused = arm.begin(
                    "restore point " + in.name(),
                    () -> compute.getRestorePoints()
                            .createWithResponseAsync(in.group(), in.name(), CloudCollection.POINT, asked));
        } catch (ProviderException e) {
            boolean exists = e.error() instanceof ProviderError.Conflict conflict
                    && conflict.reason().startsWith("RestorePointAlreadyExists");
            if (!exists) {
                throw e;
            }
        }
    }

    Optional<CloudPoint> point(CloudCollection in) throws ProviderException {
        return arm.find(
                        "restore point " + in.name(),
                        () -> compute.getRestorePoints()
                                .getWithResponse(in.group(), in.name(), CloudCollection.POINT, null, Context.NONE))
                .map(PointCalls::point);
    }

    private static CloudPoint point(RestorePointInner told) {
        var disks = new LinkedHashMap<String, String>();
        var metadata = told.sourceMetadata();
        var storage = metadata == null ? null : metadata.storageProfile();
        if (storage != null && storage.osDisk() != null) {
            put(disks, storage.osDisk().managedDisk(), storage.osDisk().diskRestorePoint());
        }
        if (storage != null && storage.dataDisks() != null) {
            storage.dataDisks().forEach(each -> put(disks, each.managedDisk(), each.diskRestorePoint()));
        }
        return new CloudPoint(
                String.valueOf(told.provisioningState()),
                String.valueOf(told.consistencyMode()),
                DiskCalls.instant(told.timeCreated()),
                disks);
    }

    private static void put(
            Map<String, String> disks,
            @Nullable ManagedDiskParameters disk,
            @Nullable DiskRestorePointAttributes part) {
        if (part != null && part.id() != null) {
            disk(disk).ifPresent(each -> disks.put(each, AzureNames.lower(part.id())));
        }
    }

    /** One disk's part, as a snapshot. */
    Optional<CloudSnapshot> part(String id, Snapshotted of) throws ProviderException {
        var name = PointName.of(id)
                .orElseThrow(() -> new ProviderException(
                        new ProviderError.Unexpected("a restore point", "a disk's part called " + id)));
        return arm.find(
                        "restore point of " + name.disk(),
                        () -> compute.getDiskRestorePoints()
                                .getWithResponse(
                                        name.group(), name.collection(), name.point(), name.disk(), Context.NONE))
                .map(told -> part(id, of, told));
    }

    /** What a part itself does not tell. */
    record Snapshotted(long sizeBytes, String location, Map<String, String> tags) {}

    private static CloudSnapshot part(String id, Snapshotted of, DiskRestorePointInner told) {
        return new CloudSnapshot(
                id,
                of.location(),
                of.sizeBytes(),
                CloudSnapshot.SUCCEEDED,
                told.completionPercent() == null ? 1 : Math.min(1, told.completionPercent() / 100.0),
                Optional.empty(),
                false,
                AzureNames.lower(String.valueOf(told.sourceResourceId())),
                told.familyId() == null ? "" : told.familyId(),
                NetworkRule.of(told.networkAccessPolicy(), told.publicNetworkAccess(), told.diskAccessId()),
                DiskCalls.instant(told.timeCreated()),
                of.tags());
    }
}
