package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel.Finding;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel.Severity;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Holds requests and answers against the discovery document. */
public final class DiscoveryCheck {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ERROR_STATUS = 400;
    /**
     * The client library's own way to ask for JSON; a system parameter (google.aip.dev/127), in no discovery
     * document.
     */
    private static final String SYSTEM_PREFIX = "$";

    private final DiscoveryModel model;

    public DiscoveryCheck(DiscoveryModel model) {
        this.model = model;
    }

    /** What is wrong with a request; one that the document has no method for is an error itself. */
    public List<Finding> request(HttpRequest request) {
        var findings = new ArrayList<Finding>();
        var found = model.match(request.method, HttpRequest.decoded(request.path));
        if (found.isEmpty()) {
            findings.add(new Finding(Severity.ERROR, "no method: %s %s".formatted(request.method, request.path)));
            return findings;
        }
        var method = found.get().method();
        parameters(method, found.get().path(), request.queryFields(), findings);
        body(method, request.body, findings);
        return findings;
    }

    private void parameters(
            DiscoveryModel.Method method, Map<String, String> path, Map<String, String> query, List<Finding> findings) {
        method.parameters().properties().forEach(entry -> {
            boolean there = path.containsKey(entry.getKey()) || query.containsKey(entry.getKey());
            if (entry.getValue().path("required").asBoolean() && !there) {
                findings.add(error(entry.getKey(), "is required"));
            }
        });
        path.forEach((name, value) -> parameter(method, name, value, findings));
        query.forEach((name, value) -> {
            if (!name.startsWith(SYSTEM_PREFIX)) {
                parameter(method, name, value, findings);
            }
        });
    }

    private void parameter(DiscoveryModel.Method method, String name, String value, List<Finding> findings) {
        var schema = model.parameter(method, name);
        if (schema.isEmpty()) {
            findings.add(error(name, "is no parameter of " + method.id()));
        } else {
            DiscoveryValues.text(schema.get(), name, value, findings);
        }
    }

    private void body(DiscoveryModel.Method method, byte[] body, List<Finding> findings) {
        String schema = method.request();
        if (schema == null) {
            if (body.length > 0) {
                findings.add(error("body", "has %d bytes, and %s takes none".formatted(body.length, method.id())));
            }
            return;
        }
        try {
            new DiscoveryValues(model, method.id(), true, findings).object(schema, "", JSON.readTree(body));
        } catch (IOException e) {
            findings.add(error("body", "is no JSON: " + e.getMessage()));
        }
    }

    /** What is wrong with an answer of a method, {@code snapshots.insert}. */
    public List<Finding> answer(String methodId, HttpAnswer answer) {
        return answer(methodId, answer.status, answer.body);
    }

    public List<Finding> answer(String methodId, int status, byte[] body) {
        var findings = new ArrayList<Finding>();
        JsonNode json;
        try {
            json = JSON.readTree(body);
        } catch (IOException e) {
            findings.add(error("body", "is no JSON: " + e.getMessage()));
            return findings;
        }
        if (status >= ERROR_STATUS) {
            failure(status, json, findings);
            return findings;
        }
        String schema = model.method(methodId).response();
        if (schema != null) {
            new DiscoveryValues(model, methodId, false, findings).object(schema, "", json);
        }
        return findings;
    }

    /** Errors have no schema in the document; the form is that of the recordings of the real service. */
    private static void failure(int status, JsonNode json, List<Finding> findings) {
        JsonNode error = json.path("error");
        if (error.path("code").asInt() != status) {
            findings.add(error("error.code", "is %s, HTTP says %d".formatted(error.path("code"), status)));
        }
        if (!error.path("message").isTextual()) {
            findings.add(error("error.message", "is no text"));
        }
        JsonNode errors = error.path("errors");
        if (!errors.isArray() || errors.isEmpty()) {
            findings.add(error("error.errors", "is no list"));
        }
        for (JsonNode each : errors) {
            if (!each.path("reason").isTextual() || !each.path("domain").isTextual()) {
                findings.add(error("error.errors", "has one without reason or domain: " + each));
            }
        }
    }

    static Finding error(String where, String what) {
        return new Finding(Severity.ERROR, where + " " + what);
    }
}
