package io.tidemark.replication.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Crc32cTest {
    /** RFC 3720, appendix B.4, has other inputs; this one is the check value of the CRC catalogue (CRC-32/ISCSI). */
    @Test
    void isTheKnownOne() {
        var digits = ByteBuffer.wrap("123456789".getBytes(StandardCharsets.US_ASCII));

        assertThat(Crc32c.of(digits)).isEqualTo(0xE3069283);
        assertThat(digits.remaining()).isEqualTo(9);
    }

    @Test
    void piecesGiveWhatTheWholeGives() {
        var random = new Random(1);
        for (int round = 0; round < 2_000; round++) {
            var bytes = new byte[random.nextInt(round % 50 == 0 ? 300_000 : 300)];
            random.nextBytes(bytes);
            int cut = random.nextInt(bytes.length + 1);
            int first = Crc32c.of(ByteBuffer.wrap(bytes, 0, cut));
            int second = Crc32c.of(ByteBuffer.wrap(bytes, cut, bytes.length - cut));

            assertThat(Crc32c.ofBoth(first, second, bytes.length - cut))
                    .as("%d bytes cut at %d", bytes.length, cut)
                    .isEqualTo(Crc32c.of(ByteBuffer.wrap(bytes)));
        }
    }
}
