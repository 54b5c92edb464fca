package io.tidemark.provider.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.gce.GceCalls.Page;
import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class GceListsTest {
    /** Which were read, in order. */
    private final List<Integer> read = new ArrayList<>();

    /** A list whose pages these are, an empty one first; a token is the number of its page. */
    private Optional<Page<String>> page(Optional<String> token) {
        var pages = List.of(List.<String>of(), List.of("a", "b"), List.of("c"), List.of("d"));
        int number = token.map(Integer::parseInt).orElse(0);
        read.add(number);
        return Optional.of(new Page<>(
                pages.get(number),
                number + 1 < pages.size() ? Optional.of(String.valueOf(number + 1)) : Optional.empty()));
    }

    @Test
    void oneExampleIsReadNoFurtherThanItsPage() throws ProviderException {
        assertThat(GceLists.first("list", this::page, each -> each.equals("b"))).contains("b");
        assertThat(read).containsExactly(0, 1);
    }

    @Test
    void whatIsNowhereIsLookedForToTheEnd() throws ProviderException {
        assertThat(GceLists.first("list", this::page, each -> each.equals("z"))).isEmpty();
        assertThat(read).containsExactly(0, 1, 2, 3);
    }

    @Test
    void aRefusedTokenBeginsTheListAgain() throws ProviderException {
        assertThat(GceLists.all("list", token -> read.size() == 2 ? refused() : page(token)))
                .containsExactly("a", "b", "c", "d");
        assertThat(read).containsExactly(0, 1, -1, 0, 1, 2, 3);
    }

    private Optional<Page<String>> refused() {
        read.add(-1);
        return Optional.empty();
    }
}
