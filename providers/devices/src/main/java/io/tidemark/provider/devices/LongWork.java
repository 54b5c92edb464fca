package io.tidemark.provider.devices;

import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * Work of one provider that may take minutes: each runs on a thread of its own under a token that says what it does, so that
 * whoever asks again joins it, and a process that comes after a crash starts it anew.
 */
public final class LongWork implements AutoCloseable {
    /** Work that is over within this answer at once; well under any caller's patience. */
    private static final Duration INLINE_LIMIT = Duration.ofSeconds(2);

    private static final Duration ASK_AGAIN_AFTER = Duration.ofMillis(500);

    /** Works at the same time; more would only slow each other down on one disk. */
    static final int RUNNING_MAXIMUM = 8;

    /** Time for interrupted work to let go of its files, before the provider is unlocked. */
    private static final Duration STOP_LIMIT = Duration.ofSeconds(10);

    /** Outcomes kept for who asks again by handle; the oldest goes first, and its work is then done again. */
    static final int KEPT_OUTCOMES_MAXIMUM = 256;

    /** Who asks. */
    public enum Asked {
        /** A fresh request: joins what runs, but is not answered by what ended before it was asked. */
        ANEW,
        /** By the handle of an earlier answer, whose outcome it wants. */
        AGAIN
    }

    /** The work itself, telling the bytes it has copied since it last told. */
    @FunctionalInterface
    public interface Work {
        Volume run(LongConsumer copied) throws ProviderException;
    }

    private static final class Running {
        final FutureTask<Volume> task;
        final Thread thread;
        final AtomicLong copiedBytes;
        final long totalBytes;

        Running(Work work, String name, long totalBytes) {
            this.totalBytes = Math.max(1, totalBytes);
            this.copiedBytes = new AtomicLong();
            this.task = new FutureTask<>(() -> work.run(copiedBytes::addAndGet));
            this.thread = Thread.ofPlatform().daemon().name(name).unstarted(task);
        }

        double progress() {
            return Math.min(1, (double) copiedBytes.get() / totalBytes);
        }
    }

    private final String provider;
    /** In order of their start. */
    private final Map<String, Running> running = new LinkedHashMap<>();

    /** @param provider whose work it is, as handles name it */
    public LongWork(String provider) {
        this.provider = provider;
    }

    /** Starts the work, or joins the same that runs already; its outcome is told once. */
    public Step<Volume> run(String token, Asked asked, long totalBytes, Work work) throws ProviderException {
        var one = joined(token, asked, totalBytes, work);
        try {
            var volume = one.task.get(INLINE_LIMIT.toNanos(), TimeUnit.NANOSECONDS);
            forget(token, one);
            return new Step.Done<>(volume);
        } catch (TimeoutException e) {
            return new Step.Running<>(new Handle(provider, token), one.progress(), ASK_AGAIN_AFTER);
        } catch (ExecutionException e) {
            forget(token, one);
            throw cause(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProviderException(new ProviderError.Unexpected(token, "waiting was interrupted"), e);
        }
    }

    /** Whether it runs, or has an outcome that nobody has been told. */
    public synchronized boolean known(String token) {
        return running.containsKey(token);
    }

    /** Whether it runs. */
    public synchronized boolean runs(String token) {
        var one = running.get(token);
        return one != null && !one.task.isDone();
    }

    private synchronized Running joined(String token, Asked asked, long totalBytes, Work work)
            throws ProviderException {
        var present = running.get(token);
        if (present != null && (asked == Asked.AGAIN || !present.task.isDone())) {
            return present;
        }
        long unfinished =
                running.values().stream().filter(one -> !one.task.isDone()).count();
        if (unfinished >= RUNNING_MAXIMUM) {
            throw new ProviderException(new ProviderError.Busy(
                    "provider " + provider, "%d works that run already".formatted(unfinished), ASK_AGAIN_AFTER));
        }
        running.remove(token);
        forgetOldest();
        var one = new Running(work, provider + " " + token, totalBytes);
        running.put(token, one);
        one.thread.start();
        return one;
    }

    private void forgetOldest() {
        var outcomes =
                running.values().stream().filter(one -> one.task.isDone()).toList();
        if (outcomes.size() >= KEPT_OUTCOMES_MAXIMUM) {
            running.values().remove(outcomes.getFirst());
        }
    }

    private synchronized void forget(String token, Running one) {
        running.remove(token, one);
    }

    private static ProviderException cause(ExecutionException e) {
        return switch (e.getCause()) {
            case ProviderException failure -> failure;
            case RuntimeException bug -> throw bug;
            case Error bug -> throw bug;
            case null, default -> throw new AssertionError(e);
        };
    }

    /** Interrupts what runs; what is half made is swept at the next start. */
    @Override
    public void close() {
        Map<String, Running> all;
        synchronized (this) {
            all = Map.copyOf(running);
        }
        all.values().forEach(one -> one.thread.interrupt());
        for (var one : all.values()) {
            try {
                one.thread.join(STOP_LIMIT);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
