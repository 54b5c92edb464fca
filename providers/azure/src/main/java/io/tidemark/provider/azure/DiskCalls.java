package io.tidemark.provider.azure;

import com.azure.core.util.Context;
import com.azure.resourcemanager.compute.fluent.DisksClient;
import com.azure.resourcemanager.compute.fluent.SnapshotsClient;
import com.azure.resourcemanager.compute.fluent.models.DiskInner;
import com.azure.resourcemanager.compute.fluent.models.SnapshotInner;
import com.azure.resourcemanager.compute.models.CreationData;
import com.azure.resourcemanager.compute.models.DiskCreateOption;
import com.azure.resourcemanager.compute.models.DiskSku;
import com.azure.resourcemanager.compute.models.DiskStorageAccountTypes;
import com.azure.resourcemanager.compute.models.Encryption;
import com.azure.resourcemanager.compute.models.EncryptionType;
import com.azure.resourcemanager.compute.models.SnapshotUpdate;
import io.tidemark.provider.azure.Arm.Begun;
import io.tidemark.provider.azure.Arm.Page;
import io.tidemark.spi.ProviderException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What we ask of disks and snapshots, one call each, never repeated here. */
final class DiskCalls {
    private static final long GIB = 1L << 30;

    private final Arm arm;
    private final DisksClient disks;
    private final SnapshotsClient snapshots;
    private final String installation;

    /** @param installation whose tags are believed */
    DiskCalls(Arm arm, String installation) {
        this.arm = arm;
        this.installation = installation;
        disks = arm.clients().compute().getDisks();
        snapshots = arm.clients().compute().getSnapshots();
    }

    /** What was begun, and what it has come to so far. */
    record Made<T>(Begun begun, Optional<T> told) {}

    /** @param group empty: of the whole subscription */
    Page<CloudDisk> disks(Optional<String> group, Optional<String> next) throws ProviderException {
        var page = arm.page(
                "a list of disks",
                () -> group.map(each -> disks.listByResourceGroup(each, Context.NONE))
                        .orElseGet(() -> disks.list(Context.NONE)),
                next);
        return new Page<>(page.items().stream().map(this::disk).toList(), page.next());
    }

    Page<CloudSnapshot> snapshots(Optional<String> group, Optional<String> next) throws ProviderException {
        var page = arm.page(
                "a list of snapshots",
                () -> group.map(each -> snapshots.listByResourceGroup(each, Context.NONE))
                        .orElseGet(() -> snapshots.list(Context.NONE)),
                next);
        return new Page<>(page.items().stream().map(this::snapshot).toList(), page.next());
    }

    Optional<CloudDisk> disk(String group, String name) throws ProviderException {
        return arm.find("disk " + name, () -> disks.getByResourceGroupWithResponse(group, name, Context.NONE))
                .map(this::disk);
    }

    Optional<CloudSnapshot> snapshot(String group, String name) throws ProviderException {
        return arm.find("snapshot " + name, () -> snapshots.getByResourceGroupWithResponse(group, name, Context.NONE))
                .map(this::snapshot);
    }

    /** An incremental one; asked for again with the same name and source it is the one that there is. */
    Made<CloudSnapshot> createSnapshot(
            String group, String name, String location, String disk, Map<String, String> tags)
            throws ProviderException {
        return createSnapshot(
                new AzureNames.Place(group, name),
                new SnapshotInner()
                        .withLocation(location)
                        .withTags(new HashMap<>(tags))
                        .withCreationData(new CreationData()
                                .withCreateOption(DiskCreateOption.COPY)
                                .withSourceResourceId(disk)));
    }

    /**
     * Begun by Azure, and whole when it says so; asked for again with the same name and source it is the one that there
     * is.
     *
     * @param source a snapshot of another region
     * @param key a disk encryption set
     */
    Made<CloudSnapshot> copySnapshot(
            AzureNames.Place at, String location, String source, Optional<String> key, Map<String, String> tags)
            throws ProviderException {
        var asked = new SnapshotInner()
                .withLocation(location)
                .withTags(new HashMap<>(tags))
                .withCreationData(new CreationData()
                        .withCreateOption(DiskCreateOption.COPY_START)
                        .withSourceResourceId(source));
        key.ifPresent(set -> asked.withEncryption(new Encryption()
                .withDiskEncryptionSetId(set)
                .withType(EncryptionType.ENCRYPTION_AT_REST_WITH_CUSTOMER_KEY)));
        return createSnapshot(at, asked);
    }

    private Made<CloudSnapshot> createSnapshot(AzureNames.Place at, SnapshotInner asked) throws ProviderException {
        var begun = arm.begin(
                "snapshot %s of %s"
                        .formatted(
                                at.name(),
                                AzureNames.nameOf(asked.creationData().sourceResourceId())),
                () -> snapshots.createOrUpdateWithResponseAsync(at.group(), at.name(), asked.withIncremental(true)));
        return new Made<>(
                begun,
                isEmpty(begun)
                        ? Optional.empty()
                        : Optional.of(snapshot(Arm.parsed(begun.body().toBytes(), SnapshotInner::fromJson))));
    }

    /** In place of all the tags that it has. */
    void tagSnapshot(CloudSnapshot snapshot, Map<String, String> tags) throws ProviderException {
        var unused = arm.begin(
                "tags of snapshot " + snapshot.name(),
                () -> snapshots.updateWithResponseAsync(
                        snapshot.group(), snapshot.name(), new SnapshotUpdate().withTags(new HashMap<>(tags))));
    }

    Begun deleteSnapshot(String group, String name) throws ProviderException {
        return arm.begin("deletion of snapshot " + name, () -> snapshots.deleteWithResponseAsync(group, name));
    }

    /** @param restore whether the source is a disk's part of a restore point; else a snapshot */
    Made<CloudDisk> createDisk(CloudDisk wanted, String source, boolean restore) throws ProviderException {
        return createDisk(
                wanted,
                new CreationData()
                        .withCreateOption(restore ? DiskCreateOption.RESTORE : DiskCreateOption.COPY)
                        .withSourceResourceId(source),
                AzureNames.nameOf(source));
    }

    private Made<CloudDisk> createDisk(CloudDisk wanted, CreationData of, String source) throws ProviderException {
        var asked = new DiskInner()
                .withLocation(wanted.location())
                .withTags(new HashMap<>(wanted.tags()))
                .withSku(new DiskSku().withName(DiskStorageAccountTypes.fromString(wanted.sku())))
                .withCreationData(of);
        if (!wanted.zones().isEmpty()) {
            asked.withZones(wanted.zones());
        }
        var begun = arm.begin(
                "disk %s of %s".formatted(wanted.name(), source),
                () -> disks.createOrUpdateWithResponseAsync(wanted.group(), wanted.name(), asked));
        return new Made<>(
                begun,
                isEmpty(begun)
                        ? Optional.empty()
                        : Optional.of(disk(Arm.parsed(begun.body().toBytes(), DiskInner::fromJson))));
    }

    /** To be written through a signature, footer and all. */
    Made<CloudDisk> createUpload(CloudDisk wanted) throws ProviderException {
        return createDisk(
                wanted,
                new CreationData()
                        .withCreateOption(DiskCreateOption.UPLOAD)
                        .withUploadSizeBytes(wanted.sizeBytes() + VhdFooter.BYTES),
                "an upload");
    }

    Begun deleteDisk(String group, String name) throws ProviderException {
        return arm.begin("deletion of disk " + name, () -> disks.deleteWithResponseAsync(group, name));
    }

    private static boolean isEmpty(Begun begun) {
        return begun.body().toBytes().length == 0;
    }

    /**
     * Of what we uploaded the size that was asked for, which Azure rounds up to GiB; not of what was enlarged, nor of
     * what lacks our installation's tag, for anybody can tag a disk of his.
     */
    private long bytes(@Nullable Long bytes, @Nullable Integer gib, @Nullable Map<String, String> tags) {
        long told = bytes != null ? bytes : gib != null ? (long) gib << 30 : 0;
        var known = tags == null ? Map.<String, String>of() : tags;
        boolean isOurs = installation.equals(known.get(AzureNames.INSTALLATION));
        var wanted = isOurs ? known.getOrDefault(AzureNames.SIZE, "") : "";
        long size = wanted.matches("[0-9]{1,18}") ? Long.parseLong(wanted) : told;
        return size <= told && size > told - GIB ? size : told;
    }

    private CloudDisk disk(DiskInner told) {
        return new CloudDisk(
                AzureNames.lower(String.valueOf(told.id())),
                AzureNames.lower(String.valueOf(told.location())),
                bytes(told.diskSizeBytes(), told.diskSizeGB(), told.tags()),
                told.sku() == null ? "" : String.valueOf(told.sku().name()),
                String.valueOf(told.provisioningState()),
                String.valueOf(told.diskState()),
                Optional.ofNullable(told.managedBy()).filter(each -> !each.isEmpty()),
                told.zones() == null ? List.of() : told.zones(),
                told.tags() == null ? Map.of() : told.tags());
    }

    private CloudSnapshot snapshot(SnapshotInner told) {
        var error = told.copyCompletionError();
        boolean isCopy = told.creationData() != null
                && DiskCreateOption.COPY_START.equals(told.creationData().createOption());
        // Of a copy that does not tell it, nothing is known to be there.
        double unsaid = isCopy ? 0 : 1;
        return new CloudSnapshot(
                AzureNames.lower(String.valueOf(told.id())),
                AzureNames.lower(String.valueOf(told.location())),
                bytes(told.diskSizeBytes(), told.diskSizeGB(), told.tags()),
                String.valueOf(told.provisioningState()),
                told.completionPercent() == null ? unsaid : Math.min(1, told.completionPercent() / 100.0),
                error == null
                        ? Optional.empty()
                        : Optional.of("%s: %s".formatted(error.errorCode(), error.errorMessage())),
                isCopy,
                source(told.creationData()),
                told.incrementalSnapshotFamilyId() == null ? "" : told.incrementalSnapshotFamilyId(),
                NetworkRule.of(told.networkAccessPolicy(), told.publicNetworkAccess(), told.diskAccessId()),
                instant(told.timeCreated()),
                told.tags() == null ? Map.of() : told.tags());
    }

    private static String source(@Nullable CreationData data) {
        return data == null ? "" : AzureNames.lower(String.valueOf(data.sourceResourceId()));
    }

    static Instant instant(@Nullable OffsetDateTime time) {
        return time == null ? Instant.EPOCH : time.toInstant();
    }
}
