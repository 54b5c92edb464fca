package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockSetTest {
    private static final int BLOCKS = 3 * BlockSet.CHUNK_BLOCKS + 100;

    @Test
    void rangesComeAndGoAsInASetOfBits() throws Exception {
        var random = new Random(7);
        var set = new BlockSet(BLOCKS, new SetMemory(SetMemory.BYTES_MAXIMUM).share());
        var bits = new BitSet(BLOCKS);

        for (int round = 0; round < 400; round++) {
            int from = near(random);
            int end = Math.max(from, near(random));
            if (random.nextInt(3) > 0) {
                set.add(from, end);
                bits.set(from, end);
            } else {
                set.remove(from, end);
                bits.clear(from, end);
            }

            assertThat(set.size()).isEqualTo(bits.cardinality());
            int probe = Math.min(BLOCKS - 1, near(random));
            assertThat(set.contains(probe)).isEqualTo(bits.get(probe));
            int next = bits.get(probe) ? bits.nextClearBit(probe) : bits.nextSetBit(probe);
            assertThat(set.runEnd(probe, BLOCKS, bits.get(probe)))
                    .isEqualTo(next < 0 ? BLOCKS : Math.min(BLOCKS, next));
            assertThat(set.runEnd(probe, BLOCKS, !bits.get(probe))).isEqualTo(probe);
            assertThat(set.missing(from, end))
                    .isEqualTo(end - from - bits.get(from, end).cardinality());
        }
    }

    /** Borders of chunks and words are where mistakes are. */
    private static int near(Random random) {
        int border = random.nextInt(4) * BlockSet.CHUNK_BLOCKS + random.nextInt(3) * Long.SIZE;
        return Math.clamp(border + (long) random.nextInt(5) - 2, 0, BLOCKS);
    }

    @Test
    void chunksThatAreAllInOrAllOutTakeNoMemory() throws Exception {
        var memory = new SetMemory(SetMemory.BYTES_MAXIMUM);
        var set = new BlockSet(BLOCKS, memory.share());
        long empty = memory.takenBytes();

        for (int at = 0; at < BLOCKS; at += 50) {
            set.add(at, Math.min(BLOCKS, at + 50));
            assertThat(memory.takenBytes()).isBetween(empty, empty + BlockSet.CHUNK_BYTES);
        }

        assertThat(memory.takenBytes()).isEqualTo(empty);
        set.remove(7, BLOCKS);
        set.remove(0, 7);
        assertThat(memory.takenBytes()).isEqualTo(empty);
        assertThat(set.runEnd(0, BLOCKS, false)).isEqualTo(BLOCKS);
    }
}
