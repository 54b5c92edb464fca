package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;

/** Makes a volume that reads as zeros. */
public final class CreateVolume {
    private final Providers providers;

    CreateVolume(Providers providers) {
        this.providers = providers;
    }

    /**
     * @throws ControlException Invalid when no such provider is configured
     * @throws ProviderException VolumeExists, OutOfSpace
     */
    public Volume create(VolumeId id, long sizeBytes, Intent intent) throws ControlException, ProviderException {
        var configured = providers.all().stream().map(StorageProvider::name).toList();
        if (!configured.contains(id.provider())) {
            throw new ControlException(new ControlError.Invalid(
                    "id",
                    id.value(),
                    "is of provider %s, which this site does not have".formatted(id.provider()),
                    "a volume of one of %s, or configure providers.%s".formatted(configured, id.provider())));
        }
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
