package io.tidemark.provider.zfs;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tidemark.provider.zfs.ZfsRecord.Beginning;
import io.tidemark.spi.ProviderException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** What comes from another site to be given to {@code zfs receive}. */
class StreamGateFuzzTest {
    private static final int PIECE_BYTES = 1_000;

    @FuzzTest
    void stream(byte[] bytes) throws ProviderException {
        var through = new ByteArrayOutputStream();
        var gate = new StreamGate(new StreamGate.Way() {
            @Override
            public void begin(Beginning beginning) {
                assertThat(through.size()).isZero();
            }

            @Override
            public void take(byte[] taken, int offset, int length) {
                through.write(taken, offset, length);
            }
        });
        try {
            for (int at = 0; at < bytes.length; at += PIECE_BYTES) {
                gate.write(ByteBuffer.wrap(bytes, at, Math.min(PIECE_BYTES, bytes.length - at)));
            }
            through.writeBytes(gate.last());
        } catch (IOException e) {
            assertThat(through.toByteArray()).isEqualTo(Arrays.copyOf(bytes, through.size()));
            return;
        }
        assertThat(through.toByteArray()).isEqualTo(bytes);
    }
}
