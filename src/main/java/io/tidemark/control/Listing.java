package io.tidemark.control;

import io.tidemark.agent.Unlisted;
import io.tidemark.control.port.Page;
import java.util.List;

/**
 * A page of what several providers and hosts have.
 *
 * @param unlisted those of which nothing is in it that should be, providers first, in order of name; each page names them
 *     anew
 */
public record Listing<T>(Page<T> page, List<Unlisted> unlisted) {
    public Listing {
        unlisted = List.copyOf(unlisted);
    }
}
