package io.tidemark.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.ControlError;
import io.tidemark.control.ControlException;
import io.tidemark.control.Intent;
import io.tidemark.control.Listing;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.control.port.Page;
import io.tidemark.domain.Operation;
import io.tidemark.telemetry.Metrics;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Every operation of the OpenAPI file but the event stream, by its id. */
final class Endpoints {
    private final Map<String, Endpoint> byOperation = new TreeMap<>();
    private final SiteControl control;

    Endpoints(SiteControl control, Metrics metrics, ApiSettings settings) {
        this.control = control;
        new SiteEndpoints(control, metrics, settings.version(), settings.fingerprint()).addTo(this);
        new VolumeEndpoints(control).addTo(this);
        new ProtectionEndpoints(control).addTo(this);
        new StorageReplicationEndpoints(control).addTo(this);
        new RecoveryPointEndpoints(control).addTo(this);
        new LinkEndpoints(control).addTo(this);
        new ExportEndpoints(control).addTo(this);
        new LiveEndpoints(control).addTo(this);
        new AgentEndpoints(control).addTo(this);
        new OperationEndpoints(control).addTo(this);
    }

    Map<String, Endpoint> byOperation() {
        return Map.copyOf(byOperation);
    }

    void add(String operationId, Endpoint endpoint) {
        if (byOperation.put(operationId, endpoint) != null) {
            throw new IllegalStateException("operation %s has two endpoints".formatted(operationId));
        }
    }

    /** Acts on behalf of a request whose ids are fixed before it acts. */
    @FunctionalInterface
    interface Intended {
        Answer answer(ApiRequest request, Intent intent) throws Exception;
    }

    /** An endpoint that acts once for each idempotency key. */
    void addOnce(String operationId, Intended endpoint) {
        add(operationId, once(endpoint, false));
    }

    /** As {@link #addOnce}, with an answer that must not be kept. */
    void addOnceSecret(String operationId, Intended endpoint) {
        add(operationId, once(endpoint, true));
    }

    private Endpoint once(Intended endpoint, boolean secret) {
        return request -> Answer.fromKept(control.idempotentRequests()
                .once(
                        request.idempotencyKey(),
                        request.hash(),
                        secret,
                        intent -> endpoint.answer(request, intent).kept()));
    }

    static Answer accepted(Operation operation) {
        return Answer.accepted("/v1/operations/" + operation.id(), Documents.operation(operation));
    }

    /** A page of what several providers and hosts have; names those that are missing, where any is. */
    static <T> Answer listing(Listing<T> listing, Function<T, ObjectNode> document) {
        var answer = document(listing.page(), document);
        if (!listing.unlisted().isEmpty()) {
            var unlisted = answer.putArray("unlisted");
            listing.unlisted()
                    .forEach(each -> unlisted.addObject()
                            .put(each.part().name().toLowerCase(Locale.ROOT), each.name())
                            .put("reason", each.reason()));
        }
        return Answer.ok(answer);
    }

    static <T> Answer page(Page<T> page, Function<T, ObjectNode> document) {
        return Answer.ok(document(page, document));
    }

    private static <T> ObjectNode document(Page<T> page, Function<T, ObjectNode> document) {
        var answer = Json.object();
        var items = answer.putArray("items");
        page.items().forEach(item -> items.add(document.apply(item)));
        page.next().ifPresent(cursor -> answer.put("nextCursor", cursor));
        return answer;
    }

    /** Makes a value of an id or another domain record; what it refuses is the client's mistake. */
    static <T> T value(String field, String text, Function<String, T> make) throws ControlException {
        try {
            return make.apply(text);
        } catch (IllegalArgumentException refused) {
            throw new ControlException(
                    new ControlError.Invalid(field, text, "is refused: " + refused.getMessage(), "a right value"));
        }
    }
}
