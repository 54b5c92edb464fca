package io.tidemark.control.port;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Part of a list.
 *
 * @param next where the next page begins, meaningful to the list that gave it; empty on the last page
 */
public record Page<T>(List<T> items, Optional<String> next) {
    public Page {
        items = List.copyOf(items);
    }

    /**
     * Cuts a list that was read one item too long on purpose.
     *
     * @param readItems up to {@code limit + 1} items
     * @param keyOf what the next page begins after
     */
    public static <T> Page<T> cut(List<T> readItems, int limit, Function<T, String> keyOf) {
        if (readItems.size() <= limit) {
            return new Page<>(readItems, Optional.empty());
        }
        var items = readItems.subList(0, limit);
        return new Page<>(items, Optional.of(keyOf.apply(items.getLast())));
    }

    public <R> Page<R> map(Function<T, R> change) {
        return new Page<>(items.stream().map(change).toList(), next);
    }
}
