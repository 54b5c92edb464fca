package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;

/** What {@code btrfs send} says; the image is named {@code volume.img}. */
class SendStreamFuzzTest {
    private static final long SIZE_BYTES = 1 << 20;
    private static final int STREAM_HEADER_BYTES = 17;
    private static final int COMMAND_HEADER_BYTES = 10;
    private static final int CHECKSUM_AT = 6;

    @FuzzTest
    void stream(byte[] bytes) {
        read(bytes);
        read(repaired(bytes));
    }

    private static byte[] repaired(byte[] bytes) {
        byte[] repaired = bytes.clone();
        int at = STREAM_HEADER_BYTES;
        while (at + COMMAND_HEADER_BYTES <= bytes.length) {
            int length = SendStream.little(bytes).getInt(at);
            int from = at + COMMAND_HEADER_BYTES;
            if (length < 0 || length > bytes.length - from) {
                break;
            }
            byte[] header = Arrays.copyOfRange(repaired, at, from);
            Arrays.fill(header, CHECKSUM_AT, COMMAND_HEADER_BYTES, (byte) 0);
            byte[] body = Arrays.copyOfRange(repaired, from, from + length);
            SendStream.little(repaired).putInt(at + CHECKSUM_AT, SendChecksum.of(header, body));
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
