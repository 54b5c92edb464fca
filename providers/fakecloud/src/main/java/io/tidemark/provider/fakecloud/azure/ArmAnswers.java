package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.azure.AzureState.LongOperation;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Answers in Resource Manager's forms. */
final class ArmAnswers {
    static final ObjectMapper JSON = new ObjectMapper();
    static final String TYPE = "application/json; charset=utf-8";
    private static final String STATUS_VERSION = "2025-01-02";

    private final AzureState state;

    ArmAnswers(AzureState state) {
        this.state = state;
    }

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    static HttpAnswer json(int status, JsonNode body) {
        return HttpAnswer.text(status, TYPE, Map.of(), body.toString());
    }

    static HttpAnswer empty(int status) {
        return HttpAnswer.text(status, TYPE, Map.of(), "");
    }

    static HttpAnswer error(int status, String code, String message, Map<String, String> headers) {
        var body = object();
        body.putObject("error").put("code", code).put("message", message);
        return HttpAnswer.text(status, TYPE, headers, body.toString());
    }

    /** Told to ask again after a while, which begins anew for who comes before. */
    HttpAnswer throttled() {
        state.throttledUntil = state.now().plus(state.settings.retryAfter());
        return error(
                429,
                "TooManyRequests",
                "The request is being throttled.",
                Map.of(
                        "Retry-After",
                        String.valueOf(state.settings.retryAfter().toSeconds()),
                        "x-ms-ratelimit-remaining-resource",
                        "Microsoft.Compute/HighCostGet3Min;0"));
    }

    /** What has been begun: done already, or 202 with the address of the operation. */
    HttpAnswer begun(
            ArmCall call, int whenDone, @Nullable JsonNode body, Instant readyAt, boolean failed, String location) {
        return begun(call, whenDone, 202, body, readyAt, failed, location);
    }

    HttpAnswer begun(
            ArmCall call,
            int whenDone,
            int whenBegun,
            @Nullable JsonNode body,
            Instant readyAt,
            boolean failed,
            String location) {
        if (!failed && !state.now().isBefore(readyAt)) {
            return body == null ? empty(whenDone) : json(whenDone, body);
        }
        var id = state.newUuid();
        var result = body == null ? null : body.toString();
        state.operations.put(id, new LongOperation(state.now(), readyAt, failed, result));
        var address = "%s/subscriptions/%s/providers/Microsoft.Compute/locations/%s/operations/%s?api-version=%s"
                .formatted(base(call), state.settings.subscription(), location, id, STATUS_VERSION);
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Azure-AsyncOperation", address);
        headers.put("Location", address + "&monitor=true");
        headers.put("Retry-After", String.valueOf(state.settings.retryAfter().toSeconds()));
        // What an access signature is, only the operation's end says.
        boolean tellsNow = body != null && !call.operation().endsWith("GrantAccess");
        return HttpAnswer.text(whenBegun, TYPE, headers, tellsNow ? String.valueOf(body) : "");
    }

    /** How far an operation is; with {@code monitor} its result itself. */
    HttpAnswer status(ArmCall call) throws ArmException {
        var id = call.name("operationId");
        var operation = state.operations.get(id);
        if (operation == null) {
            throw ArmException.notFound("operations/" + id);
        }
        boolean done = !state.now().isBefore(operation.endsAt());
        var retryAfter =
                Map.of("Retry-After", String.valueOf(state.settings.retryAfter().toSeconds()));
        if (call.request().queryFields().containsKey("monitor")) {
            if (!done) {
                return HttpAnswer.text(202, TYPE, retryAfter, "");
            }
            return operation.result() == null ? empty(204) : HttpAnswer.text(200, TYPE, Map.of(), operation.result());
        }
        var body = object().put("name", id)
                .put("startTime", operation.begun().toString())
                .put("status", done ? operation.failed() ? "Failed" : "Succeeded" : "InProgress");
        if (done && operation.failed()) {
            body.putObject("error").put("code", "InternalExecutionError").put("message", "An internal error occurred.");
        }
        return HttpAnswer.text(200, TYPE, done ? Map.of() : retryAfter, body.toString());
    }

    static String base(ArmCall call) {
        return "http://" + call.request().headers.getOrDefault("host", "127.0.0.1");
    }
}
