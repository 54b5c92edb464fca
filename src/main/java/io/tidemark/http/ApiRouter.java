package io.tidemark.http;

import io.tidemark.control.SiteControl;
import io.tidemark.domain.OperationId;
import io.tidemark.security.ApiTokens;
import io.tidemark.telemetry.Metrics;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.core.json.pointer.JsonPointer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import io.vertx.ext.web.handler.HttpException;
import io.vertx.ext.web.openapi.router.RequestExtractor;
import io.vertx.ext.web.openapi.router.RouterBuilder;
import io.vertx.openapi.contract.OpenAPIContract;
import io.vertx.openapi.validation.ValidatorException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The way of a request: id and limits, path and token, body, the OpenAPI file's checks, endpoint, answer. */
final class ApiRouter {
    private static final Logger log = LoggerFactory.getLogger(ApiRouter.class);
    private static final String BODY = "tidemark.body";
    private static final String STREAM = "streamOperation";
    /** Closing at once would reset the connection under a client that still sends, before it has read why. */
    private static final Duration LINGER = Duration.ofSeconds(1);

    private final ApiSettings settings;
    private final Blocking blocking;
    private final OperationStream stream;
    private final JsonObject rawContract;
    private final SchemaErrors schemaErrors;
    private final RequestChecks checks;
    private final RequestLife life;

    ApiRouter(ApiSettings settings, ApiTokens tokens, Metrics metrics, Blocking blocking, OperationStream stream) {
        this.settings = settings;
        this.blocking = blocking;
        this.stream = stream;
        this.rawContract = Contract.read();
        this.schemaErrors = new SchemaErrors(rawContract);
        this.checks = new RequestChecks(new RouteIndex(rawContract, settings.metricsOpen()), tokens);
        this.life = new RequestLife(settings.requestTimeout(), metrics);
    }

    /** @throws IllegalStateException when an operation of the file has no endpoint, or an endpoint no operation */
    Router build(Vertx vertx, OpenAPIContract contract, SiteControl control, Metrics metrics) {
        var endpoints = new Endpoints(control, metrics, settings).byOperation();
        var builder = RouterBuilder.create(vertx, contract, RequestExtractor.withBodyHandler());
        for (var route : builder.getRoutes()) {
            var operationId = route.getOperation().getOperationId();
            route.setDoSecurity(false);
            if (operationId.equals(STREAM)) {
                route.addHandler(this::openStream);
                continue;
            }
            var endpoint = endpoints.get(operationId);
            if (endpoint == null) {
                throw new IllegalStateException("operation %s has no endpoint".formatted(operationId));
            }
            route.addHandler(context -> answer(context, endpoint));
        }
        if (builder.getRoutes().size() != endpoints.size() + 1) {
            throw new IllegalStateException("there are endpoints without an operation: " + endpoints.keySet());
        }
        var router = Router.router(vertx);
        router.route().handler(life::begin);
        router.route().handler(checks::check);
        router.route()
                .handler(BodyHandler.create(false)
                        .setBodyLimit(settings.requestBytesMaximum())
                        .setHandleFileUploads(false));
        router.route().handler(ApiRouter::parseBody);
        router.route().subRouter(builder.createRouter());
        router.route().failureHandler(this::fail);
        return router;
    }

    private static void parseBody(RoutingContext context) {
        try {
            Buffer buffer = context.body().buffer();
            context.put(BODY, RequestBody.parse(buffer == null ? new byte[0] : buffer.getBytes()));
            context.next();
        } catch (ProblemException refused) {
            context.fail(refused);
        }
    }

    private static ApiRequest request(RoutingContext context) {
        RouteIndex.Route route = context.get(RequestChecks.ROUTE);
        Map<String, String> query = new HashMap<>();
        for (var name : route.queryNames()) {
            Optional.ofNullable(context.request().getParam(name)).ifPresent(value -> query.put(name, value));
        }
        var path = new HashMap<>(context.pathParams());
        path.keySet().removeAll(query.keySet());
        return new ApiRequest(
                route.operationId(),
                path,
                query,
                Optional.ofNullable(context.request().getHeader("Idempotency-Key")),
                context.get(BODY));
    }

    private void answer(RoutingContext context, Endpoint endpoint) {
        var request = request(context);
        blocking.call(() -> endpoint.answer(request))
                .onSuccess(answer -> write(context, answer))
                .onFailure(context::fail);
    }

    private static void write(RoutingContext context, Answer answer) {
        var response = context.response();
        if (response.ended() || response.closed()) {
            return;
        }
        response.setStatusCode(answer.status());
        answer.location().ifPresent(location -> response.putHeader("Location", location));
        if (answer.body().isEmpty()) {
            response.end();
        } else {
            response.putHeader("Content-Type", answer.contentType()).end(answer.body());
        }
    }

    private void openStream(RoutingContext context) {
        life.unlimited(context);
        stream.stream(context, new OperationId(request(context).inPath("operationId")));
    }

    private void fail(RoutingContext context) {
        var response = context.response();
        if (response.ended() || response.closed()) {
            return;
        }
        var problem = problem(context);
        boolean isTold = problem.retryAfter().isPresent() || problem.code().equals(Problems.STORAGE_DENIED);
        if (problem.status() >= 500 && !isTold) {
            log.error(
                    "request.failed request={} route={} status={} problem={}",
                    RequestLife.id(context),
                    RequestLife.routeName(context),
                    problem.status(),
                    problem.code(),
                    context.failure());
        }
        var document = problem.document().put("requestId", RequestLife.id(context));
        if (response.headWritten()) {
            response.reset();
            return;
        }
        response.setStatusCode(problem.status()).putHeader("Content-Type", Problem.MEDIA_TYPE);
        problem.retryAfter()
                .ifPresent(wait -> response.putHeader(
                        "Retry-After", Long.toString(Math.max(1, Math.ceilDiv(wait.toMillis(), 1_000)))));
        if (problem.status() == 401) {
            response.putHeader("WWW-Authenticate", "Bearer realm=\"tidemark\"");
        }
        if (problem.status() == 405) {
            problem.input().ifPresent(input -> response.putHeader("Allow", input.allowed()));
        }
        if (!context.request().isEnded()) {
            // The rest of the body is not wanted: the connection cannot carry another request.
            response.putHeader("Connection", "close");
            context.vertx()
                    .setTimer(
                            LINGER.toMillis(),
                            tick -> context.request().connection().close());
        }
        response.end(document.toString());
    }

    private Problem problem(RoutingContext context) {
        var failure = context.failure();
        if (failure == null) {
            return ofStatus(context);
        }
        Throwable cause = failure;
        while (cause != null) {
            if (cause instanceof ValidatorException invalid) {
                return invalid(context, invalid);
            }
            cause = cause.getCause();
        }
        if (failure instanceof HttpException http) {
            return http.getStatusCode() == 413
                    ? Problems.bodyTooLarge(settings.requestBytesMaximum())
                    : Problems.malformedRequest(http.getStatusCode(), "the request is not well-formed");
        }
        return Problems.of(failure);
    }

    private Problem ofStatus(RoutingContext context) {
        return switch (context.statusCode()) {
            case 413 -> Problems.bodyTooLarge(settings.requestBytesMaximum());
            case 404 -> Problems.noSuchPath(context.normalizedPath());
            case 408, 503 -> Problems.tooSlow(settings.requestTimeout());
            case 400 -> Problems.malformedRequest(400, "the request is not well-formed");
            default -> Problems.of(new IllegalStateException("status " + context.statusCode()));
        };
    }

    private Problem invalid(RoutingContext context, ValidatorException failure) {
        RouteIndex.Route route = context.get(RequestChecks.ROUTE);
        var paths = rawContract.getJsonObject("paths");
        var method = context.request().method().name().toLowerCase(Locale.ROOT);
        for (var name : paths.fieldNames()) {
            var path = paths.getJsonObject(name);
            var operation = path.getJsonObject(method);
            if (operation != null && route.operationId().equals(operation.getString("operationId"))) {
                return schemaErrors.problem(failure, operation, path, new SentValues(context));
            }
        }
        return Problems.invalid("body", "", "is not as it should be", "see the OpenAPI file");
    }

    private record SentValues(RoutingContext context) implements SchemaErrors.Sent {
        @Override
        public String parameter(String name) {
            return Optional.ofNullable(context.pathParam(name))
                    .or(() -> Optional.ofNullable(context.request().getParam(name)))
                    .or(() -> Optional.ofNullable(context.request().getHeader(name)))
                    .orElse("");
        }

        @Override
        public String inBody(String pointer) {
            Object body = context.body().asJsonObject();
            Object value = JsonPointer.from(pointer.startsWith("#") ? pointer.substring(1) : pointer)
                    .queryJson(body);
            return value == null ? "" : value.toString();
        }
    }
}
