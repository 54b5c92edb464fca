package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.util.Optional;

/** Starts a snapshot of one volume as it is; nothing is frozen. */
public final class TakeSnapshot {
    private final Providers providers;
    private final Operations operations;

    TakeSnapshot(Providers providers, Operations operations) {
        this.providers = providers;
        this.operations = operations;
    }

    /** @throws ProviderException VolumeNotFound */
    public Operation start(VolumeId volume, Intent intent) throws ControlException, ProviderException {
        providers.of(volume).volume(volume);
        var request = Json.object()
                .put("volume", volume.value())
                .put("recoveryPoint", intent.recoveryPoint().value());
        return operations.start(new Operations.Request(
                intent.operation(),
                SnapshotOperation.KIND,
                volume.value(),
                request,
                Optional.of(intent.recoveryPoint())));
    }
}
