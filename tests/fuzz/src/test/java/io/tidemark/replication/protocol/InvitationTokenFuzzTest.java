package io.tidemark.replication.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/** What an operator pastes; also bytes behind a right checksum. */
class InvitationTokenFuzzTest {
    private static final String DIGITS = "abcdefghijklmnopqrstuvwxyz234567";

    @FuzzTest
    void token(byte[] bytes) {
        parse(new String(bytes, StandardCharsets.UTF_8));
        parse("tidemark1-" + base32(sealed(bytes)));
    }

    private static void parse(String text) {
        try {
            var token = InvitationToken.parse(text);
            assertThat(InvitationToken.parse(token.text())).isEqualTo(token);
            assertThat(token.toString()).contains("secret=***");
        } catch (ReplicationException e) {
            assertThat(e.error()).isInstanceOf(ReplicationError.InvitationRefused.class);
        }
    }

    private static byte[] sealed(byte[] bytes) {
        var crc = new CRC32C();
        crc.update(bytes);
        return ByteBuffer.allocate(bytes.length + Integer.BYTES)
                .put(bytes)
                .putInt((int) crc.getValue())
                .array();
    }

    private static String base32(byte[] bytes) {
        var text = new StringBuilder();
        for (int bit = 0; bit < bytes.length * Byte.SIZE; bit += 5) {
            int digit = 0;
            for (int within = bit; within < bit + 5; within++) {
                boolean set = within < bytes.length * Byte.SIZE
                        && (bytes[within / Byte.SIZE] >> (7 - within % Byte.SIZE) & 1) != 0;
                digit = digit << 1 | (set ? 1 : 0);
            }
            text.append(DIGITS.charAt(digit));
        }
        return text.toString();
    }
}
