package io.tidemark.http;

import io.tidemark.control.SiteControl;
import io.tidemark.security.ApiTokens;
import io.tidemark.telemetry.Metrics;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.PemKeyCertOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The HTTP API, listening. {@link #close} stops accepting, lets requests end within a limit, then ends all. */
public final class ApiServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ApiServer.class);
    /** Loading the OpenAPI file takes well under a second; a busy host may need ten. */
    private static final Duration START_WAIT = Duration.ofSeconds(60);
    /** Requests end within http.requestTimeout; a stop does not wait for a slow one that long. */
    private static final Duration STOP_WAIT = Duration.ofSeconds(10);

    private static final Duration VERTX_CLOSE_WAIT = Duration.ofSeconds(10);
    /** A keep-alive connection without a request is closed after this; event streams beat more often. */
    private static final Duration CONNECTION_IDLE = Duration.ofSeconds(75);

    private static final int HEADER_BYTES_MAXIMUM = 16 * 1_024;
    private static final int REQUEST_LINE_BYTES_MAXIMUM = 8 * 1_024;
    /** The API decodes, validates and dispatches there; more would only take cores from block I/O. */
    private static final int EVENT_LOOPS = 2;
    /**
     * System property, for tests: milliseconds from which on a blocked event loop is logged with its stack. Without it
     * Vert.x's own 2 s hold: a host that is short of processors is no reason to warn.
     */
    private static final String EVENT_LOOP_LIMIT_PROPERTY = "tidemark.eventloop.limit";

    private static final Duration EVENT_LOOP_CHECK = Duration.ofMillis(5);
    /** Runs the OpenAPI validator for short moments. */
    private static final int WORKERS = 4;

    private final Vertx vertx;
    private final Blocking blocking;
    private final OperationStream stream;
    private final HttpServer server;

    private ApiServer(Vertx vertx, Blocking blocking, OperationStream stream, HttpServer server) {
        this.vertx = vertx;
        this.blocking = blocking;
        this.stream = stream;
        this.server = server;
    }

    /**
     * Listens. The control may still be recovering: {@code /v1/ready} says so.
     *
     * @throws IOException when the address cannot be had, or the TLS files cannot be read
     */
    public static ApiServer start(ApiSettings settings, SiteControl control, ApiTokens tokens, Metrics metrics)
            throws IOException, InterruptedException {
        var vertx = Vertx.vertx(options());
        var blocking = new Blocking();
        var stream = new OperationStream(vertx, control.operations(), blocking);
        boolean listening = false;
        try {
            var router = new ApiRouter(settings, tokens, metrics, blocking, stream);
            var server = await(
                    Contract.load(vertx)
                            .map(contract -> router.build(vertx, contract, control, metrics))
                            .compose(built -> vertx.createHttpServer(options(settings))
                                    .requestHandler(built)
                                    .invalidRequestHandler(ApiServer::refuseMalformed)
                                    .listen()),
                    START_WAIT);
            metrics.watchTracking(control.volumes().tracking()::distrustedCount);
            metrics.watchAgents(control.agents()::enrolledCount, control.agents()::connectedCount);
            metrics.watchOperations(control.operations()::runningCount, control.operations()::waitingCount);
            listening = true;
            log.info("api.listening host={} port={} tls={}", settings.host(), server.actualPort(), settings.tls());
            return new ApiServer(vertx, blocking, stream, server);
        } finally {
            if (!listening) {
                blocking.close();
                closeVertx(vertx);
            }
        }
    }

    private static VertxOptions options() {
        var options = new VertxOptions()
                .setEventLoopPoolSize(EVENT_LOOPS)
                .setWorkerPoolSize(WORKERS)
                .setInternalBlockingPoolSize(WORKERS)
                .setFileSystemOptions(new FileSystemOptions().setFileCachingEnabled(false));
        long limit = Long.getLong(EVENT_LOOP_LIMIT_PROPERTY, 0);
        if (limit > 0) {
            options.setMaxEventLoopExecuteTimeUnit(TimeUnit.MILLISECONDS)
                    .setMaxEventLoopExecuteTime(limit)
                    .setWarningExceptionTimeUnit(TimeUnit.MILLISECONDS)
                    .setWarningExceptionTime(limit)
                    .setBlockedThreadCheckIntervalUnit(TimeUnit.MILLISECONDS)
                    .setBlockedThreadCheckInterval(EVENT_LOOP_CHECK.toMillis());
        }
        return options;
    }

    private static HttpServerOptions options(ApiSettings settings) {
        var options = new HttpServerOptions()
                .setHost(settings.host())
                .setPort(settings.port())
                .setMaxHeaderSize(HEADER_BYTES_MAXIMUM)
                .setMaxInitialLineLength(REQUEST_LINE_BYTES_MAXIMUM)
                .setIdleTimeout((int) CONNECTION_IDLE.toSeconds())
                .setIdleTimeoutUnit(TimeUnit.SECONDS)
                .setHttp2ClearTextEnabled(false)
                .setHandle100ContinueAutomatically(true)
                .setDecompressionSupported(false)
                .setCompressionSupported(false);
        if (settings.tls()) {
            options.setSsl(true)
                    .setUseAlpn(false)
                    .setEnabledSecureTransportProtocols(Set.of("TLSv1.3", "TLSv1.2"))
                    .setKeyCertOptions(new PemKeyCertOptions()
                            .setCertPath(
                                    settings.certificateFile().orElseThrow().toString())
                            .setKeyPath(settings.keyFile().orElseThrow().toString()));
        }
        return options;
    }

    /** A request that is no HTTP, or whose head is past its limits: answered, then the connection is closed. */
    private static void refuseMalformed(HttpServerRequest request) {
        var failure = request.decoderResult().cause();
        boolean tooLong = failure instanceof io.netty.handler.codec.TooLongFrameException;
        var problem = Problems.malformedRequest(
                tooLong ? 431 : 400,
                tooLong
                        ? "request line or headers are longer than %d and %d bytes"
                                .formatted(REQUEST_LINE_BYTES_MAXIMUM, HEADER_BYTES_MAXIMUM)
                        : "the request is no well-formed HTTP");
        request.response()
                .setStatusCode(problem.status())
                .putHeader("Content-Type", Problem.MEDIA_TYPE)
                .putHeader("Connection", "close")
                .end(problem.document().toString())
                .onComplete(sent -> request.connection().close());
    }

    /** The port it listens on, also where the settings said 0. */
    public int port() {
        return server.actualPort();
    }

    @Override
    public void close() {
        stream.close();
        try {
            await(server.shutdown(STOP_WAIT.toMillis(), TimeUnit.MILLISECONDS), STOP_WAIT.plusSeconds(1));
        } catch (IOException failure) {
            log.warn("api.stop_unclean", failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        blocking.close();
        closeVertx(vertx);
        log.info("api.stopped");
    }

    private static void closeVertx(Vertx vertx) {
        try {
            await(vertx.close(), VERTX_CLOSE_WAIT);
        } catch (IOException failure) {
            log.warn("api.close_unclean", failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static <T> T await(Future<T> future, Duration limit) throws IOException, InterruptedException {
        try {
            return future.toCompletionStage().toCompletableFuture().get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException failure) {
            throw new IOException(failure.getCause() == null ? failure : failure.getCause());
        } catch (TimeoutException late) {
            throw new IOException("not done within " + limit, late);
        }
    }
}
