package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LiveWireTest {
    private static final CopyId LONGEST = new CopyId("a".repeat(63));

    private static List<Generation> generations(int count, long from) {
        return LongStream.range(from, from + count).mapToObj(Generation::new).toList();
    }

    private static Generations largest() {
        return new Generations(
                Optional.of(new Generation(-1)),
                Map.of(
                        new CopyId("b".repeat(63)), generations(Generations.BASES_MAXIMUM, 1),
                        new CopyId("c".repeat(63)), generations(Generations.BASES_MAXIMUM, 9),
                        new CopyId("d".repeat(63)), generations(Generations.BASES_MAXIMUM, 17)),
                generations(Generations.HISTORY_MAXIMUM, 100));
    }

    private static Bytes noise(int length) {
        var bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return Bytes.of(ByteBuffer.wrap(bytes));
    }

    private static LiveMessage.Hello hello(Generations generations, boolean flags) {
        var role = flags ? LiveStatus.Role.PRIMARY : LiveStatus.Role.SECONDARY;
        return new LiveMessage.Hello(
                LONGEST,
                Long.MAX_VALUE,
                Protocol.C,
                generations,
                role,
                flags,
                !flags,
                flags,
                new LiveMessage.Apart(
                        Long.MAX_VALUE,
                        flags,
                        Long.MAX_VALUE,
                        flags
                                ? new AfterSplitBrain(NoPrimary.DISCARD_YOUNGER, OnePrimary.DISCARD_SECONDARY)
                                : AfterSplitBrain.DISCONNECT));
    }

    static Stream<LiveMessage> atTheirLimits() {
        int most = LiveWire.DATA_MAXIMUM;
        var run = new DirtyBitmap.Run(Long.MAX_VALUE, Integer.MAX_VALUE);
        return Stream.of(
                hello(largest(), true),
                hello(Generations.none(), false),
                new LiveMessage.Dirty(Collections.nCopies(LiveMessage.Dirty.RUNS_MAXIMUM, run), true),
                new LiveMessage.Dirty(List.of(), false),
                new LiveMessage.Write(Long.MAX_VALUE, Long.MAX_VALUE, most, noise(most)),
                new LiveMessage.Write(1, 0, most, Bytes.zeros(most)),
                new LiveMessage.Write(1, 0, 1, noise(1)),
                new LiveMessage.Block(Long.MAX_VALUE, Long.MAX_VALUE, most, noise(most)),
                new LiveMessage.Block(1, 0, most, Bytes.zeros(most)),
                new LiveMessage.Compare(
                        1, 0, most, new BlockDigests(ByteBuffer.allocate(most / DirtyBitmap.BLOCK_BYTES * 16))),
                new LiveMessage.Compare(1, 0, 1, new BlockDigests(ByteBuffer.allocate(16))),
                new LiveMessage.Differing(1, Collections.nCopies(LiveMessage.Dirty.RUNS_MAXIMUM, run)),
                new LiveMessage.OutOfSync(),
                new LiveMessage.Ask(LiveMessage.Ask.What.VERIFY),
                new LiveMessage.Barrier(Long.MAX_VALUE),
                new LiveMessage.Finished(Long.MAX_VALUE, largest()),
                new LiveMessage.Ahead(Long.MAX_VALUE),
                new LiveMessage.Received(Long.MAX_VALUE),
                new LiveMessage.Durable(Long.MAX_VALUE),
                new LiveMessage.InStep(),
                new LiveMessage.RoleChanged(LiveStatus.Role.PRIMARY),
                new LiveMessage.RoleChanged(LiveStatus.Role.SECONDARY));
    }

    private static ByteBuffer written(LiveMessage message) {
        var bytes = ByteBuffer.allocate(LiveWire.bytesMaximum(message));
        LiveWire.put(message, bytes);
        return bytes.flip();
    }

    @Test
    void everyKindIsAmongThem() {
        var kinds = new HashSet<Class<?>>();
        atTheirLimits().forEach(message -> kinds.add(message.getClass()));

        // All but Numbered, which is an interface of its own.
        assertThat(kinds)
                .hasSize(LiveMessage.class.getPermittedSubclasses().length
                        - 1
                        + LiveMessage.Numbered.class.getPermittedSubclasses().length);
    }

    @ParameterizedTest
    @MethodSource("atTheirLimits")
    void whatIsWrittenIsReadAlikeAndFitsIntoAFrame(LiveMessage message) {
        assertThat(LiveWire.bytesMaximum(message)).isLessThanOrEqualTo(LiveWire.FRAME_MAXIMUM);
        assertThat(LiveWire.read(written(message))).containsExactly(message);
    }

    @Test
    void severalAreReadInTheirOrder() {
        var messages = atTheirLimits().toList();
        var bytes = ByteBuffer.allocate(
                messages.stream().mapToInt(LiveWire::bytesMaximum).sum());
        messages.forEach(message -> LiveWire.put(message, bytes));

        assertThat(LiveWire.read(bytes.flip())).isEqualTo(messages);
    }

    @Test
    void dataIsACopyThatOutlivesItsFrame() {
        var frame = written(new LiveMessage.Write(1, 0, 16, noise(16)));
        var read = LiveWire.read(frame.duplicate());
        frame.put(frame.limit() - 1, (byte) ~frame.get(frame.limit() - 1));

        assertThat(read).containsExactly(new LiveMessage.Write(1, 0, 16, noise(16)));
    }

    @ParameterizedTest
    @MethodSource("atTheirLimits")
    void oneThatIsCutAnywhereIsRefused(LiveMessage message) {
        var whole = written(message);
        int step = Math.max(1, whole.limit() / 2_000);
        for (int length = 1; length < whole.limit(); length += step) {
            var cut = whole.duplicate().limit(length);
            assertThatIllegalArgumentException().as("cut at %d", length).isThrownBy(() -> LiveWire.read(cut));
        }
    }

    @ParameterizedTest
    @MethodSource("atTheirLimits")
    void damageIsRefusedOrReadAsAnotherMessageAndNothingElse(LiveMessage message) {
        var whole = written(message);
        var random = new Random(7);
        for (int round = 0; round < 500; round++) {
            var damaged =
                    ByteBuffer.allocate(whole.limit()).put(whole.duplicate()).flip();
            damaged.put(random.nextInt(Math.min(whole.limit(), 400)), (byte) random.nextInt());
            try {
                assertThat(LiveWire.read(damaged)).isNotNull();
            } catch (IllegalArgumentException refused) {
                assertThat(refused).hasMessageMatching("(?s).+");
            }
        }
    }

    @Test
    void whatClaimsMoreThanItsLimitIsRefusedBeforeAnythingIsHeld() {
        for (int length : new int[] {LiveWire.DATA_MAXIMUM + 1, Integer.MAX_VALUE, -1, 0}) {
            var write = written(new LiveMessage.Write(1, 0, 16, noise(16))).putInt(1 + 8 + 8, length);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> LiveWire.read(write))
                    .withMessageContaining("%d bytes, 1 to %d", length, LiveWire.DATA_MAXIMUM);
        }
        for (int count : new int[] {LiveMessage.Dirty.RUNS_MAXIMUM + 1, Integer.MAX_VALUE, -1}) {
            var dirty = written(new LiveMessage.Dirty(List.of(), true)).putInt(2, count);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> LiveWire.read(dirty))
                    .withMessageContaining("%d runs of dirty blocks", count);
        }
    }

    @Test
    void codesThatNobodyKnowsAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LiveWire.read(ByteBuffer.wrap(new byte[] {99})))
                .withMessageContaining("code 99");
        var data = written(new LiveMessage.Write(1, 0, 16, noise(16))).put(1 + 8 + 8 + 4, (byte) 2);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LiveWire.read(data))
                .withMessageContaining("code 2");
        var generations = written(hello(largest(), true)).put(1, (byte) -1);
        assertThatIllegalArgumentException().isThrownBy(() -> LiveWire.read(generations));
    }
}
