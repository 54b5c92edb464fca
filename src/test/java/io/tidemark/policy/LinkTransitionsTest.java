package io.tidemark.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.LinkState;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;

class LinkTransitionsTest {
    @Test
    void everyStateIsReachedAndEveryStateIsLeft() {
        var reached = EnumSet.of(LinkState.ACTIVE);
        for (int round = 0; round < LinkState.values().length; round++) {
            for (var state : EnumSet.copyOf(reached)) {
                for (var event : LinkEvent.values()) {
                    LinkTransitions.next(state, event).ifPresent(reached::add);
                }
            }
        }

        assertThat(reached).containsExactlyInAnyOrder(LinkState.values());
        for (var state : LinkState.values()) {
            assertThat(LinkEvent.values())
                    .anyMatch(event -> LinkTransitions.next(state, event)
                            .filter(next -> next != state)
                            .isPresent());
        }
    }

    @Test
    void aHandedOverLinkNeverComesBackWithoutThePeersWord() {
        assertThat(LinkTransitions.next(LinkState.HANDING_OVER, LinkEvent.RESUME_ASKED))
                .isEmpty();
        assertThat(LinkTransitions.next(LinkState.HANDING_OVER, LinkEvent.PROMOTED))
                .isEmpty();
        assertThat(LinkTransitions.next(LinkState.HANDING_OVER, LinkEvent.PAUSE_ASKED))
                .isEmpty();
    }
}
