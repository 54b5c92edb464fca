package io.tidemark.provider.lvm;

import io.tidemark.provider.devices.OpenDevices;
import io.tidemark.provider.devices.Storage;
import io.tidemark.provider.lvm.LvmCatalog.Entry;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** In what thin volumes and classic ones differ, beside being cut. */
interface VolumeKind {
    Set<Capability> capabilities();

    /** What is told of a volume beside its group and its name. */
    Map<String, String> facts(LogicalVolume volume);

    /** Makes a snapshot readable. */
    OpenDevices.Activation activation(LogicalVolume snapshot);

    /** What a volume that is written lies on. */
    Storage storage(LvmCatalog catalog, LogicalVolume volume) throws ProviderException;

    ChangedRanges changed(LvmCatalog catalog, Entry<SnapshotId> older, Entry<SnapshotId> newer)
            throws ProviderException;

    ChangedRanges allocated(LvmCatalog catalog, Entry<SnapshotId> snapshot) throws ProviderException;

    /** For people: how the volumes, all of this kind, would be cut, and how much room there is. */
    List<String> notes(LvmCatalog catalog, List<VolumeId> volumes) throws ProviderException;
}
