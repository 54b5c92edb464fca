package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.aws.ServiceModel.Member;
import io.tidemark.provider.fakecloud.aws.ServiceModel.Operation;
import io.tidemark.provider.fakecloud.aws.ServiceModel.Shape;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/**
 * EC2's protocol {@code ec2}: forms as botocore writes them (its serializer {@code EC2Serializer}), answers as its
 * parser {@code EC2QueryParser} reads them.
 */
final class Ec2ModelCheck {
    private static final Set<String> ENVELOPE = Set.of("Action", "Version");
    private static final XMLInputFactory XML = factory();

    /** Answers that were judged, for a client that polls hears the same thing again and again. */
    private static final int JUDGED_MAXIMUM = 500;

    private static final int JUDGED_BYTES_MAXIMUM = 16 << 10;

    private final ServiceModel model;
    private final Map<Judged, List<String>> judged = new LinkedHashMap<>(16, 0.75f, true) {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Judged, List<String>> eldest) {
            return size() > JUDGED_MAXIMUM;
        }
    };

    /** An answer, by all that a finding depends on; times and ids are in the body. */
    private record Judged(String action, int status, String body) {}

    /** An element: its text, or what lies within. */
    private record Element(String name, List<Element> children, StringBuilder text) {}

    Ec2ModelCheck(ServiceModel model) {
        this.model = model;
    }

    private static XMLInputFactory factory() {
        var factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        return factory;
    }

    /** What is wrong with a form; empty where nothing is. */
    List<String> request(Map<String, String> form) {
        var findings = new ArrayList<String>();
        Operation operation = model.operations.get(form.getOrDefault("Action", ""));
        if (operation == null) {
            findings.add("the model has no action " + form.get("Action"));
            return findings;
        }
        if (!"2016-11-15".equals(form.get("Version"))) {
            findings.add("Version is " + form.get("Version"));
        }
        var unread = new TreeSet<>(form.keySet());
        unread.removeAll(ENVELOPE);
        if (!operation.input().isEmpty()) {
            structure(model.shape(operation.input()), "", form, unread, findings);
        }
        unread.forEach(field -> findings.add("unknown field " + field));
        return findings;
    }

    private void structure(
            Shape shape, String prefix, Map<String, String> form, Set<String> unread, List<String> findings) {
        for (var member : shape.members().values()) {
            String where = prefix + wireName(member);
            boolean present =
                    form.containsKey(where) || form.keySet().stream().anyMatch(field -> field.startsWith(where + "."));
            if (present) {
                value(model.shape(member.shape()), where, form, unread, findings);
            } else if (shape.required().contains(member.name())) {
                findings.add("required %s is missing".formatted(where));
            }
        }
    }

    private void value(Shape shape, String where, Map<String, String> form, Set<String> unread, List<String> findings) {
        switch (shape.type()) {
            case "structure" -> structure(shape, where + ".", form, unread, findings);
            case "list" -> list(shape, where, form, unread, findings);
            default -> {
                unread.remove(where);
                ModelScalars.check(shape, where, form.getOrDefault(where, ""), findings);
            }
        }
    }

    /** Lists stand flat: {@code Name.1}, {@code Name.2}, without a gap. */
    private void list(Shape shape, String where, Map<String, String> form, Set<String> unread, List<String> findings) {
        Member element = Objects.requireNonNull(shape.element());
        int size = 0;
        while (true) {
            String item = where + "." + (size + 1);
            if (!form.containsKey(item) && form.keySet().stream().noneMatch(field -> field.startsWith(item + "."))) {
                break;
            }
            value(model.shape(element.shape()), item, form, unread, findings);
            size++;
        }
        ModelScalars.checkBounds(shape, where, size, findings);
    }

    private static String wireName(Member member) {
        if (member.queryName() != null) {
            return member.queryName();
        }
        String name = member.locationName() == null ? member.name() : member.locationName();
        return name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1);
    }

    /** What is wrong with an answer to an action; empty where nothing is. */
    List<String> answer(String action, int status, byte[] body) {
        if (body.length > JUDGED_BYTES_MAXIMUM) {
            return judge(action, status, body);
        }
        var key = new Judged(action, status, new String(body, StandardCharsets.ISO_8859_1));
        synchronized (judged) {
            var known = judged.get(key);
            if (known != null) {
                return known;
            }
        }
        var findings = judge(action, status, body);
        synchronized (judged) {
            judged.put(key, findings);
        }
        return findings;
    }

    private List<String> judge(String action, int status, byte[] body) {
        var findings = new ArrayList<String>();
        Element root;
        try {
            root = parse(body);
        } catch (XMLStreamException e) {
            findings.add("no XML: " + e.getMessage());
            return findings;
        }
        if (status != 200) {
            error(root, status, findings);
            return findings;
        }
        Operation operation = model.operations.get(action);
        if (operation == null || !root.name().equals(action + "Response")) {
            findings.add("%s answers %s".formatted(root.name(), action));
            return findings;
        }
        var children = new ArrayList<>(root.children());
        if (!children.removeIf(child -> child.name().equals("requestId"))) {
            findings.add("no requestId");
        }
        if (operation.output().isEmpty()) {
            children.removeIf(child ->
                    child.name().equals("return") && child.text().toString().equals("true"));
            children.forEach(child -> findings.add("unknown element " + child.name()));
        } else {
            structure(model.shape(operation.output()), "", children, findings);
        }
        return findings;
    }

    private static void error(Element root, int status, List<String> findings) {
        Element errors = child(root, "Errors");
        Element error = errors == null ? null : child(errors, "Error");
        if (!root.name().equals("Response") || error == null || child(root, "RequestID") == null) {
            findings.add("HTTP %d is not an error of EC2's form".formatted(status));
            return;
        }
        Element code = child(error, "Code");
        if (code == null || code.text().isEmpty() || child(error, "Message") == null) {
            findings.add("an error without Code or Message");
        }
    }

    private static @Nullable Element child(Element parent, String name) {
        return parent.children().stream()
                .filter(child -> child.name().equals(name))
                .findFirst()
                .orElse(null);
    }

    private void structure(Shape shape, String where, List<Element> children, List<String> findings) {
        var seen = new HashSet<String>();
        for (var child : children) {
            Member member = shape.members().values().stream()
                    .filter(candidate -> child.name()
                            .equals(candidate.locationName() == null ? candidate.name() : candidate.locationName()))
                    .findFirst()
                    .orElse(null);
            String at = where + "/" + child.name();
            if (member == null) {
                findings.add("unknown element %s of %s".formatted(at, shape.name()));
            } else if (!seen.add(member.name())) {
                findings.add("element %s stands twice".formatted(at));
            } else {
                element(model.shape(member.shape()), at, child, findings);
            }
        }
        shape.required().stream()
                .filter(name -> !seen.contains(name))
                .forEach(name -> findings.add("required %s of %s is missing".formatted(name, where)));
    }

    private void element(Shape shape, String where, Element element, List<String> findings) {
        switch (shape.type()) {
            case "structure" -> structure(shape, where, element.children(), findings);
            case "list" -> {
                Member member = Objects.requireNonNull(shape.element());
                String name = member.locationName() == null ? "member" : member.locationName();
                ModelScalars.checkBounds(shape, where, element.children().size(), findings);
                for (var child : element.children()) {
                    if (!child.name().equals(name)) {
                        findings.add("%s holds %s, not %s".formatted(where, child.name(), name));
                    }
                    element(model.shape(member.shape()), where + "/" + name, child, findings);
                }
            }
            default -> {
                if (!element.children().isEmpty()) {
                    findings.add("%s holds elements, not a value".formatted(where));
                }
                ModelScalars.check(shape, where, element.text().toString(), findings);
            }
        }
    }

    private static Element parse(byte[] body) throws XMLStreamException {
        XMLStreamReader reader = XML.createXMLStreamReader(new ByteArrayInputStream(body));
        Deque<Element> open = new ArrayDeque<>();
        Element root = new Element("", new ArrayList<>(), new StringBuilder());
        open.push(root);
        while (reader.hasNext()) {
            switch (reader.next()) {
                case XMLStreamConstants.START_ELEMENT -> {
                    var element = new Element(reader.getLocalName(), new ArrayList<>(), new StringBuilder());
                    open.element().children().add(element);
                    open.push(element);
                }
                case XMLStreamConstants.END_ELEMENT -> open.pop();
                case XMLStreamConstants.CHARACTERS -> open.element().text().append(reader.getText());
                default -> {}
            }
        }
        return root.children().getFirst();
    }
}
