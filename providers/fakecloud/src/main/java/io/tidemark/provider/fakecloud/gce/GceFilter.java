package io.tidemark.provider.fakecloud.gce;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What of a list's filter the fake knows: {@code field = "value"}, in brackets, joined by {@code AND} (parameter {@code
 * filter} of the discovery document's lists).
 *
 * @param wanted by field: {@code name}, {@code status}, {@code labels.KEY}
 */
record GceFilter(Map<String, String> wanted) {
    private static final Pattern TERM =
            Pattern.compile("\\(?\\s*([A-Za-z.0-9_-]+)\\s*(?:=|eq)\\s*\"?([^\"()]*?)\"?\\s*\\)?");

    /** @throws GceException as the cloud does for one it does not understand */
    static GceFilter parse(String text) throws GceException {
        var wanted = new LinkedHashMap<String, String>();
        if (!text.isEmpty()) {
            for (String term : text.split("\\s+AND\\s+", -1)) {
                var matched = TERM.matcher(term);
                if (!matched.matches()) {
                    throw GceException.invalid("Invalid value for field 'filter': '%s'".formatted(text));
                }
                wanted.put(matched.group(1), matched.group(2));
            }
        }
        return new GceFilter(wanted);
    }

    boolean matches(GceResource resource, Instant now) {
        for (var each : wanted.entrySet()) {
            String key = each.getKey();
            String value;
            if (key.startsWith("labels.")) {
                value = resource.labels.get(key.substring("labels.".length()));
            } else if (key.equals("name")) {
                value = resource.name;
            } else {
                value = resource.json(now).path(key).asText();
            }
            if (!each.getValue().equals(value)) {
                return false;
            }
        }
        return true;
    }
}
