package io.tidemark.provider.gce;

import io.tidemark.provider.gce.GceCalls.Page;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Reads lists, to their end or as far as is needed. Pages may be empty and not the last; a page's token may expire, and the list begins
 * again.
 */
final class GceLists {
    /** As many pages of 500 as 100,000 snapshots have, ten times over. */
    private static final int PAGES_MAXIMUM = 2_000;

    private static final int BEGINNINGS_MAXIMUM = 5;

    private GceLists() {}

    interface Pages<T> {
        /** Empty: the token was refused. */
        Optional<Page<T>> page(Optional<String> token) throws ProviderException;
    }

    static <T> List<T> all(String asked, Pages<T> pages) throws ProviderException {
        return read(asked, pages, page -> false);
    }

    /** Reads no further than the page that has it. */
    static <T> Optional<T> first(String asked, Pages<T> pages, Predicate<T> wanted) throws ProviderException {
        return read(asked, pages, page -> page.stream().anyMatch(wanted)).stream()
                .filter(wanted)
                .findFirst();
    }

    /** @param isLast whether what comes after a page of these is not needed */
    private static <T> List<T> read(String asked, Pages<T> pages, Predicate<List<T>> isLast) throws ProviderException {
        for (int beginning = 0; beginning < BEGINNINGS_MAXIMUM; beginning++) {
            var whole = once(asked, pages, isLast);
            if (whole.isPresent()) {
                return whole.get();
            }
        }
        throw new ProviderException(new ProviderError.Unexpected(
                asked, "page tokens were refused in %d lists, one after the other".formatted(BEGINNINGS_MAXIMUM)));
    }

    private static <T> Optional<List<T>> once(String asked, Pages<T> pages, Predicate<List<T>> isLast)
            throws ProviderException {
        var all = new ArrayList<T>();
        Optional<String> token = Optional.empty();
        for (int count = 0; count < PAGES_MAXIMUM; count++) {
            var page = pages.page(token);
            if (page.isEmpty()) {
                return Optional.empty();
            }
            all.addAll(page.get().items());
            token = page.get().next();
            if (token.isEmpty() || isLast.test(page.get().items())) {
                return Optional.of(all);
            }
        }
        throw new ProviderException(
                new ProviderError.Unexpected(asked, "%d pages and none the last".formatted(PAGES_MAXIMUM)));
    }
}
