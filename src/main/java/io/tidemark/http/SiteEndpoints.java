package io.tidemark.http;

import io.tidemark.control.ControlException;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Json;
import io.tidemark.control.port.StateException;
import io.tidemark.telemetry.Metrics;
import java.util.Optional;
import java.util.stream.Collectors;

/** Health, readiness, version, metrics. */
final class SiteEndpoints {
    private final SiteControl control;
    private final Metrics metrics;
    private final String version;
    private final String fingerprint;

    SiteEndpoints(SiteControl control, Metrics metrics, String version, String fingerprint) {
        this.control = control;
        this.metrics = metrics;
        this.version = version;
        this.fingerprint = fingerprint;
    }

    void addTo(Endpoints endpoints) {
        endpoints.add("getHealth", request -> Answer.ok(Json.object().put("status", "up")));
        endpoints.add("getReady", request -> ready());
        endpoints.add(
                "getVersion",
                request -> Answer.ok(Json.object()
                        .put("name", "tidemark")
                        .put("version", version)
                        .put("api", "v1")
                        .put("java", Runtime.version().toString())
                        .put("fingerprint", fingerprint)));
        endpoints.add("getMetrics", request -> Answer.text(metrics.scrape()));
    }

    private Answer ready() {
        var answer = Json.object();
        boolean serving = control.ready();
        var stateFailure = stateFailure();
        answer.put("status", serving && stateFailure.isEmpty() ? "ready" : "not-ready");
        var checks = answer.putArray("checks");
        checks.addObject()
                .put("name", "recovery")
                .put("ok", serving)
                .put("detail", serving ? "done" : "recovering after a start, or stopping");
        checks.addObject()
                .put("name", "state")
                .put("ok", stateFailure.isEmpty())
                .put("detail", stateFailure.orElse("answers"));
        // The site is ready all the same: nothing else needs them.
        var notServed = control.exports().notServed();
        checks.addObject()
                .put("name", "exports")
                .put("ok", notServed.isEmpty())
                .put("detail", notServed.isEmpty() ? "served" : String.join("; ", notServed));
        var unread = control.live().unread();
        checks.addObject()
                .put("name", "live-links")
                .put("ok", unread.isEmpty())
                .put(
                        "detail",
                        unread.stream()
                                .map(each -> "%s in %s cannot be read".formatted(each.id(), each.folder()))
                                .collect(Collectors.joining("; ")));
        return serving && stateFailure.isEmpty() ? Answer.ok(answer) : Answer.unavailable(answer);
    }

    private Optional<String> stateFailure() {
        try {
            control.inventory().groups(Optional.empty(), 1);
            return Optional.empty();
        } catch (StateException failure) {
            return Optional.of("database does not answer");
        } catch (ControlException impossible) {
            throw new AssertionError("there was no cursor to refuse", impossible);
        }
    }
}
