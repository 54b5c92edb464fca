package io.tidemark.live;

import io.tidemark.replication.live.Bytes;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** What has been asked of a copy and not been answered, by number. Guarded by the copy's lock but for what is static. */
final class Requests {
    private final Map<Long, Waiting> waiting = new HashMap<>();
    private final LinkedHashSet<Runnable> toTell = new LinkedHashSet<>();
    private long last;

    /** Whoever waits for an answer; is told of it once, under the copy's lock. */
    interface Waiting {
        void answered(Optional<Bytes> data);

        void refused(String why);

        /** To be run once the lock is given back, once for all that were answered meanwhile. */
        default Optional<Runnable> afterwards() {
            return Optional.empty();
        }
    }

    private record Future(CompletableFuture<Optional<Bytes>> answer) implements Waiting {
        @Override
        public void answered(Optional<Bytes> data) {
            answer.complete(data);
        }

        @Override
        public void refused(String why) {
            answer.completeExceptionally(new IOException(why));
        }
    }

    static Waiting of(CompletableFuture<Optional<Bytes>> answer) {
        return new Future(answer);
    }

    /** The number of one whose answer nobody waits for. */
    long unanswered() {
        return ++last;
    }

    long add(Waiting answer) {
        waiting.put(++last, answer);
        return last;
    }

    void answered(long request, Optional<Bytes> data) {
        var answer = waiting.get(request);
        if (answer != null) {
            // Where this fails it stays, to be refused with all others.
            answer.answered(data);
            waiting.remove(request);
            answer.afterwards().ifPresent(toTell::add);
        }
    }

    void refused(long request, String why) {
        var answer = waiting.remove(request);
        if (answer != null) {
            answer.refused(why);
            answer.afterwards().ifPresent(toTell::add);
        }
    }

    void refuseAll(String why) {
        List.copyOf(waiting.keySet()).forEach(request -> refused(request, why));
    }

    /** What is to be run without the lock. */
    List<Runnable> toTell() {
        if (toTell.isEmpty()) {
            return List.of();
        }
        var all = List.copyOf(toTell);
        toTell.clear();
        return all;
    }

    /** @throws IOException where it was refused, which says why */
    static Optional<Bytes> await(CompletableFuture<Optional<Bytes>> asked) throws IOException {
        try {
            return asked.get();
        } catch (ExecutionException | InterruptedException e) {
            throw failed(e);
        }
    }

    static IOException failed(Exception e) {
        if (e instanceof InterruptedException) {
            Thread.currentThread().interrupt();
            return new IOException("interrupted", e);
        }
        return new IOException(
                String.valueOf(e.getCause() == null ? e : e.getCause().getMessage()), e);
    }
}
