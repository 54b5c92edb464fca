package io.tidemark.provider.fakecloud.aws;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.aws.ServiceModel.Member;
import io.tidemark.provider.fakecloud.aws.ServiceModel.Operation;
import io.tidemark.provider.fakecloud.aws.ServiceModel.Shape;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** EBS direct's protocol {@code rest-json}: address, query, headers, body. */
final class EbsModelCheck {
    /** Of every service, in no model: signature, tracing, request ids. */
    private static final Set<String> COMMON_HEADERS =
            Set.of("x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent", "x-amz-te");

    private final ServiceModel model;
    private final Map<String, Pattern> addresses = new HashMap<>();

    EbsModelCheck(ServiceModel model) {
        this.model = model;
        for (var operation : model.operations.values()) {
            addresses.put(
                    operation.name(), Pattern.compile(operation.requestUri().replaceAll("\\{(\\w+)}", "(?<$1>[^/]+)")));
        }
    }

    /** What is wrong with a request for an operation; empty where nothing is. */
    List<String> request(String name, HttpRequest request) {
        var findings = new ArrayList<String>();
        Operation operation = Objects.requireNonNull(model.operations.get(name), name);
        Shape shape = model.shape(operation.input());
        Matcher address = Objects.requireNonNull(addresses.get(name)).matcher(HttpRequest.decoded(request.path));
        if (!address.matches()) {
            findings.add("%s is not %s".formatted(request.path, operation.requestUri()));
            return findings;
        }
        var query = new TreeMap<>(request.queryFields());
        var headers = amazonHeaders(request.headers);
        var seen = new HashSet<String>();
        for (var member : shape.members().values()) {
            String wire = wireName(member);
            String value = switch (member.location()) {
                case "uri" -> address.group(wire);
                case "querystring" -> query.remove(wire);
                case "header" -> headers.remove(wire.toLowerCase(Locale.ROOT));
                default -> null;
            };
            if (value != null) {
                seen.add(member.name());
                ModelScalars.check(model.shape(member.shape()), wire, value, findings);
            }
        }
        query.keySet().forEach(field -> findings.add("unknown query field " + field));
        headers.keySet().forEach(header -> findings.add("unknown header " + header));
        if (shape.payload() != null) {
            seen.add(shape.payload());
        } else {
            body(shape, request.body, seen, findings);
        }
        missing(shape, seen, "request", findings);
        return findings;
    }

    /** What is wrong with an answer to an operation; empty where nothing is. */
    List<String> answer(String name, HttpAnswer answer) {
        var findings = new ArrayList<String>();
        Operation operation = Objects.requireNonNull(model.operations.get(name), name);
        String error = answer.headers.get("x-amzn-ErrorType");
        Shape shape = error == null ? model.shape(operation.output()) : model.errorShape(error);
        if (shape == null || (error != null && !operation.errors().contains(error))) {
            findings.add("%s has no error %s".formatted(name, error));
            return findings;
        }
        int status = error == null ? operation.status() : shape.errorStatus();
        if (answer.status != status) {
            findings.add("HTTP %d, not %d".formatted(answer.status, status));
        }
        var seen = new HashSet<String>();
        var headers = amazonHeaders(answer.headers);
        for (var member : shape.members().values()) {
            String value = member.location().equals("header")
                    ? headers.remove(wireName(member).toLowerCase(Locale.ROOT))
                    : null;
            if (value != null) {
                seen.add(member.name());
                ModelScalars.check(model.shape(member.shape()), wireName(member), value, findings);
            }
        }
        headers.keySet().forEach(header -> findings.add("unknown header " + header));
        if (shape.payload() == null) {
            body(shape, answer.body, seen, findings);
        }
        missing(shape, seen, "answer", findings);
        return findings;
    }

    private static void missing(Shape shape, Set<String> seen, String where, List<String> findings) {
        shape.required().stream()
                .filter(name -> !seen.contains(name))
                .forEach(name -> findings.add("required %s of the %s is missing".formatted(name, where)));
    }

    private void body(Shape shape, byte[] body, Set<String> seen, List<String> findings) {
        if (body.length == 0) {
            return;
        }
        try {
            structure(shape, "", EbsDirect.JSON.readTree(body), seen, findings);
        } catch (IOException e) {
            findings.add("no JSON: " + e.getMessage());
        }
    }

    private void structure(Shape shape, String where, JsonNode node, Set<String> seen, List<String> findings) {
        if (!node.isObject()) {
            findings.add("%s is no object".formatted(where));
            return;
        }
        for (var field : node.properties()) {
            Member member = shape.members().get(field.getKey());
            String at = where + "/" + field.getKey();
            if (member == null || !member.location().isEmpty()) {
                findings.add("unknown field %s of %s".formatted(at, shape.name()));
            } else if (!field.getValue().isNull()) {
                seen.add(member.name());
                value(model.shape(member.shape()), at, field.getValue(), findings);
            }
        }
    }

    private void value(Shape shape, String where, JsonNode node, List<String> findings) {
        switch (shape.type()) {
            case "structure" -> {
                var seen = new HashSet<String>();
                structure(shape, where, node, seen, findings);
                missing(shape, seen, where, findings);
            }
            case "list" -> {
                if (!node.isArray()) {
                    findings.add("%s is no list".formatted(where));
                    return;
                }
                ModelScalars.checkBounds(shape, where, node.size(), findings);
                Shape element =
                        model.shape(Objects.requireNonNull(shape.element()).shape());
                for (var item : node) {
                    value(element, where + "[]", item, findings);
                }
            }
            case "timestamp" -> require(node.isNumber(), shape, where, node, findings);
            case "boolean" -> require(node.isBoolean(), shape, where, node, findings);
            case "integer", "long" -> {
                require(node.isIntegralNumber(), shape, where, node, findings);
                ModelScalars.check(shape, where, node.asText(), findings);
            }
            default -> {
                require(node.isTextual(), shape, where, node, findings);
                ModelScalars.check(shape, where, node.asText(), findings);
            }
        }
    }

    private static void require(boolean right, Shape shape, String where, JsonNode node, List<String> findings) {
        if (!right) {
            findings.add("%s is no %s: %s".formatted(where, shape.type(), node));
        }
    }

    /** Headers that only a model can explain, by lower-case name. */
    private static Map<String, String> amazonHeaders(Map<String, String> headers) {
        var found = new TreeMap<String, String>();
        headers.forEach((name, value) -> {
            String lower = name.toLowerCase(Locale.ROOT);
            if (lower.startsWith("x-amz-") && !COMMON_HEADERS.contains(lower)) {
                found.put(lower, value);
            }
        });
        return found;
    }

    private static String wireName(Member member) {
        return member.locationName() == null ? member.name() : member.locationName();
    }
}
