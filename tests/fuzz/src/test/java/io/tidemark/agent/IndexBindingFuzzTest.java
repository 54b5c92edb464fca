package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Whose index a file is: as it was found, and with its checksum made right. */
class IndexBindingFuzzTest {
    @FuzzTest
    void binding(byte[] bytes) {
        read(bytes);
        if (bytes.length >= Integer.BYTES) {
            byte[] repaired = bytes.clone();
            var crc = new CRC32C();
            crc.update(repaired, 0, repaired.length - Integer.BYTES);
            ByteBuffer.wrap(repaired).putInt(repaired.length - Integer.BYTES, (int) crc.getValue());
            read(repaired);
        }
    }

    private static void read(byte[] bytes) {
        IndexBinding binding;
        try {
            binding = IndexBinding.decode(ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            assertThat(e.getMessage()).contains("binding of an index");
            return;
        }
        assertThat(binding.encoded()).isEqualTo(ByteBuffer.wrap(bytes));
    }
}
