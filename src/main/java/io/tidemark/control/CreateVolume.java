package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;

/** Makes a volume that reads as zeros. */
public final class CreateVolume {
    private final Providers providers;

    CreateVolume(Providers providers) {
        this.providers = providers;
    }

    /** @throws ProviderException VolumeExists, OutOfSpace; VolumeNotFound when no such provider is configured */
    public Volume create(VolumeId id, long sizeBytes, Intent intent) throws ProviderException {
        var provider = providers.of(id);
        if (!intent.repeated() && exists(id)) {
            throw new ProviderException(new ProviderError.VolumeExists(id));
        }
        return provider.create(id, sizeBytes);
    }

    private boolean exists(VolumeId id) throws ProviderException {
        try {
            providers.of(id).volume(id);
            return true;
        } catch (ProviderException failure) {
            if (failure.error() instanceof ProviderError.VolumeNotFound) {
                return false;
            }
            throw failure;
        }
    }
}
