package io.tidemark.http;

import io.tidemark.control.Operations;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.Operation;
import io.tidemark.domain.OperationId;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Server-sent events of operations. A slow client gets the newest value when it reads again, not every one:
 * what waits for it is one document, however long it sleeps.
 */
final class OperationStream {
    static final String MEDIA_TYPE = "text/event-stream";
    /** Each is a connection and a timer; a client that finds no room polls. */
    static final int STREAMS_MAXIMUM = 64;
    /** Under the idle times of common proxies (30 s and more). */
    private static final Duration HEARTBEAT = Duration.ofSeconds(10);
    /** A client of a longer operation connects again. */
    private static final Duration STREAM_MAXIMUM = Duration.ofHours(1);

    private final Vertx vertx;
    private final Operations operations;
    private final Blocking blocking;
    private final Set<One> open = ConcurrentHashMap.newKeySet();

    OperationStream(Vertx vertx, Operations operations, Blocking blocking) {
        this.vertx = vertx;
        this.operations = operations;
        this.blocking = blocking;
    }

    /** On the event loop. Fails the request before the first byte when there is no such operation or no room. */
    void stream(RoutingContext request, OperationId id) {
        if (open.size() >= STREAMS_MAXIMUM) {
            request.fail(new ProblemException(Problems.tooManyStreams(STREAMS_MAXIMUM)));
            return;
        }
        var one = new One(request.response(), vertx.getOrCreateContext());
        open.add(one);
        request.response().closeHandler(closed -> one.end());
        blocking.call(() -> operations.watch(id, one::offer))
                .onSuccess(one::begin)
                .onFailure(failure -> {
                    open.remove(one);
                    request.fail(failure);
                });
    }

    /** Ends all streams; their clients see the connection close and may poll. */
    void close() {
        open.forEach(One::end);
    }

    /** One client. Its fields belong to the event loop; {@link #offer} may be called from anywhere. */
    private final class One {
        private final HttpServerResponse response;
        private final Context context;
        private Operations.@Nullable Watch watch;
        private @Nullable Operation newest;
        private boolean begun;
        private boolean ended;
        private long heartbeat;
        private long deadline;

        One(HttpServerResponse response, Context context) {
            this.response = response;
            this.context = context;
        }

        void offer(Operation operation) {
            context.runOnContext(ignored -> {
                newest = operation;
                write();
            });
        }

        void begin(Operations.Watch subscription) {
            watch = subscription;
            if (ended) {
                subscription.close();
                return;
            }
            begun = true;
            response.putHeader("Content-Type", MEDIA_TYPE)
                    .putHeader("Cache-Control", "no-store")
                    .setChunked(true)
                    .drainHandler(drained -> write());
            heartbeat = vertx.setPeriodic(HEARTBEAT.toMillis(), tick -> {
                if (!response.writeQueueFull()) {
                    response.write(": still here\n\n");
                }
            });
            deadline = vertx.setTimer(STREAM_MAXIMUM.toMillis(), tick -> end());
            write();
        }

        private void write() {
            var operation = newest;
            if (!begun || ended || operation == null) {
                return;
            }
            boolean last = operation.state().ended();
            if (response.writeQueueFull() && !last) {
                return;
            }
            newest = null;
            response.write("event: operation\ndata: " + Json.write(Documents.operation(operation)) + "\n\n");
            if (last) {
                end();
            }
        }

        void end() {
            context.runOnContext(ignored -> endHere());
        }

        private void endHere() {
            if (ended) {
                return;
            }
            ended = true;
            open.remove(this);
            var subscription = watch;
            if (subscription != null) {
                blocking.call(() -> {
                    subscription.close();
                    return true;
                });
            }
            if (begun) {
                vertx.cancelTimer(heartbeat);
                vertx.cancelTimer(deadline);
                if (!response.ended() && !response.closed()) {
                    response.end();
                }
            }
        }
    }
}
