package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.BlockRange;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code incremental.zfs} is what OpenZFS 2.1.11 sent of a volume of 4 MiB, {@code zfs send -c -e -L -i}, between
 * whose snapshots blocks 3 and 4 were written (embedded), 100 (compressed) and 200 (embedded), and 10 to 14 and 250
 * to the end discarded.
 */
class ZfsSendStreamTest {
    private static final int BLOCK_BYTES = 16 << 10;
    private static final long VOLUME_BYTES = 4 << 20;
    private static final int RECORD_BYTES = 312;

    @Test
    void everyKindOfChangeOfARealStreamIsNamed() throws Exception {
        assertThat(ranges(sent()))
                .containsExactly(blocks(3, 2), blocks(10, 5), blocks(100, 1), blocks(200, 1), blocks(250, 6));
    }

    @Test
    void streamOfAHostWithTheOtherByteOrderIsRead() throws Exception {
        var stream = stream(ByteOrder.BIG_ENDIAN, write(ByteOrder.BIG_ENDIAN, 5L * BLOCK_BYTES));

        assertThat(ranges(stream)).containsExactly(blocks(5, 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 311, 312, 700, 7_000, 7_935})
    void streamThatBreaksOffIsRefused(int length) throws Exception {
        var cut = Arrays.copyOf(sent(), length);

        assertThatThrownBy(() -> ranges(cut)).isInstanceOf(EOFException.class);
    }

    @Test
    void bytesBehindTheEndAreRefused() throws Exception {
        var longer = Arrays.copyOf(sent(), sent().length + 1);

        assertThatThrownBy(() -> ranges(longer)).hasMessageContaining("behind its end");
    }

    @Test
    void unknownRecordIsRefused() {
        var unknown = record(ByteOrder.LITTLE_ENDIAN, 11, _ -> {});

        assertThatThrownBy(() -> ranges(stream(ByteOrder.LITTLE_ENDIAN, unknown)))
                .hasMessageContaining("type 11");
    }

    @Test
    void unknownFeatureIsRefused() throws Exception {
        var bytes = sent();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(16, 1 | 1L << 30);

        assertThatThrownBy(() -> ranges(bytes)).hasMessageContaining("features");
    }

    @Test
    void streamOfAFileSystemIsRefused() throws Exception {
        var bytes = sent();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(32, 2);

        assertThatThrownBy(() -> ranges(bytes)).hasMessageContaining("not of a volume");
    }

    @Test
    void blocksOfAnotherSizeAreRefused() throws Exception {
        var bytes = sent();

        assertThatThrownBy(() -> new ZfsSendStream(new ByteArrayInputStream(bytes), 8192, new RangeSet()).read())
                .hasMessageContaining("blocks of 16384 bytes");
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, (16 << 20) + 1})
    void payloadThatNoBlockHasIsRefused(long lengthBytes) {
        var write =
                record(ByteOrder.LITTLE_ENDIAN, 3, bytes -> bytes.putLong(8, 1).putLong(32, lengthBytes));

        assertThatThrownBy(() -> ranges(stream(ByteOrder.LITTLE_ENDIAN, write))).isInstanceOf(IOException.class);
    }

    @Test
    void objectsThatAreFreedMustBeNoneOfAVolumes() throws Exception {
        var order = ByteOrder.LITTLE_ENDIAN;
        var none = stream(order, freeing(0, 1));
        var data = stream(order, freeing(1, 1));
        var all = stream(order, freeing(0, -1));

        assertThat(ranges(none)).isEmpty();
        assertThatThrownBy(() -> ranges(data)).hasMessageContaining("freed");
        assertThatThrownBy(() -> ranges(all)).hasMessageContaining("freed");
    }

    private static byte[] sent() throws IOException {
        try (var stream = ZfsSendStreamTest.class.getResourceAsStream("incremental.zfs")) {
            return Objects.requireNonNull(stream).readAllBytes();
        }
    }

    private static List<BlockRange> ranges(byte[] bytes) throws IOException {
        var changed = new RangeSet();
        new ZfsSendStream(new ByteArrayInputStream(bytes), BLOCK_BYTES, changed).read();
        return changed.ranges(BLOCK_BYTES, VOLUME_BYTES);
    }

    private static BlockRange blocks(long first, long count) {
        return new BlockRange(first * BLOCK_BYTES, count * BLOCK_BYTES);
    }

    private static byte[] freeing(long first, long count) {
        return record(
                ByteOrder.LITTLE_ENDIAN, 2, bytes -> bytes.putLong(8, first).putLong(16, count));
    }

    private static byte[] stream(ByteOrder order, byte[] records) {
        var begin = record(
                order,
                0,
                bytes -> bytes.putLong(8, 0x2F5bacbacL)
                        .putLong(16, 1 | 0x43_0000L << 2)
                        .putInt(32, 3));
        var stream = new byte[2 * RECORD_BYTES + records.length];
        ByteBuffer.wrap(stream).put(begin).put(records).put(record(order, 5, _ -> {}));
        return stream;
    }

    private static byte[] write(ByteOrder order, long offsetBytes) {
        var record = record(
                order,
                3,
                bytes -> bytes.putLong(8, 1)
                        .putLong(24, offsetBytes)
                        .putLong(32, BLOCK_BYTES)
                        .put(50, (byte) 15)
                        .putLong(96, 512));
        return Arrays.copyOf(record, RECORD_BYTES + 512);
    }

    private static byte[] record(ByteOrder order, int type, Consumer<ByteBuffer> fill) {
        var record = new byte[RECORD_BYTES];
        fill.accept(ByteBuffer.wrap(record).order(order).putInt(0, type));
        return record;
    }
}
