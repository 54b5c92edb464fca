package io.tidemark.agent.remote;

import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
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
 * it was begun is written down before it is, and what it came to before that is told. What overwrites is begun once: no
 * failure that may have come after its effect is forgotten, and a process does not go on with what another had begun.
 */
public final class BegunWork {
    private static final Logger LOG = LoggerFactory.getLogger(BegunWork.class);
    /** A provider's methods never block for minutes; under the controller's own patience with a call. */
    private static final Duration JOIN_LIMIT = Duration.ofSeconds(80);

    private final BegunFiles files;
    private final Duration joinLimit;
    private final ConcurrentHashMap<String, Asking> asking = new ConcurrentHashMap<>();
    /**
     * What this process has begun and not told the end of, as it is now: where that cannot be written down the file is
     * behind. As many as there are files of unfinished work.
     */
    private final ConcurrentHashMap<String, BegunFiles.Known> own = new ConcurrentHashMap<>();

    private record Asking(String what, CompletableFuture<Step<Volume>> answer) {}

    /** @param joinLimit how long who asks waits while the same is being asked */
    BegunWork(BegunFiles files, Duration joinLimit) {
        this.files = files;
        this.joinLimit = joinLimit;
    }

    /**
     * What is known in that state folder.
     *
     * @throws IOException when it cannot be read
     */
    public static BegunWork in(Path stateFolder) throws IOException {
        return new BegunWork(BegunFiles.in(stateFolder), JOIN_LIMIT);
    }

    /** Begins it at the storage. */
    @FunctionalInterface
    interface Begin {
        Step<Volume> begin() throws ProviderException;
    }

    /** What becomes of overwriting that another process of this agent has begun. */
    static ProviderError cutOff(VolumeId volume) {
        return new ProviderError.Conflict(
                volume.value(),
                "the agent ended while it overwrote it: whether that came to its end is not known; look at what the volume holds, and roll back anew where that is not what was wanted");
    }

    /**
     * Begins it or goes on with it. Who asks while the same is being asked is answered the same.
     *
     * @throws ProviderException what the storage says: what keeps then counts as not begun, and so does what overwrites
     *     where the error precedes every effect; another error of that is told to whoever asks again. Conflict where the id
     *     is of other work, where this agent ended since it began what must not be done twice, or where too much is
     *     unfinished; Unexpected where it cannot be written down: then it is not begun
     * @throws AskAgainException where it is begun and nothing is known of its end now
     */
    Step<Volume> once(String work, AgentCommand.Lasting what, StorageProvider provider, Begin begin)
            throws ProviderException, AskAgainException {
        BegunFiles.checkId(work);
        var asked = AgentJson.text(AgentJson.tree(what));
        var mine = new Asking(asked, new CompletableFuture<>());
        var other = asking.putIfAbsent(work, mine);
        if (other != null) {
            refuseOther(work, asked, other.what());
            return joined(work, other.answer());
        }
        try {
            var step = answered(work, asked, what, provider, begin);
            mine.answer().complete(step);
            return step;
        } catch (ProviderException | AskAgainException | RuntimeException e) {
            mine.answer().completeExceptionally(e);
            throw e;
        } finally {
            asking.remove(work, mine);
        }
    }

    private static void refuseOther(String work, String asked, String known) throws ProviderException {
        if (!known.equals(asked)) {
            throw new ProviderException(
                    new ProviderError.Conflict("work " + work, "it was begun as %s".formatted(known)));
        }
    }

    private Step<Volume> joined(String work, CompletableFuture<Step<Volume>> other)
            throws ProviderException, AskAgainException {
        try {
            return other.get(joinLimit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ProviderException failure) {
                throw failure;
            }
            if (e.getCause() instanceof AskAgainException again) {
                throw again;
            }
            throw new IllegalStateException("work %s has failed".formatted(work), e.getCause());
        } catch (TimeoutException e) {
            throw new AskAgainException(
                    "work %s is still beginning, for %d ms".formatted(work, joinLimit.toMillis()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AskAgainException("waiting for work %s was interrupted".formatted(work), e);
        }
    }

    private Step<Volume> answered(
            String work, String asked, AgentCommand.Lasting what, StorageProvider provider, Begin begin)
            throws ProviderException, AskAgainException {
        var mine = Optional.ofNullable(own.get(work));
        var found = mine.isPresent() ? mine : files.find(work);
        if (found.isEmpty()) {
            return begun(work, asked, what, begin);
        }
        var known = found.get();
        refuseOther(work, asked, known.what());
        if (known.failure().isPresent()) {
            throw new ProviderException(known.failure().get());
        }
        if (known.done()) {
            if (mine.isPresent()) {
                writeDown(work, known);
            }
            return new Step.Done<>(provider.volume(what.volume()));
        }
        if (what.overwrites() && mine.isEmpty()) {
            throw failed(work, asked, cutOff(what.volume()));
        }
        return known.handle().isPresent() ? resumed(work, known, what, provider) : begun(work, asked, what, begin);
    }

    private Step<Volume> begun(String work, String asked, AgentCommand.Lasting what, Begin begin)
            throws ProviderException, AskAgainException {
        var first = new BegunFiles.Known(asked, false, Optional.empty(), Optional.empty());
        files.write(work, first);
        own.put(work, first);
        Step<Volume> step;
        try {
            step = begin.begin();
        } catch (ProviderException e) {
            if (what.overwrites() && !precedesEffect(e.error())) {
                throw failed(work, asked, e.error());
            }
            own.remove(work);
            files.remove(work);
            throw e;
        } catch (RuntimeException e) {
            throw broken(work, asked, what, e);
        }
        return told(work, asked, step);
    }

    /** Whether nothing was changed where a provider answers the beginning so. */
    private static boolean precedesEffect(ProviderError error) {
        return switch (error) {
            case ProviderError.Busy _,
                    ProviderError.SnapshotNotFound _,
                    ProviderError.VolumeNotFound _,
                    ProviderError.Denied _,
                    ProviderError.OutOfSpace _ -> true;
            case ProviderError.VolumeExists _,
                    ProviderError.Held _,
                    ProviderError.Conflict _,
                    ProviderError.Corrupt _,
                    ProviderError.Unreachable _,
                    ProviderError.Unexpected _ -> false;
        };
    }

    private Step<Volume> resumed(
            String work, BegunFiles.Known known, AgentCommand.Lasting what, StorageProvider provider)
            throws ProviderException, AskAgainException {
        Step<Volume> step;
        try {
            step = volume(provider.resume(known.handle().orElseThrow()));
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.Unreachable || e.error() instanceof ProviderError.Busy) {
                throw new AskAgainException(
                        "how far work %s is cannot be asked now: %s".formatted(work, e.getMessage()), e);
            }
            if (what.overwrites()) {
                throw failed(work, known.what(), e.error());
            }
            own.remove(work);
            files.remove(work);
            throw e;
        } catch (RuntimeException e) {
            throw broken(work, known.what(), what, e);
        }
        boolean same = step instanceof Step.Running<Volume> running
                && Optional.of(running.handle()).equals(known.handle());
        return same ? step : told(work, known.what(), step);
    }

    /** What a provider's resume answers is of the type of the call that gave the handle. */
    private static Step<Volume> volume(Step<?> step) {
        return switch (step) {
            case Step.Done<?>(var result) -> new Step.Done<>((Volume) result);
            case Step.Running<?>(var handle, var progress, var again) -> new Step.Running<>(handle, progress, again);
        };
    }

    /** Written down before it is told: who is told goes on, and may let others write. */
    private Step<Volume> told(String work, String asked, Step<Volume> step) throws AskAgainException {
        Optional<Handle> handle =
                step instanceof Step.Running<Volume> running ? Optional.of(running.handle()) : Optional.empty();
        writeDown(work, new BegunFiles.Known(asked, handle.isEmpty(), handle, Optional.empty()));
        if (handle.isEmpty()) {
            LOG.info("agent.work_done work={} what={}", work, asked);
        }
        return step;
    }

    private void writeDown(String work, BegunFiles.Known known) throws AskAgainException {
        own.put(work, known);
        try {
            files.write(work, known);
        } catch (ProviderException e) {
            // It was done, or is: not as a failure of the storage, which would mean that it was not.
            throw new AskAgainException(
                    "work %s was begun and how far it is cannot be written down: %s".formatted(work, e.getMessage()),
                    e);
        }
        if (known.ended()) {
            own.remove(work);
        }
    }

    /** Ends it so, for whoever asks again too. */
    private ProviderException failed(String work, String asked, ProviderError error) {
        try {
            writeDown(work, new BegunFiles.Known(asked, false, Optional.empty(), Optional.of(error)));
        } catch (AskAgainException e) {
            // This process remembers it; the next one sees that it was begun, and does not begin it again.
            LOG.warn("agent.failure_not_written work={} reason=\"{}\"", work, e.getMessage());
        }
        LOG.warn("agent.work_failed work={} what={} reason=\"{}\"", work, asked, error.message());
        return new ProviderException(error);
    }

    /** A bug in a provider: how far it came is not known. */
    private RuntimeException broken(String work, String asked, AgentCommand.Lasting what, RuntimeException bug) {
        if (what.overwrites()) {
            LOG.warn("agent.provider_failed work={}", work, bug);
            var unused = failed(work, asked, new ProviderError.Unexpected("work " + work, bug.toString()));
        }
        return bug;
    }
}
