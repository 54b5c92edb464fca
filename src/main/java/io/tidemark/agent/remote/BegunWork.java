package io.tidemark.agent.remote;

import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Long work that a controller had begun here, by its id, over the loss of the connection and restarts of both. Whether
 * it was begun is written down before it is, and what it came to before that is told.
 */
public final class BegunWork {
    private static final Logger LOG = LoggerFactory.getLogger(BegunWork.class);
    /** A provider's methods never block for minutes; under the controller's own patience with a call. */
    private static final Duration JOIN_LIMIT = Duration.ofSeconds(80);

    private final BegunFiles files;
    private final ConcurrentHashMap<String, CompletableFuture<Step<Volume>>> asking = new ConcurrentHashMap<>();

    private BegunWork(BegunFiles files) {
        this.files = files;
    }

    /**
     * What is known in that state folder.
     *
     * @throws IOException when it cannot be read
     */
    public static BegunWork in(Path stateFolder) throws IOException {
        return new BegunWork(BegunFiles.in(stateFolder));
    }

    /** Begins it at the storage. */
    @FunctionalInterface
    interface Begin {
        Step<Volume> begin() throws ProviderException;
    }

    /**
     * Begins it or goes on with it. Who asks while the same is being asked is answered the same.
     *
     * @throws ProviderException what the storage says: then it counts as not begun. Conflict where the id is of other
     *     work, or where this agent ended while it began what must not be done twice; Unexpected where it cannot be
     *     written down: then it is not begun
     */
    Step<Volume> once(String work, AgentCommand.Lasting what, StorageProvider provider, Begin begin)
            throws ProviderException {
        BegunFiles.checkId(work);
        var mine = new CompletableFuture<Step<Volume>>();
        var other = asking.putIfAbsent(work, mine);
        if (other != null) {
            return joined(work, other);
        }
        try {
            var step = answered(work, what, provider, begin);
            mine.complete(step);
            return step;
        } catch (ProviderException | RuntimeException e) {
            mine.completeExceptionally(e);
            throw e;
        } finally {
            asking.remove(work, mine);
        }
    }

    private static Step<Volume> joined(String work, CompletableFuture<Step<Volume>> other) throws ProviderException {
        try {
            return other.get(JOIN_LIMIT.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ProviderException failure) {
                throw failure;
            }
            throw new IllegalStateException("work %s has failed".formatted(work), e.getCause());
        } catch (TimeoutException e) {
            throw new ProviderException(new ProviderError.Busy(
                    "work " + work,
                    "its beginning, for %d s".formatted(JOIN_LIMIT.toSeconds()),
                    Duration.ofSeconds(5)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProviderException(new ProviderError.Unexpected(work, "waiting was interrupted"), e);
        }
    }

    private Step<Volume> answered(String work, AgentCommand.Lasting what, StorageProvider provider, Begin begin)
            throws ProviderException {
        var asked = AgentJson.text(AgentJson.tree(what));
        var known = files.find(work);
        if (known.isPresent() && !known.get().what().equals(asked)) {
            throw new ProviderException(new ProviderError.Conflict(
                    "work " + work, "it was begun as %s".formatted(known.get().what())));
        }
        if (known.isPresent() && known.get().done()) {
            return new Step.Done<>(provider.volume(what.volume()));
        }
        if (known.isPresent() && known.get().handle().isPresent()) {
            var handle = known.get().handle().orElseThrow();
            return resumed(work, asked, provider, handle);
        }
        if (known.isPresent() && what.overwrites()) {
            throw new ProviderException(
                    new ProviderError.Conflict(
                            what.volume().value(),
                            "the agent ended while it began to overwrite it: whether that was done is not known; look at what the volume holds, and ask anew where it is not what was wanted"));
        }
        files.write(work, new BegunFiles.Known(asked, false, Optional.empty()));
        try {
            return told(work, asked, begin.begin());
        } catch (ProviderException e) {
            files.remove(work);
            throw e;
        }
    }

    private Step<Volume> resumed(String work, String asked, StorageProvider provider, Handle handle)
            throws ProviderException {
        try {
            var step = volume(provider.resume(handle));
            boolean known = step instanceof Step.Running<Volume> running
                    && running.handle().equals(handle);
            return known ? step : told(work, asked, step);
        } catch (ProviderException e) {
            boolean goesOn = e.error() instanceof ProviderError.Unreachable || e.error() instanceof ProviderError.Busy;
            if (!goesOn) {
                files.remove(work);
            }
            throw e;
        }
    }

    /** What a provider's resume answers is of the type of the call that gave the handle. */
    private static Step<Volume> volume(Step<?> step) {
        return switch (step) {
            case Step.Done<?>(var result) -> new Step.Done<>((Volume) result);
            case Step.Running<?>(var handle, var progress, var again) -> new Step.Running<>(handle, progress, again);
        };
    }

    /** Written down before it is told: who is told goes on, and may let others write. */
    private Step<Volume> told(String work, String asked, Step<Volume> step) {
        Optional<Handle> handle =
                step instanceof Step.Running<Volume> running ? Optional.of(running.handle()) : Optional.empty();
        try {
            files.write(work, new BegunFiles.Known(asked, handle.isEmpty(), handle));
        } catch (ProviderException e) {
            // It was done, or is: not as a failure of the storage, which would mean that it was not.
            throw new IllegalStateException("work %s was begun and could not be written down".formatted(work), e);
        }
        if (handle.isEmpty()) {
            LOG.info("agent.work_done work={} what={}", work, asked);
        }
        return step;
    }
}
