package io.tidemark.http;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The only crossing from the event loop to threads that may wait: one virtual thread a request, a limit on how many act
 * at once, a limit on how many wait for that.
 */
final class Blocking implements AutoCloseable {
    /** Storage commands and SQL at once for requests; operations have their own limit. */
    private static final int ACTING_MAXIMUM = 32;
    /** A waiting request is a parked virtual thread with its body: this many bodies of 1 MiB fit in memory. */
    static final int WAITING_MAXIMUM = 256;

    private final ExecutorService threads = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("request-", 0).factory());
    private final Semaphore acting = new Semaphore(ACTING_MAXIMUM, true);
    private final AtomicInteger waiting = new AtomicInteger();

    /** Must be called on an event loop; the future completes there. */
    <T> Future<T> call(Callable<T> work) {
        Context context = Vertx.currentContext();
        Promise<T> promise = Promise.promise();
        if (waiting.incrementAndGet() > WAITING_MAXIMUM) {
            waiting.decrementAndGet();
            return Future.failedFuture(new ProblemException(Problems.overloaded(WAITING_MAXIMUM)));
        }
        threads.execute(() -> run(context, promise, work));
        return promise.future();
    }

    private <T> void run(Context context, Promise<T> promise, Callable<T> work) {
        try {
            try {
                acting.acquire();
            } finally {
                waiting.decrementAndGet();
            }
            T result;
            try {
                result = work.call();
            } finally {
                acting.release();
            }
            context.runOnContext(ignored -> promise.complete(result));
        } catch (Throwable failure) {
            context.runOnContext(ignored -> promise.fail(failure));
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
