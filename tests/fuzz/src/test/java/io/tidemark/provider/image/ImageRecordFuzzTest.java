package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** What lies beside a snapshot. */
class ImageRecordFuzzTest {
    @FuzzTest
    void record(byte[] bytes) {
        if (bytes.length > ImageRecord.BYTES_MAXIMUM) {
            return;
        }
        decode(bytes);
        if (bytes.length > Integer.BYTES) {
            byte[] repaired = bytes.clone();
            var crc = new CRC32C();
            crc.update(repaired, 0, repaired.length - Integer.BYTES);
            ByteBuffer.wrap(repaired).putInt(repaired.length - Integer.BYTES, (int) crc.getValue());
            decode(repaired);
        }
    }

    private static void decode(byte[] bytes) {
        try {
            var record = ImageRecord.decode(bytes);
            assertThat(record.encode()).isEqualTo(bytes);
            assertThat(record.toString()).isNotEmpty();
        } catch (ImageRecord.DamagedException e) {
            assertThat(e).hasMessageNotContaining("null");
        }
    }
}
