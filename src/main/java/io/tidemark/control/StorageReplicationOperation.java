package io.tidemark.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.agent.Providers;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageReplication;
import io.tidemark.spi.StorageReplication.Status;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Starts or stops the replication that a storage does by itself, and follows that until it is so. The storage goes on
 * without us; asked again after a restart it tells how far it is. Cancelled, it stays as it is then.
 */
final class StorageReplicationOperation implements OperationKind {
    static final String KIND = "storage-replication";
    static final String START = "start";
    static final String STOP = "stop";

    /** For a start or a stop; the first copy, which may take days, is not waited for. */
    private static final Duration LIMIT = Duration.ofHours(6);
    /** A storage that cannot be asked meanwhile, without a break. */
    private static final Duration AWAY_MAXIMUM = Duration.ofHours(1);

    private static final Duration LOOK_MINIMUM = Duration.ofMillis(100);
    private static final Duration LOOK_MAXIMUM = Duration.ofSeconds(30);

    private final Providers providers;

    StorageReplicationOperation(Providers providers) {
        this.providers = providers;
    }

    @Override
    public String name() {
        return KIND;
    }

    private static VolumeId volume(ObjectNode request) {
        return new VolumeId(Json.text(request, "volume"));
    }

    /** Cuts go on meanwhile; only another start or stop does not. */
    @Override
    public List<Claim> claims(ObjectNode request) {
        return List.of(new Claim("storage replication of " + volume(request), true));
    }

    /** It waits for the storage alone. */
    @Override
    public String lane(ObjectNode request) {
        return KIND;
    }

    @Override
    public ObjectNode carryOut(ObjectNode request, Running running) throws Exception {
        var volume = volume(request);
        String action = Json.text(request, "action");
        Begin begin = action.equals(START)
                ? storage -> storage.startReplication(volume, new VolumeId(Json.text(request, "secondary")))
                : storage -> storage.stopReplication(
                        volume, request.path("wholeGroup").booleanValue(), true);
        Look look = handle -> looked(volume, begin, handle);
        try {
            var result = Json.object();
            var status = followed(look, action + " replication of " + volume, running);
            result.set("storageReplication", Documents.storageReplication(status));
            return result;
        } catch (ControlException e) {
            // What was asked for is the storage's to carry out: it is given up here alone.
            throw e.error() instanceof ControlError.Cancelled
                    ? new ControlException(new ControlError.LeftToStorage(volume, action))
                    : e;
        }
    }

    private interface Begin {
        Step<Status> at(StorageReplication storage) throws ProviderException;
    }

    /** Begins it, or with a handle asks how far it is. */
    private interface Look {
        Step<?> at(Optional<Handle> handle) throws ProviderException;
    }

    /** Of whoever is there now: an agent may have come back. */
    private Step<?> looked(VolumeId volume, Begin begin, Optional<Handle> handle) throws ProviderException {
        var provider = providers.of(volume);
        if (handle.isPresent()) {
            return provider.resume(handle.get());
        }
        return begin.at(provider.ability(StorageReplication.class)
                .orElseThrow(() -> new ProviderException(new ProviderError.Conflict(
                        volume.toString(), AbilityLack.of(provider, "its storage does not replicate by itself")))));
    }

    private static Status followed(Look look, String object, Running running) throws Exception {
        long endNanos = System.nanoTime() + LIMIT.toNanos();
        long answeredNanos = System.nanoTime();
        Optional<Handle> handle = Optional.empty();
        while (true) {
            var pause = LOOK_MAXIMUM;
            try {
                switch (look.at(handle)) {
                    case Step.Done<?>(var status) -> {
                        return (Status) status;
                    }
                    case Step.Running<?>(var next, var part, var askAgainAfter) -> {
                        handle = Optional.of(next);
                        pause = askAgainAfter;
                        answeredNanos = System.nanoTime();
                        running.progress(new Operation.Progress(object, Math.round(part * 100), 100, "percent"));
                    }
                }
            } catch (ProviderException e) {
                long now = System.nanoTime();
                // At the limit too it says more than the time that was spent.
                if (!e.error().retryable() || now - answeredNanos >= AWAY_MAXIMUM.toNanos() || now - endNanos >= 0) {
                    throw e;
                }
                pause = Waits.whileAway(e.error(), LOOK_MAXIMUM);
                running.progress(
                        new Operation.Progress("%s waits: %s".formatted(object, e.getMessage()), 0, 100, "percent"));
            }
            if (System.nanoTime() - endNanos >= 0) {
                throw new ControlException(new ControlError.StepTooLong(object, LIMIT));
            }
            Waits.pause(pause, LOOK_MINIMUM, LOOK_MAXIMUM, running);
        }
    }

    @Override
    public Resumption resume(Operation operation, ObjectNode request) {
        return new Resumption.Again();
    }
}
