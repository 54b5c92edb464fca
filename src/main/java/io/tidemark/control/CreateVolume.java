package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.agent.RemembersWork;
import io.tidemark.domain.Operation;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.Optional;

/** Makes a volume that reads as zeros: at once, or, where the storage has to write them, by an operation. */
public final class CreateVolume {
    private final Providers providers;
    private final Operations operations;

    CreateVolume(Providers providers, Operations operations) {
        this.providers = providers;
        this.operations = operations;
    }

    /** What has become of a request. */
    public sealed interface Outcome {
        record Made(Volume volume) implements Outcome {}

        /** It is not there yet; the operation ends when it is. */
        record Begun(Operation operation) implements Outcome {}
    }

    /**
     * @throws ControlException Invalid when no such provider is configured
     * @throws ProviderException VolumeExists, OutOfSpace; Unreachable where its agent is not connected
     */
    public Outcome create(VolumeId id, long sizeBytes, Intent intent) throws ControlException, ProviderException {
        var configured = providers.all().stream().map(StorageProvider::name).toList();
        if (id.agent().isEmpty() && !configured.contains(id.provider())) {
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
        var asked = provider instanceof RemembersWork agent
                ? agent.under(intent.operation().value()).orElse(provider)
                : provider;
        try {
            return switch (asked.startCreate(id, sizeBytes)) {
                case Step.Done<Volume>(var volume) -> new Outcome.Made(volume);
                case Step.Running<Volume> running -> begun(id, sizeBytes, intent);
            };
        } catch (ProviderException failure) {
            if (id.agent().isPresent() && failure.error() instanceof ProviderError.Unreachable) {
                // The agent was there: it may be making it, and the answer is lost.
                return begun(id, sizeBytes, intent);
            }
            throw failure;
        }
    }

    private Outcome.Begun begun(VolumeId id, long sizeBytes, Intent intent) throws ControlException {
        return new Outcome.Begun(operations.start(new Operations.Request(
                intent.operation(),
                CreateVolumeOperation.KIND,
                id.value(),
                CreateVolumeOperation.request(id, sizeBytes),
                Optional.empty())));
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
