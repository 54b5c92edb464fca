package io.tidemark.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.block.ChangedRun;
import io.tidemark.block.ChangedRuns;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.Message;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BlocksByOthersTest {
    private static final int BLOCK = 4 << 10;

    /** Neighbouring blocks, each filled with one byte. */
    private static ByteBuffer filled(int... fills) {
        var data = ByteBuffer.allocateDirect(fills.length * BLOCK);
        for (int fill : fills) {
            byte[] block = new byte[BLOCK];
            Arrays.fill(block, (byte) fill);
            data.put(block);
        }
        return data.flip();
    }

    private static ChangedRun run(long firstBlock, int... fills) {
        return new ChangedRun(firstBlock * BLOCK, (long) fills.length * BLOCK, false, filled(fills));
    }

    private static ChangedRun zeros(long firstBlock, int blocks) {
        return new ChangedRun(firstBlock * BLOCK, (long) blocks * BLOCK, true, filled());
    }

    private static Message.Blocks log(long firstBlock, int... fills) {
        return new Message.Blocks(
                List.of(new BlockExtent(firstBlock * BLOCK, fills.length * BLOCK, false)), filled(fills));
    }

    private static Message.Blocks logOfZeros(long firstBlock, int blocks) {
        return new Message.Blocks(List.of(new BlockExtent(firstBlock * BLOCK, blocks * BLOCK, true)), filled());
    }

    /** First block, number of blocks, and whether it is in the log. */
    private static List<String> found(List<ChangedRun> changed, Message.Blocks... log) throws Exception {
        var pieces = new ArrayList<String>();
        var left = new ArrayDeque<>(changed);
        var runs = new ChangedRuns() {
            @Override
            public Optional<ChangedRun> next() {
                return Optional.ofNullable(left.poll());
            }

            @Override
            public Counts counts() {
                return Counts.NONE;
            }

            @Override
            public void close() {}
        };
        var others = new BlocksByOthers(
                runs,
                (offset, length, inLog) ->
                        pieces.add("%d+%d%s".formatted(offset / BLOCK, length / BLOCK, inLog ? " in the log" : "")));
        for (var blocks : log) {
            others.passed(blocks);
        }
        others.end();
        return pieces;
    }

    @Test
    void whatTheLogHasWrittenIsNotByOthers() throws Exception {
        assertThat(found(List.of(run(1, 7, 8), run(5, 9)), log(1, 7, 8), log(5, 9, 9)))
                .isEmpty();
        assertThat(found(List.of(), log(1, 7, 8))).isEmpty();
    }

    @Test
    void whatLiesBeforeBetweenAndBehindTheLogIsByOthers() throws Exception {
        assertThat(found(List.of(run(0, 1), run(3, 1), run(9, 1, 1)), log(1, 7), log(4, 7)))
                .containsExactly("0+1", "3+1", "9+2");
    }

    @Test
    void anotherContentWhereTheLogWritesIsByOthers() throws Exception {
        assertThat(found(List.of(run(1, 1)), log(1, 7))).containsExactly("1+1 in the log");
    }

    @Test
    void aRunThatReachesOverTheLogsEdgesIsTakenApart() throws Exception {
        assertThat(found(List.of(run(0, 1, 7, 7, 1)), log(1, 7), log(2, 7))).containsExactly("0+1", "3+1");
    }

    @Test
    void zerosAreZerosHoweverTheyAreTold() throws Exception {
        assertThat(found(List.of(zeros(0, 2)), logOfZeros(0, 2))).isEmpty();
        assertThat(found(List.of(zeros(0, 2)), log(0, 0, 0))).isEmpty();
        assertThat(found(List.of(run(0, 0, 0)), logOfZeros(0, 2))).isEmpty();
        assertThat(found(List.of(zeros(0, 1)), log(0, 7))).containsExactly("0+1 in the log");
        assertThat(found(List.of(run(0, 7)), logOfZeros(0, 1))).containsExactly("0+1 in the log");
    }
}
