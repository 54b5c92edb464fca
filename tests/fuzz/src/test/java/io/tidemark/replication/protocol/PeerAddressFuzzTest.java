package io.tidemark.replication.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;

class PeerAddressFuzzTest {
    @FuzzTest
    void address(byte[] bytes) {
        try {
            var address = PeerAddress.parse(new String(bytes, StandardCharsets.UTF_8));
            assertThat(PeerAddress.parse(address.toString())).isEqualTo(address);
        } catch (IllegalArgumentException e) {
            assertThat(e.getClass()).isEqualTo(IllegalArgumentException.class);
        }
    }
}
