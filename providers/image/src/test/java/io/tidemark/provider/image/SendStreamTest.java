package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.devices.SendFraming;
import io.tidemark.spi.BlockRange;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SendStreamTest {
    private static final int MKFILE = 3;
    private static final int RENAME = 9;
    private static final int WRITE = 15;
    private static final int CLONE = 16;
    private static final int TRUNCATE = 17;
    private static final int UTIMES = 20;
    private static final int END = 21;
    private static final int UPDATE_EXTENT = 22;
    private static final long SIZE = 1 << 20;

    @Test
    void everyCommandThatChangesBytesMarksThem() throws Exception {
        var stream = stream(
                1,
                command(UPDATE_EXTENT, path("volume.img"), number(18, 4096), number(4, 4096)),
                command(WRITE, path("volume.img"), number(18, 20_000), attribute(19, new byte[10_000])),
                command(CLONE, path("volume.img"), number(18, 65_536), number(24, 4096)),
                command(UTIMES, path("volume.img")),
                command(TRUNCATE, path("volume.img"), number(4, SIZE - 4096)),
                command(END));

        assertThat(read(stream))
                .containsExactly(
                        new BlockRange(4096, 4096),
                        new BlockRange(16_384, 16_384),
                        new BlockRange(65_536, 4096),
                        new BlockRange(SIZE - 4096, 4096));
    }

    @Test
    void otherFilesDoNotMatter() throws Exception {
        var stream = stream(
                1,
                command(UPDATE_EXTENT, path("other.img"), number(18, 4096), number(4, 4096)),
                command(MKFILE, path("o300-7-0")),
                command(RENAME, path("o300-7-0"), attribute(16, bytes("notes.txt"))),
                command(END));

        assertThat(read(stream)).isEmpty();
    }

    @Test
    void openDataOfVersionTwoReachesTheCommandsEnd() throws Exception {
        var data = ByteBuffer.allocate(2 + 5000).order(ByteOrder.LITTLE_ENDIAN).putShort((short) 19);
        var stream = stream(2, command(WRITE, path("volume.img"), number(18, 0), data.array()), command(END));

        assertThat(read(stream)).containsExactly(new BlockRange(0, 8192));
    }

    @Test
    void imageThatIsAnotherFileNowIsRefused() {
        var moved = stream(1, command(RENAME, path("o300-7-0"), attribute(16, bytes("volume.img"))), command(END));
        var made = stream(1, command(MKFILE, path("volume.img")), command(END));

        assertThatThrownBy(() -> read(moved)).isInstanceOf(SendStream.LineageException.class);
        assertThatThrownBy(() -> read(made)).isInstanceOf(SendStream.LineageException.class);
    }

    @Test
    void rangesPastTheImageAreCutOff() throws Exception {
        var stream = stream(
                1,
                command(UPDATE_EXTENT, path("volume.img"), number(18, SIZE - 100), number(4, 1 << 30)),
                command(UPDATE_EXTENT, path("volume.img"), number(18, SIZE * 4), number(4, 4096)),
                command(END));

        assertThat(read(stream)).containsExactly(new BlockRange(SIZE - 4096, 4096));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4, 999})
    void unknownVersionsAreRefused(int version) {
        assertThatThrownBy(() -> read(stream(version, command(END)))).hasMessageContaining("version");
    }

    @Test
    void unknownCommandsAreRefusedBecauseTheyMightChangeBytes() {
        assertThatThrownBy(() -> read(stream(1, command(27), command(END)))).hasMessageContaining("unknown command");
        assertThatThrownBy(() -> read(stream(1, command(0), command(END)))).hasMessageContaining("unknown command");
    }

    @Test
    void negativeNumbersAndMissingAttributesAreRefused() {
        var negative = command(UPDATE_EXTENT, path("volume.img"), number(18, -1), number(4, 4096));
        var missing = command(UPDATE_EXTENT, path("volume.img"), number(18, 0));
        var narrow = command(UPDATE_EXTENT, path("volume.img"), number(18, 0), attribute(4, new byte[3]));

        for (var command : List.of(negative, missing, narrow)) {
            assertThatThrownBy(() -> read(stream(1, command, command(END)))).isInstanceOf(IOException.class);
        }
    }

    @Test
    void hugeCommandsAreRefusedBeforeTheyAreRead() {
        var stream = stream(1, command(END));
        ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN).putInt(17, Integer.MAX_VALUE);
        assertThatThrownBy(() -> read(stream)).hasMessageContaining("at most");
        ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN).putInt(17, -1);
        assertThatThrownBy(() -> read(stream)).hasMessageContaining("at most");
    }

    @Test
    void everyFlippedBitAndEveryEarlyEndIsFound() {
        var whole =
                stream(1, command(UPDATE_EXTENT, path("volume.img"), number(18, 4096), number(4, 4096)), command(END));
        var random = new Random(9);

        for (int length = 0; length < whole.length; length++) {
            var early = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> read(early)).isInstanceOf(IOException.class);
        }
        for (int index = 17; index < whole.length; index++) {
            var flipped = whole.clone();
            flipped[index] ^= (byte) (1 << random.nextInt(8));
            assertThatThrownBy(() -> read(flipped)).as("byte %d", index).isInstanceOf(IOException.class);
        }
    }

    @Test
    void arbitraryBytesNeverDoAnythingButFail() {
        var random = new Random(10);
        for (int round = 0; round < 2_000; round++) {
            var noise = new byte[random.nextInt(200)];
            random.nextBytes(noise);
            var stream = new ByteArrayOutputStream();
            stream.writeBytes(Arrays.copyOf(stream(1, new byte[0]), 17));
            stream.writeBytes(noise);
            assertThatThrownBy(() -> read(stream.toByteArray())).isInstanceOf(IOException.class);
        }
    }

    @Test
    void setOfBlocksHasALimit() {
        var set = new BlockSet();

        assertThatThrownBy(() -> set.mark(0, Long.MAX_VALUE)).isInstanceOf(IOException.class);
        assertThatCode(() -> new BlockSet().mark(5, 5)).doesNotThrowAnyException();
    }

    private static List<BlockRange> read(byte[] stream) throws Exception {
        var changed = new BlockSet();
        new SendStream(new ByteArrayInputStream(stream), "volume.img", SIZE, changed).read();
        var ranges = new ArrayList<BlockRange>();
        var source = changed.ranges(SIZE);
        for (var range = source.next(); range.isPresent(); range = source.next()) {
            ranges.add(range.get());
        }
        return ranges;
    }

    private static byte[] stream(int version, byte[]... commands) {
        var stream = new ByteArrayOutputStream();
        stream.writeBytes(SendFraming.opening(version));
        for (var command : commands) {
            stream.writeBytes(command);
        }
        return stream.toByteArray();
    }

    private static byte[] command(int code, byte[]... attributes) {
        var body = new ByteArrayOutputStream();
        for (var attribute : attributes) {
            body.writeBytes(attribute);
        }
        return SendFraming.command(code, body.toByteArray());
    }

    private static byte[] attribute(int type, byte[] value) {
        return little(4 + value.length)
                .putShort((short) type)
                .putShort((short) value.length)
                .put(value)
                .array();
    }

    private static byte[] number(int type, long value) {
        return attribute(type, little(8).putLong(value).array());
    }

    private static byte[] path(String path) {
        return attribute(15, bytes(path));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static ByteBuffer little(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }
}
