package io.tidemark.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.document.Json;
import java.util.Optional;

/** What a request is answered with when nothing went wrong. */
record Answer(int status, Optional<String> location, String contentType, String body) {
    private static final String JSON = "application/json";
    private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";

    static Answer ok(ObjectNode document) {
        return new Answer(200, Optional.empty(), JSON, Json.write(document));
    }

    static Answer unavailable(ObjectNode document) {
        return new Answer(503, Optional.empty(), JSON, Json.write(document));
    }

    static Answer created(String location, ObjectNode document) {
        return new Answer(201, Optional.of(location), JSON, Json.write(document));
    }

    /** For what has no address of its own. */
    static Answer created(ObjectNode document) {
        return new Answer(201, Optional.empty(), JSON, Json.write(document));
    }

    static Answer accepted(String location, ObjectNode document) {
        return new Answer(202, Optional.of(location), JSON, Json.write(document));
    }

    static Answer noContent() {
        return new Answer(204, Optional.empty(), JSON, "");
    }

    static Answer text(String text) {
        return new Answer(200, Optional.empty(), TEXT, text);
    }

    /** As text that is kept with an idempotency key. */
    String kept() {
        var document = Json.object()
                .put("status", status)
                .put("contentType", contentType)
                .put("body", body);
        location.ifPresent(where -> document.put("location", where));
        return Json.write(document);
    }

    static Answer fromKept(String text) {
        var document = Json.object(text);
        return new Answer(
                document.path("status").intValue(),
                Json.optionalText(document, "location"),
                Json.text(document, "contentType"),
                Json.text(document, "body"));
    }
}
