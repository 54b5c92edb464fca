package io.tidemark.replication.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InvitationTokenTest {
    private static InvitationToken token(long seed) {
        byte[] secret = new byte[32];
        new Random(seed).nextBytes(secret);
        return new InvitationToken("backup.example.com:7443", "ab".repeat(32), ByteBuffer.wrap(secret));
    }

    @Test
    void survivesMailAndDictation() throws Exception {
        for (long seed = 0; seed < 200; seed++) {
            var token = token(seed);
            String mangled = "  " + token.text().toUpperCase(Locale.ROOT).replaceAll("(.{20})", "$1-\n ");

            assertThat(InvitationToken.parse(mangled)).isEqualTo(token);
        }
    }

    @Test
    void everyChangedCharacterIsFound() {
        String text = token(1).text();
        for (int at = "tidemark1-".length(); at < text.length() - 1; at++) {
            String changed = text.substring(0, at) + (text.charAt(at) == 'a' ? 'b' : 'a') + text.substring(at + 1);

            assertThatThrownBy(() -> InvitationToken.parse(changed)).isInstanceOf(ReplicationException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'', it is empty",
        "hello, it does not start with tidemark1-",
        "tidemark2-aaaa, its version is not 1",
        "tidemark1-aa0a, character 3 after the prefix",
        "tidemark1-aaaa, it is cut short",
    })
    void whatIsWrongIsSaid(String text, String reason) {
        assertThatThrownBy(() -> InvitationToken.parse(text))
                .isInstanceOfSatisfying(
                        ReplicationException.class,
                        e -> assertThat(e.error()).isInstanceOf(ReplicationError.InvitationRefused.class))
                .hasMessageContaining(reason);
    }

    @Test
    void aLostCharacterIsFound() {
        String text = token(2).text();

        assertThatThrownBy(() -> InvitationToken.parse(text.substring(0, 40) + text.substring(41)))
                .hasMessageContaining("invitation is refused");
    }

    @Test
    void theSecretIsNeverPrinted() {
        assertThat(token(3).toString()).contains("***").doesNotContain("secret=java");
    }
}
