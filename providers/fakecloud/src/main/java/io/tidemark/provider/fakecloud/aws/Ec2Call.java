package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One call of EC2: its form, and the fault that befalls it. */
final class Ec2Call {
    static final int TAGS_MAXIMUM = 50;

    final String action;
    final Map<String, String> form;
    final Fault fault;
    final FaultScript script;
    final Instant now;

    /** One filter: all must hold, of each one value. */
    record Filter(String name, List<String> values) {}

    Ec2Call(String action, Map<String, String> form, Fault fault, FaultScript script, Instant now) {
        this.action = action;
        this.form = form;
        this.fault = fault;
        this.script = script;
        this.now = now;
    }

    @Nullable
    String text(String name) {
        return form.get(name);
    }

    String required(String name) throws Ec2Exception {
        String value = form.get(name);
        if (value == null || value.isEmpty()) {
            throw new Ec2Exception("MissingParameter", "The request must contain the parameter " + name);
        }
        return value;
    }

    boolean flag(String name) {
        return Boolean.parseBoolean(form.get(name));
    }

    @Nullable
    Integer number(String name) throws Ec2Exception {
        String value = form.get(name);
        try {
            return value == null ? null : Integer.valueOf(value);
        } catch (NumberFormatException e) {
            throw invalid(name, value, "expecting an integer");
        }
    }

    List<String> list(String name) {
        var values = new ArrayList<String>();
        for (int index = 1; form.containsKey(name + "." + index); index++) {
            values.add(form.getOrDefault(name + "." + index, ""));
        }
        return values;
    }

    List<Filter> filters() {
        var filters = new ArrayList<Filter>();
        for (int index = 1; form.containsKey("Filter.%d.Name".formatted(index)); index++) {
            String prefix = "Filter." + index;
            filters.add(new Filter(form.getOrDefault(prefix + ".Name", ""), list(prefix + ".Value")));
        }
        return filters;
    }

    /** Tags that the request has for what it makes. */
    Map<String, String> tagsFor(String resourceType) throws Ec2Exception {
        var tags = new LinkedHashMap<String, String>();
        for (int index = 1; form.containsKey("TagSpecification.%d.ResourceType".formatted(index)); index++) {
            String prefix = "TagSpecification." + index;
            if (!resourceType.equals(form.get(prefix + ".ResourceType"))) {
                throw new Ec2Exception(
                        "InvalidParameterValue",
                        "'%s' is not a valid taggable resource type for this operation."
                                .formatted(form.get(prefix + ".ResourceType")));
            }
            tags.putAll(tags(prefix + ".Tag"));
        }
        checkTags(tags);
        return tags;
    }

    Map<String, String> tags(String prefix) {
        var tags = new LinkedHashMap<String, String>();
        for (int index = 1; form.containsKey("%s.%d.Key".formatted(prefix, index)); index++) {
            tags.put(
                    form.getOrDefault("%s.%d.Key".formatted(prefix, index), ""),
                    form.getOrDefault("%s.%d.Value".formatted(prefix, index), ""));
        }
        return tags;
    }

    static void checkTags(Map<String, String> tags) throws Ec2Exception {
        if (tags.size() > TAGS_MAXIMUM) {
            throw new Ec2Exception("TagLimitExceeded", "More than 50 tags specified");
        }
        for (var tag : tags.entrySet()) {
            if (tag.getKey().isEmpty()
                    || tag.getKey().length() > 127
                    || tag.getValue().length() > 255) {
                throw new Ec2Exception("InvalidParameterValue", "Tag key or value is too long: " + tag.getKey());
            }
            if (tag.getKey().toLowerCase(Locale.ROOT).startsWith("aws:")) {
                throw new Ec2Exception(
                        "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use");
            }
        }
    }

    static Ec2Exception invalid(String name, @Nullable String value, String why) {
        return new Ec2Exception(
                "InvalidParameterValue", "Value (%s) for parameter %s is invalid: %s".formatted(value, name, why));
    }
}
