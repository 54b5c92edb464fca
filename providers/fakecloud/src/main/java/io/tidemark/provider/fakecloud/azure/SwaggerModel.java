package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.azure.ShapeCheck.Rules;
import io.tidemark.provider.fakecloud.azure.Specification.Part;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Operations as a published Swagger 2.0 document names them: address, query, headers and body of what is asked and
 * answered.
 */
final class SwaggerModel {
    /** Sent by every client and no parameter of an operation. */
    private static final Set<String> COMMON_QUERY = Set.of("api-version");

    private final Specification specification;
    private final Map<String, Operation> operations = new HashMap<>();
    private final Set<String> versions;

    private record Operation(Part node, String path, List<Part> parameters) {}

    /**
     * @param files of the models' folder, with {@code paths} or {@code x-ms-paths}
     * @param versions that a request may name: newer ones than the documents', whose parts that we use are the same
     */
    SwaggerModel(Specification specification, List<String> files, Set<String> versions) {
        this.specification = specification;
        this.versions = versions;
        for (var file : files) {
            var document = specification.document(file);
            for (var key : List.of("paths", "x-ms-paths")) {
                document.node().path(key).properties().forEach(each -> add(document, each.getKey(), each.getValue()));
            }
        }
    }

    private void add(Part document, String path, JsonNode methods) {
        for (var each : methods.properties()) {
            var operation = document.child(each.getValue());
            if (!operation.node().has("operationId")) {
                continue;
            }
            var parameters = new ArrayList<Part>();
            for (var list : List.of(methods.path("parameters"), operation.node().path("parameters"))) {
                list.forEach(parameter -> parameters.add(specification.resolved(document.child(parameter))));
            }
            operations.put(operation.node().get("operationId").asText(), new Operation(operation, path, parameters));
        }
    }

    boolean knows(String operation) {
        return operations.containsKey(operation);
    }

    /** @param path values of the address's variables, by the names that the document gives them */
    List<String> request(
            String name,
            Map<String, String> path,
            Map<String, String> query,
            Map<String, String> headers,
            @Nullable JsonNode body) {
        var findings = new ArrayList<String>();
        var operation = operations.get(name);
        if (operation == null) {
            return List.of("the model has no operation " + name);
        }
        var known = new ArrayList<>(COMMON_QUERY);
        boolean hasBody = false;
        for (var each : operation.parameters()) {
            var parameter = each.node();
            var called = parameter.get("name").asText();
            boolean isRequired = parameter.path("required").asBoolean();
            switch (parameter.get("in").asText()) {
                case "path" -> value(each, path.get(called), isRequired, "path " + called, findings);
                case "query" -> {
                    known.add(called);
                    value(each, query.get(called), isRequired, "query " + called, findings);
                }
                case "header" -> {
                    var sent = headers.get(called.toLowerCase(Locale.ROOT));
                    value(each, sent, isRequired, "header " + called, findings);
                }
                case "body" -> {
                    hasBody = true;
                    body(each, body, isRequired, findings);
                }
                default -> {}
            }
        }
        query.keySet().stream()
                .filter(each -> !known.contains(each))
                .forEach(each -> findings.add("query " + each + " is unknown"));
        if (body != null && !hasBody) {
            findings.add("a body is sent, and none is asked for");
        }
        return findings;
    }

    private void value(Part parameter, @Nullable String value, boolean isRequired, String at, List<String> findings) {
        if (value == null) {
            if (isRequired) {
                findings.add(at + " is missing");
            }
            return;
        }
        if (at.equals("query api-version") || at.equals("header x-ms-version")) {
            if (!versions.contains(value)) {
                findings.add("%s is %s, none of %s".formatted(at, value, versions));
            }
            return;
        }
        var json = JsonNodeFactory.instance;
        var type = parameter.node().path("type").asText();
        var typed = type.equals("integer") && value.matches("-?[0-9]{1,18}")
                ? json.numberNode(Long.parseLong(value))
                : type.equals("boolean") && value.matches("true|false")
                        ? json.booleanNode(Boolean.parseBoolean(value))
                        : json.textNode(value);
        new ShapeCheck(specification, Rules.REQUEST, findings).check(parameter, typed, at);
    }

    private void body(Part parameter, @Nullable JsonNode body, boolean isRequired, List<String> findings) {
        if (body == null) {
            if (isRequired) {
                findings.add("body is missing");
            }
            return;
        }
        new ShapeCheck(specification, Rules.REQUEST, findings)
                .check(parameter.child(parameter.node().get("schema")), body, "body");
    }

    /** @param body empty where none came, or none of JSON */
    List<String> answer(String name, HttpAnswer answer, @Nullable JsonNode body) {
        var findings = new ArrayList<String>();
        var operation = operations.get(name);
        if (operation == null) {
            return List.of("the model has no operation " + name);
        }
        var responses = operation.node().node().get("responses");
        var response = responses.get(String.valueOf(answer.status));
        if (response == null) {
            if (answer.status < 400) {
                findings.add("status %d is none of %s".formatted(answer.status, responses.properties()));
            } else {
                error(answer, body, findings);
            }
            return findings;
        }
        var told = specification.resolved(operation.node().child(response));
        if (told.node().has("schema") && body != null) {
            new ShapeCheck(specification, Rules.ANSWER, findings)
                    .check(told.child(told.node().get("schema")), body, "body");
        } else if (told.node().has("schema") && answer.status == 200 && answer.body.length == 0) {
            findings.add("no body, and one is promised");
        }
        boolean isLong =
                operation.node().node().path("x-ms-long-running-operation").asBoolean();
        if (isLong
                && answer.status == 202
                && !answer.headers.containsKey("Location")
                && !answer.headers.containsKey("Azure-AsyncOperation")) {
            findings.add("202 without the address of the operation");
        }
        return findings;
    }

    /**
     * ARM's form: {@code error} with {@code code} and {@code message}; of the data plane the header alone is looked at.
     */
    private static void error(HttpAnswer answer, @Nullable JsonNode body, List<String> findings) {
        if (body == null) {
            if (!answer.headers.containsKey("x-ms-error-code")) {
                findings.add("an error that says nothing");
            }
        } else if (!body.path("error").path("code").isTextual()
                || !body.path("error").path("message").isTextual()) {
            findings.add("an error without code and message: " + body);
        }
    }
}
