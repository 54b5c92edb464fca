package io.tidemark.http;

import io.tidemark.telemetry.Metrics;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Id, security headers, time limit, access log and metrics of a request. */
final class RequestLife {
    private static final Logger log = LoggerFactory.getLogger(RequestLife.class);
    private static final String ID = "tidemark.request";
    private static final String TIMER = "tidemark.timer";
    private static final Pattern ID_FORM = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final String NO_ROUTE = "none";

    private final Duration limit;
    private final Metrics metrics;

    RequestLife(Duration limit, Metrics metrics) {
        this.limit = limit;
        this.metrics = metrics;
    }

    void begin(RoutingContext context) {
        long startedNanos = System.nanoTime();
        // A caller's own id is taken over, so that its log and ours can be read together.
        String id = Optional.ofNullable(context.request().getHeader("X-Request-Id"))
                .filter(given -> ID_FORM.matcher(given).matches())
                .orElseGet(() ->
                        HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong()));
        context.put(ID, id);
        context.response()
                .putHeader("X-Request-Id", id)
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("X-Frame-Options", "DENY")
                .putHeader("Cache-Control", "no-store")
                .putHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
                .putHeader("Referrer-Policy", "no-referrer");
        long timer = context.vertx().setTimer(limit.toMillis(), tick -> {
            if (!context.response().ended()) {
                context.fail(new ProblemException(Problems.tooSlow(limit)));
            }
        });
        context.put(TIMER, timer);
        context.addEndHandler(ended -> {
            context.vertx().cancelTimer(timer);
            answered(context, startedNanos);
        });
        context.next();
    }

    /** Takes the time limit away: an event stream has its own. */
    void unlimited(RoutingContext context) {
        Long timer = context.get(TIMER);
        context.vertx().cancelTimer(timer);
    }

    private void answered(RoutingContext context, long startedNanos) {
        var took = Duration.ofNanos(System.nanoTime() - startedNanos);
        int status = context.response().getStatusCode();
        metrics.requestAnswered(routeName(context), status, took);
        log.debug(
                "request.answered request={} method={} route={} status={} tookMicros={}",
                id(context),
                context.request().method(),
                routeName(context),
                status,
                took.toNanos() / 1_000);
    }

    static String id(RoutingContext context) {
        String id = context.get(ID);
        return id == null ? NO_ROUTE : id;
    }

    static String routeName(RoutingContext context) {
        RouteIndex.Route route = context.get(RequestChecks.ROUTE);
        return route == null ? NO_ROUTE : route.operationId();
    }
}
