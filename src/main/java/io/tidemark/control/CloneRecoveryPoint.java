package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.Optional;
import java.util.stream.Collectors;

/** Starts making a writable volume from one member of a recovery point. */
public final class CloneRecoveryPoint {
    private final Inventory inventory;
    private final Providers providers;
    private final Operations operations;

    CloneRecoveryPoint(Inventory inventory, Providers providers, Operations operations) {
        this.inventory = inventory;
        this.providers = providers;
        this.operations = operations;
    }

    /**
     * @param volume which member
     * @param name the new volume
     * @throws ProviderException VolumeExists when the new name is taken
     */
    public Operation start(RecoveryPointId id, VolumeId volume, VolumeId name, Intent intent)
            throws ControlException, ProviderException {
        var point = inventory.recoveryPoint(id);
        var snapshot = point.snapshotOf(volume)
                .orElseThrow(() -> new ControlException(new ControlError.Invalid(
                        "volume", volume.value(), "is no member of recovery point " + id, "one of " + members(point))));
        if (!name.provider().equals(snapshot.volume().provider())) {
            throw new ControlException(new ControlError.Invalid(
                    "name",
                    name.value(),
                    "is not of the member's provider",
                    snapshot.volume().provider() + ":..."));
        }
        if (!canClone(snapshot.volume())) {
            throw new ControlException(new ControlError.Unsupported(snapshot.volume(), Capability.CLONE));
        }
        if (!intent.repeated() && exists(name)) {
            throw new ProviderException(new ProviderError.VolumeExists(name));
        }
        var request = Json.object()
                .put("recoveryPoint", id.value())
                .put("volume", volume.value())
                .put("name", name.value());
        return operations.start(
                new Operations.Request(intent.operation(), CloneOperation.KIND, id.value(), request, Optional.empty()));
    }

    private static String members(RecoveryPoint point) {
        return point.members().stream().map(member -> member.volume().value()).collect(Collectors.joining(", "));
    }

    /** A volume that is gone says nothing; the storage itself will. */
    private boolean canClone(VolumeId volume) throws ProviderException {
        var found = providers.of(volume).volumes().stream()
                .filter(candidate -> candidate.id().equals(volume))
                .findFirst();
        return found.isEmpty() || found.orElseThrow().can(Capability.CLONE);
    }

    private boolean exists(VolumeId name) throws ProviderException {
        return providers.of(name).volumes().stream()
                .anyMatch(candidate -> candidate.id().equals(name));
    }
}
