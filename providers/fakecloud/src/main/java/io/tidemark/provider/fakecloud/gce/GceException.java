package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.tidemark.provider.fakecloud.HttpAnswer;
import java.io.Serial;
import java.util.Map;

/** A call is refused, in Google's form. */
final class GceException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String reason;

    GceException(int status, String reason, String message) {
        super(message);
        this.status = status;
        this.reason = reason;
    }

    static GceException invalid(String message) {
        return new GceException(400, "invalid", message);
    }

    static GceException notFound(String path) {
        return new GceException(404, "notFound", "The resource '%s' was not found".formatted(path));
    }

    static GceException exists(String path) {
        return new GceException(409, "alreadyExists", "The resource '%s' already exists".formatted(path));
    }

    static GceException inUse(String path, String by) {
        return new GceException(
                400,
                "resourceInUseByAnotherResource",
                "The resource '%s' is already being used by '%s'".formatted(path, by));
    }

    static GceException notReady(String path) {
        return new GceException(400, "resourceNotReady", "The resource '%s' is not ready".formatted(path));
    }

    HttpAnswer answer() {
        return answer(status, reason, String.valueOf(getMessage()));
    }

    static HttpAnswer answer(int status, String reason, String message) {
        var body = JsonNodeFactory.instance.objectNode();
        var error = body.putObject("error");
        error.put("code", status).put("message", message);
        error.putArray("errors")
                .addObject()
                .put("message", message)
                .put("domain", reason.endsWith("LimitExceeded") ? "usageLimits" : "global")
                .put("reason", reason);
        return HttpAnswer.text(status, "application/json; charset=UTF-8", Map.of(), body.toString());
    }
}
