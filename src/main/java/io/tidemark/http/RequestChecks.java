package io.tidemark.http;

import io.tidemark.security.ApiTokens;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What every request must pass before its body is read. On the event loop; nothing here waits. */
final class RequestChecks {
    static final String ROUTE = "tidemark.route";
    private static final String BEARER = "Bearer ";

    private final RouteIndex routes;
    private final ApiTokens tokens;

    RequestChecks(RouteIndex routes, ApiTokens tokens) {
        this.routes = routes;
        this.tokens = tokens;
    }

    /** In order of what can be told to whom: path, method, token, then the rest. */
    void check(RoutingContext context) {
        try {
            var request = context.request();
            var route = routes.find(request.method().name(), path(context));
            context.put(ROUTE, route);
            if (!route.open()) {
                authenticate(request);
            }
            acceptable(request, route);
            understandable(request, route);
            onlyKnownParameters(request, route);
            context.next();
        } catch (ProblemException refused) {
            context.fail(refused);
        }
    }

    private static String path(RoutingContext context) throws ProblemException {
        try {
            return context.normalizedPath();
        } catch (IllegalArgumentException badEncoding) {
            throw new ProblemException(
                    Problems.malformedRequest(400, "the path is not percent-encoded as it should be"));
        }
    }

    private void authenticate(HttpServerRequest request) throws ProblemException {
        var header = Optional.ofNullable(request.getHeader("Authorization"));
        if (header.isEmpty()) {
            throw new ProblemException(Problems.unauthorized("the request carries no token"));
        }
        String value = header.orElseThrow();
        if (!value.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            throw new ProblemException(Problems.unauthorized("the Authorization header is no bearer token"));
        }
        if (tokens.authenticate(value.substring(BEARER.length()).strip()).isEmpty()) {
            throw new ProblemException(Problems.unauthorized("the token is not known"));
        }
    }

    private static void acceptable(HttpServerRequest request, RouteIndex.Route route) throws ProblemException {
        var accept = Optional.ofNullable(request.getHeader("Accept"));
        if (accept.isEmpty() || route.offers().isEmpty()) {
            return;
        }
        for (var range : accept.orElseThrow().split(",", -1)) {
            var parts = range.strip().toLowerCase(Locale.ROOT).split(";", -1);
            boolean refused = false;
            for (int index = 1; index < parts.length; index++) {
                refused |= parts[index].strip().matches("q=0(\\.0*)?");
            }
            if (!refused && matchesAny(parts[0].strip(), route.offers())) {
                return;
            }
        }
        throw new ProblemException(Problems.notAcceptable(accept.orElseThrow(), String.join(", ", route.offers())));
    }

    private static boolean matchesAny(String range, Set<String> offers) {
        if (range.equals("*/*") || offers.contains(range)) {
            return true;
        }
        return range.endsWith("/*")
                && offers.stream().anyMatch(offer -> offer.startsWith(range.substring(0, range.length() - 1)));
    }

    private static void understandable(HttpServerRequest request, RouteIndex.Route route) throws ProblemException {
        var contentType = Optional.ofNullable(request.getHeader("Content-Type"));
        boolean bodyComes = !"0"
                        .equals(Optional.ofNullable(request.getHeader("Content-Length"))
                                .orElse("0"))
                || request.getHeader("Transfer-Encoding") != null;
        if (!bodyComes) {
            return;
        }
        var type = contentType.orElse("").split(";", -1)[0].strip().toLowerCase(Locale.ROOT);
        if (!type.equals("application/json")) {
            throw new ProblemException(Problems.unsupportedMediaType(contentType.orElse("none")));
        }
        if (!route.takesBody()) {
            throw new ProblemException(
                    Problems.invalid("body", "", "is not expected by " + route.operationId(), "no body"));
        }
        var coding = Optional.ofNullable(request.getHeader("Content-Encoding")).orElse("identity");
        if (!coding.equalsIgnoreCase("identity")) {
            throw new ProblemException(Problems.unsupportedMediaType(coding));
        }
    }

    private static void onlyKnownParameters(HttpServerRequest request, RouteIndex.Route route) throws ProblemException {
        var seen = new HashSet<String>();
        for (var parameter : request.params()) {
            String name = parameter.getKey();
            if (!route.queryNames().contains(name)) {
                throw new ProblemException(Problems.invalid(
                        name,
                        parameter.getValue(),
                        "is not a parameter of " + route.operationId(),
                        route.queryNames().isEmpty() ? "no parameters" : "one of " + route.queryNames()));
            }
            if (!seen.add(name)) {
                throw new ProblemException(
                        Problems.invalid(name, parameter.getValue(), "is given twice", "each parameter once"));
            }
        }
    }
}
