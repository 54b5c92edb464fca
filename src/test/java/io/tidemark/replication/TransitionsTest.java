package io.tidemark.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TransitionsTest {

    @Test
    void everySourceStateIsReachable() {
        var reached = EnumSet.of(SourceState.NEW);
        for (int round = 0; round < SourceState.values().length; round++) {
            for (var from : EnumSet.copyOf(reached)) {
                for (var event : SourceEvent.values()) {
                    SourceTransitions.next(from, event).ifPresent(reached::add);
                }
            }
        }

        assertThat(reached).containsExactlyInAnyOrder(SourceState.values());
    }

    @Test
    void everyTargetStateIsReachable() {
        var reached = EnumSet.of(TargetState.NEW);
        for (int round = 0; round < TargetState.values().length; round++) {
            for (var from : EnumSet.copyOf(reached)) {
                for (var event : TargetEvent.values()) {
                    TargetTransitions.next(from, event).ifPresent(reached::add);
                }
            }
        }

        assertThat(reached).containsExactlyInAnyOrder(TargetState.values());
    }

    @ParameterizedTest
    @EnumSource(SourceState.class)
    void olderHoldsEndOnlyAfterTheTargetSaysItHasTheNewOne(SourceState state) {
        for (var event : SourceEvent.values()) {
            if (SourceTransitions.next(state, event).equals(java.util.Optional.of(SourceState.MOVING_HOLDS))) {
                assertThat(event).isIn(SourceEvent.COMMITTED, SourceEvent.THERE_ALREADY);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(TargetState.class)
    void nothingButItsOwnFailureStopsACommittedTarget(TargetState state) {
        if (state.committed()) {
            assertThat(TargetTransitions.next(state, TargetEvent.LINK_LOST)).contains(state);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = TargetState.class,
            names = {"GREETED", "LOOKING", "RECEIVING", "COMMITTING"})
    void aLostLinkEndsWhatIsNotCommitted(TargetState state) {
        assertThat(TargetTransitions.next(state, TargetEvent.LINK_LOST)).contains(TargetState.FAILED);
    }
}
