package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tidemark.provider.devices.SendFraming;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** What {@code btrfs send} says; the image is named {@code volume.img}. */
class SendStreamFuzzTest {
    private static final long SIZE_BYTES = 1 << 20;

    @FuzzTest
    void stream(byte[] bytes) {
        read(bytes);
        read(repaired(bytes));
    }

    private static byte[] repaired(byte[] bytes) {
        byte[] repaired = bytes.clone();
        int at = SendFraming.OPENING_BYTES;
        while (at + SendFraming.HEADER_BYTES <= bytes.length) {
            int length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(at);
            int code = Short.toUnsignedInt(
                    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getShort(at + Integer.BYTES));
            int from = at + SendFraming.HEADER_BYTES;
            if (length < 0 || length > bytes.length - from) {
                break;
            }
            byte[] command = SendFraming.command(code, Arrays.copyOfRange(repaired, from, from + length));
            System.arraycopy(command, 0, repaired, at, command.length);
            at = from + length;
        }
        return repaired;
    }

    private static void read(byte[] bytes) {
        var changed = new BlockSet();
        try {
            new SendStream(new ByteArrayInputStream(bytes), "volume.img", SIZE_BYTES, changed).read();
        } catch (IOException e) {
            return;
        }
        long end = 0;
        var ranges = changed.ranges(SIZE_BYTES);
        for (var range = ranges.next(); range.isPresent(); range = ranges.next()) {
            assertThat(range.get().offsetBytes()).isGreaterThanOrEqualTo(end);
            end = range.get().endBytes();
        }
        assertThat(end).isLessThanOrEqualTo(SIZE_BYTES);
    }
}
