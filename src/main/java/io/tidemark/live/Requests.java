package io.tidemark.live;

import io.tidemark.replication.live.Bytes;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** What has been asked of a copy and not been answered, by number. Guarded by the copy's lock but for what is static. */
final class Requests {
    private final Map<Long, CompletableFuture<Optional<Bytes>>> waiting = new HashMap<>();
    private long last;

    /** The number of one whose answer nobody waits for. */
    long unanswered() {
        return ++last;
    }

    long add(CompletableFuture<Optional<Bytes>> answer) {
        waiting.put(++last, answer);
        return last;
    }

    void answered(long request, Optional<Bytes> data) {
        var answer = waiting.remove(request);
        if (answer != null) {
            answer.complete(data);
        }
    }

    void refused(long request, String why) {
        var answer = waiting.remove(request);
        if (answer != null) {
            answer.completeExceptionally(new IOException(why));
        }
    }

    void refuseAll(String why) {
        waiting.values().forEach(each -> each.completeExceptionally(new IOException(why)));
        waiting.clear();
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
