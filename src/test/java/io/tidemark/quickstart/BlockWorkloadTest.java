package io.tidemark.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class BlockWorkloadTest {

    @Test
    void aBlockTellsItsNumber() {
        assertThat(BlockWorkload.numberIn(BlockWorkload.blockFor(77))).isEqualTo(77);
    }

    @Test
    void aTornBlockTellsNothing() {
        var block = BlockWorkload.blockFor(77);
        block.put(2_000, (byte) ~block.get(2_000));

        assertThat(BlockWorkload.numberIn(block)).isZero();
    }

    @Test
    void everyBlockIsVisitedBeforeOneIsWrittenAgain() {
        var visited = new BitSet();
        for (int number = 1; number <= 16_384; number++) {
            visited.set(BlockWorkload.blockOf(number));
        }

        assertThat(visited.cardinality()).isEqualTo(16_384);
    }
}
