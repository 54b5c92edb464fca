package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.VolumeId;
import java.util.Optional;

/** Has a storage replicate a volume by itself, as Google's asynchronous replication of disks; and stops it for good. */
public final class ReplicateInStorage {
    private final Providers providers;
    private final Operations operations;

    ReplicateInStorage(Providers providers, Operations operations) {
        this.providers = providers;
        this.operations = operations;
    }

    /**
     * @throws ControlException Invalid where the volume's storage replicates nothing by itself
     * @throws ProviderException VolumeNotFound
     */
    public StorageReplication.Status of(VolumeId volume) throws ControlException, ProviderException {
        return storage(volume).replication(volume);
    }

    /** @param secondary of the same provider, in another region; made where there is none */
    public Operation start(VolumeId primary, VolumeId secondary, Intent intent)
            throws ControlException, ProviderException {
        var unused = of(primary);
        if (!secondary.provider().equals(primary.provider())) {
            throw new ControlException(new ControlError.Invalid(
                    "secondary",
                    secondary.toString(),
                    "is of another provider than " + primary,
                    "a volume of provider " + primary.provider()));
        }
        var request = Json.object()
                .put("volume", primary.toString())
                .put("action", StorageReplicationOperation.START)
                .put("secondary", secondary.toString());
        return operations.start(new Operations.Request(
                intent.operation(), StorageReplicationOperation.KIND, primary.toString(), request, Optional.empty()));
    }

    /**
     * @param newSecondaryAccepted that what a stop costs is known: it cannot go on, and a new secondary is needed
     * @throws ControlException Invalid, with what it costs, where that is not accepted; nothing was asked of the storage
     */
    public Operation stop(VolumeId volume, boolean wholeGroup, boolean newSecondaryAccepted, Intent intent)
            throws ControlException, ProviderException {
        var status = of(volume);
        if (!newSecondaryAccepted) {
            throw new ControlException(new ControlError.Invalid(
                    "newSecondaryAccepted", "false", "is not true, and " + status.costOfStop(), "true"));
        }
        var request = Json.object()
                .put("volume", volume.toString())
                .put("action", StorageReplicationOperation.STOP)
                .put("wholeGroup", wholeGroup);
        return operations.start(new Operations.Request(
                intent.operation(), StorageReplicationOperation.KIND, volume.toString(), request, Optional.empty()));
    }

    private StorageReplication storage(VolumeId volume) throws ControlException, ProviderException {
        var provider = providers.of(volume);
        return provider.ability(StorageReplication.class)
                .orElseThrow(
                        () -> new ControlException(
                                new ControlError.Invalid(
                                        "volumeId",
                                        volume.toString(),
                                        AbilityLack.of(provider, "is of a storage that does not replicate by itself"),
                                        "a volume of a storage that does, such as a disk of Google's; others are replicated by a link")));
    }
}
