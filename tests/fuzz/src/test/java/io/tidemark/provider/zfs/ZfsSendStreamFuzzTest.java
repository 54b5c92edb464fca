package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;

/** What {@code zfs send} says of a volume. */
class ZfsSendStreamFuzzTest {
    private static final int BLOCK_BYTES = 16 << 10;
    private static final long SIZE_BYTES = (1 << 20) + 512;

    @FuzzTest
    void stream(byte[] bytes) {
        var changed = new RangeSet();
        try {
            new ZfsSendStream(new ByteArrayInputStream(bytes), BLOCK_BYTES, changed).read();
        } catch (IOException e) {
            return;
        }
        long end = -1;
        for (var range : changed.ranges(BLOCK_BYTES, SIZE_BYTES)) {
            assertThat(range.offsetBytes()).isGreaterThan(end);
            assertThat(range.offsetBytes() % BLOCK_BYTES).isZero();
            end = range.endBytes();
        }
        assertThat(end).isLessThanOrEqualTo(SIZE_BYTES);
    }
}
