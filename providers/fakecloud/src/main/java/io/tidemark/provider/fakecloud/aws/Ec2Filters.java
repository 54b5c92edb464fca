package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.aws.Ec2Call.Filter;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Filters of the describe calls: names of one kind of thing, {@code *} and {@code ?} as wildcards, tags of all. */
final class Ec2Filters<T> {
    private final Map<String, Function<T, @Nullable String>> fields;
    private final Function<T, Map<String, String>> tags;

    Ec2Filters(Map<String, Function<T, @Nullable String>> fields, Function<T, Map<String, String>> tags) {
        this.fields = fields;
        this.tags = tags;
    }

    /** Refuses filters that EC2 does not know for this kind of thing. */
    void check(List<Filter> filters) throws Ec2Exception {
        for (var filter : filters) {
            boolean known = filter.name().startsWith("tag:")
                    || filter.name().equals("tag-key")
                    || fields.containsKey(filter.name());
            if (!known) {
                throw new Ec2Exception("InvalidParameterValue", "The filter '%s' is invalid".formatted(filter.name()));
            }
        }
    }

    boolean hold(List<Filter> filters, T thing) {
        return filters.stream().allMatch(filter -> holds(filter, thing));
    }

    private boolean holds(Filter filter, T thing) {
        if (filter.name().equals("tag-key")) {
            return tags.apply(thing).keySet().stream().anyMatch(key -> matches(filter.values(), key));
        }
        if (filter.name().startsWith("tag:")) {
            return matches(filter.values(), tags.apply(thing).get(filter.name().substring("tag:".length())));
        }
        var field = fields.get(filter.name());
        return field != null && matches(filter.values(), field.apply(thing));
    }

    private static boolean matches(List<String> patterns, @Nullable String value) {
        return value != null && patterns.stream().anyMatch(pattern -> matches(pattern, value));
    }

    private static boolean matches(String pattern, String value) {
        if (pattern.indexOf('*') < 0 && pattern.indexOf('?') < 0) {
            return pattern.equals(value);
        }
        String expression = ("\\Q" + pattern + "\\E").replace("*", "\\E.*\\Q").replace("?", "\\E.\\Q");
        return Pattern.compile(expression, Pattern.DOTALL).matcher(value).matches();
    }
}
