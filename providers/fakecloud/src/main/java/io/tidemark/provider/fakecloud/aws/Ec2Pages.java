package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.Fault;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Lists of EC2 in pages: MaxResults, NextToken, and what a fault does to them.
 *
 * <p>A token belongs to the question it came with: the same filters and owners must come with it. Guarded by the lock
 * of the account.
 */
final class Ec2Pages {
    private final Set<String> expired = new HashSet<>();

    /** A page and the token of the next one. */
    record Page<T>(List<T> items, @Nullable String nextToken) {}

    /** Bounds of MaxResults: below the first is an error, above the last counts as the last. */
    record Bounds(int minimum, int maximum) {}

    <T> Page<T> page(Ec2Call call, List<T> all, Function<T, String> id, Predicate<T> shown, Bounds bounds)
            throws Ec2Exception {
        int size = size(call, bounds);
        String after = after(call);
        boolean paged = call.text("MaxResults") != null || !after.isEmpty();
        if (call.fault == Fault.EMPTY_PAGE && paged) {
            return new Page<>(List.of(), token(call, after));
        }
        var items = new ArrayList<T>();
        for (var item : all) {
            if (id.apply(item).compareTo(after) > 0 && shown.test(item)) {
                if (items.size() == size) {
                    return new Page<>(items, token(call, id.apply(items.getLast())));
                }
                items.add(item);
            }
        }
        return new Page<>(items, null);
    }

    /** The id after which the page begins; the empty text at the start. */
    String after(Ec2Call call) throws Ec2Exception {
        String token = call.text("NextToken");
        if (token == null || token.isEmpty()) {
            return "";
        }
        if (call.fault == Fault.EXPIRE_TOKEN) {
            expired.add(token);
        }
        String[] parts = decoded(token).split("\\|", -1);
        if (parts.length != 2 || !parts[0].equals(question(call)) || expired.contains(token)) {
            throw new Ec2Exception("InvalidNextToken", "The token '%s' is invalid".formatted(token));
        }
        return parts[1];
    }

    private static int size(Ec2Call call, Bounds bounds) throws Ec2Exception {
        Integer asked = call.number("MaxResults");
        if (asked == null) {
            return Integer.MAX_VALUE;
        }
        if (asked < bounds.minimum()) {
            throw Ec2Call.invalid("maxResults", asked.toString(), "Expecting a value greater than " + bounds.minimum());
        }
        return Math.min(asked, bounds.maximum());
    }

    private static String token(Ec2Call call, String after) {
        return Base64.getEncoder().encodeToString((question(call) + "|" + after).getBytes(StandardCharsets.UTF_8));
    }

    private static String decoded(String token) {
        try {
            return new String(Base64.getDecoder().decode(token), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    private static String question(Ec2Call call) {
        var asked = new TreeMap<>(call.form);
        asked.keySet().removeAll(Set.of("NextToken", "MaxResults", "Version"));
        return Integer.toHexString(Map.copyOf(asked).hashCode());
    }
}
