package io.tidemark.control;

import io.tidemark.agent.Unlisted;
import io.tidemark.control.port.Page;
import java.util.List;
import java.util.Map;

/**
 * A page of what several hosts have.
 *
 * @param unlisted hosts of which nothing is in it that should be, in order of name; each page names them anew
 */
public record Listing<T>(Page<T> page, List<Unlisted> unlisted) {
    public Listing {
        unlisted = List.copyOf(unlisted);
    }

    /** @param missing reasons, by host */
    static <T> Listing<T> of(Page<T> page, Map<String, String> missing) {
        return new Listing<>(
                page,
                missing.entrySet().stream()
                        .map(one -> new Unlisted(one.getKey(), one.getValue()))
                        .toList());
    }
}
