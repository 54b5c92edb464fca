package io.tidemark.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.client.Json;
import java.io.IOException;
import java.util.BitSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SequenceLogTest {
    private final SequenceLog log = new SequenceLog();

    /** Number n is issued at 10 n and acknowledged at 10 n + 5; number 4 was held until 95. */
    @BeforeEach
    void fill() {
        for (int number = 1; number <= 3; number++) {
            log.acknowledged(number, number * 10L, number * 10L + 5);
        }
        log.acknowledged(4, 40, 95);
        log.acknowledged(5, 100, 105);
    }

    private static BitSet numbers(int... present) {
        var set = new BitSet();
        for (int number : present) {
            set.set(number);
        }
        return set;
    }

    @Test
    void whatWasAcknowledgedBeforeTheFreezeAndIsNotThereIsLost() {
        assertThat(log.lost(numbers(1, 3), 42)).isEqualTo(1);
        assertThat(log.lost(numbers(1, 2, 3), 42)).isZero();
    }

    @Test
    void whatWasUnderWayAtTheFreezeMayBeThereOrNot() {
        assertThat(log.lost(numbers(1, 2, 3), 42)).isZero();
        assertThat(log.fromTheFuture(numbers(1, 2, 3, 4), 60)).isZero();
    }

    @Test
    void whatWasIssuedAfterTheFreezeHeldMustNotBeThere() {
        assertThat(log.fromTheFuture(numbers(1, 2, 3, 4, 5), 60)).isEqualTo(1);
        assertThat(log.fromTheFuture(numbers(6), 60)).isEqualTo(1);
    }

    @Test
    void theWorstLatencyIsThatOfNumbersUnderWayInTheWindow() {
        assertThat(log.worstNanosBetween(42, 60)).isEqualTo(55);
        assertThat(log.worstNanosBetween(1, 34)).isEqualTo(5);
    }

    @Test
    void theCutIsBoundedByTheFileSystemsFreezesWhereThereAreAny() throws IOException {
        var cut = Workload.Cut.of(Json.parse("""
                {"certificate":{"freezes":[
                   {"kind":"postgresql","requestedNanos":1,"acknowledgedNanos":2,"releasedNanos":99},
                   {"kind":"filesystem","requestedNanos":10,"acknowledgedNanos":12,"releasedNanos":40},
                   {"kind":"filesystem","requestedNanos":11,"acknowledgedNanos":15,"releasedNanos":39}],
                 "cuts":[{"startedNanos":20,"finishedNanos":21}]}}"""));

        assertThat(cut).isEqualTo(new Workload.Cut(10, 15, 40));
    }

    @Test
    void withoutFreezesTheCutsThemselvesBoundIt() throws IOException {
        var cut = Workload.Cut.of(
                Json.parse("{\"certificate\":{\"freezes\":[],\"cuts\":[{\"startedNanos\":20,\"finishedNanos\":21}]}}"));

        assertThat(cut).isEqualTo(new Workload.Cut(20, 21, 21));
    }
}
