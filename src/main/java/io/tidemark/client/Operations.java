package io.tidemark.client;

import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;

/** Waits for asynchronous operations by asking again. */
public final class Operations {
    private static final Duration FIRST_POLL = Duration.ofMillis(20);
    /** Often enough for a progress bar, seldom enough to cost nothing. */
    private static final Duration SLOWEST_POLL = Duration.ofMillis(500);
    /** A site that restarts is back within this; operations survive its restart. */
    private static final Duration SILENCE_LIMIT = Duration.ofSeconds(30);

    private final SiteClient site;

    public Operations(SiteClient site) {
        this.site = site;
    }

    /**
     * Returns the operation once it has succeeded.
     *
     * @param limit longest wait; zero or less: for ever
     * @param onProgress hears every answer, the last one too
     * @throws ClientException OperationFailed, StillRunning, or what asking met
     */
    public Json await(String operation, Duration limit, Consumer<Json> onProgress) throws ClientException {
        long start = System.nanoTime();
        long heard = start;
        var pause = FIRST_POLL;
        while (true) {
            try {
                var document = site.get("/v1/operations/" + SiteClient.segment(operation));
                heard = System.nanoTime();
                onProgress.accept(document);
                if (ended(document)) {
                    return succeeded(document);
                }
            } catch (ClientException e) {
                boolean silent = e.error() instanceof ClientError.Unreachable;
                if (!silent || System.nanoTime() - heard > SILENCE_LIMIT.toNanos()) {
                    throw e;
                }
            }
            var waited = Duration.ofNanos(System.nanoTime() - start);
            if (limit.isPositive() && waited.compareTo(limit) >= 0) {
                throw new ClientException(new ClientError.StillRunning(operation, waited));
            }
            sleep(operation, pause, waited);
            pause = pause.multipliedBy(2).compareTo(SLOWEST_POLL) < 0 ? pause.multipliedBy(2) : SLOWEST_POLL;
        }
    }

    private static void sleep(String operation, Duration pause, Duration waited) throws ClientException {
        try {
            Thread.sleep(pause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClientException(new ClientError.StillRunning(operation, waited), e);
        }
    }

    public static boolean ended(Json operation) {
        return switch (operation.at("state").text()) {
            case "SUCCEEDED", "FAILED", "CANCELLED" -> true;
            default -> false;
        };
    }

    private static Json succeeded(Json operation) throws ClientException {
        String state = operation.at("state").text();
        if (state.equals("SUCCEEDED")) {
            return operation;
        }
        var problem = inner(operation.at("problem"));
        String reason =
                problem.at("detail").optional().orElse(problem.at("title").text());
        throw new ClientException(new ClientError.OperationFailed(
                operation.at("id").text(), state, reason, problem.at("advice").text()));
    }

    /** The result of an operation that succeeded. */
    public static Json result(Json operation) {
        return inner(operation.at("result"));
    }

    /** A document, or the document that a text holds. */
    private static Json inner(Json value) {
        if (value.raw() instanceof String text) {
            try {
                return Json.parse(text);
            } catch (IOException e) {
                return value;
            }
        }
        return value;
    }
}
