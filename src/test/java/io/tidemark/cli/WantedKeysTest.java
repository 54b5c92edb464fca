package io.tidemark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.control.document.CertificateCheck;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WantedKeysTest {
    private static final String A = "a".repeat(64);
    private static final String B = "b".repeat(64);
    private static final CertificateCheck TWO_HOSTS =
            new CertificateCheck(List.of(), List.of(A, B), Map.of("db1", A, "db2", B));
    private static final CertificateCheck ONE_HOST = new CertificateCheck(List.of(), List.of(A), Map.of());

    private static List<String> faults(CertificateCheck check, String... keys) {
        return WantedKeys.of(List.of(keys)).faults(check);
    }

    @Test
    void keysOfHostsAreAskedOfThoseHosts() {
        assertThat(faults(TWO_HOSTS, "db1=" + A, "db2=" + B)).isEmpty();
        assertThat(faults(TWO_HOSTS, "db1=" + B, "db2=" + A))
                .containsExactly(
                        "the part of db1 is signed by key %s, not by %s".formatted(A, B),
                        "the part of db2 is signed by key %s, not by %s".formatted(B, A));
    }

    @Test
    void plainKeysServeWhateverHostIsNotNamed() {
        assertThat(faults(TWO_HOSTS, A, B)).isEmpty();
        assertThat(faults(TWO_HOSTS, "db1=" + A, B)).isEmpty();
        assertThat(faults(TWO_HOSTS, A)).singleElement().asString().contains("db2", B, A);
        // The key of db1's host is asked of db1 alone, also where it is named plainly besides.
        assertThat(faults(TWO_HOSTS, "db1=" + B, A, B))
                .singleElement()
                .asString()
                .contains("db1");
    }

    @Test
    void oneHostMayHaveHadSeveralKeys() {
        assertThat(faults(TWO_HOSTS, "db1=" + B, "db1=" + A, "db2=" + B)).isEmpty();
    }

    @Test
    void hostThatHasNotSignedAndHostWithoutAKeyAreFaults() {
        assertThat(faults(TWO_HOSTS, "db1=" + A))
                .containsExactly("the part of db2 is signed by key %s, and no key is named for it".formatted(B));
        assertThat(faults(TWO_HOSTS, "db3=" + A, A, B)).containsExactly("host db3 has signed no part of it");
    }

    @Test
    void documentOfOneHostIsAskedForItsKeyAlone() {
        assertThat(faults(ONE_HOST, A)).isEmpty();
        assertThat(faults(ONE_HOST, B)).singleElement().asString().contains("not by " + B);
        assertThat(faults(ONE_HOST, "db1=" + A)).anyMatch(fault -> fault.contains("give its key alone"));
    }

    @Test
    void withoutKeysAnyWillDo() {
        assertThat(faults(TWO_HOSTS)).isEmpty();
    }

    @Test
    void whatIsNoKeyIsRefused() {
        for (var wrong : List.of("db1=", "DB1=" + A, "=" + A, "a".repeat(63), A.toUpperCase(java.util.Locale.ROOT))) {
            assertThatThrownBy(() -> WantedKeys.of(List.of(wrong)))
                    .as(wrong)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(wrong);
        }
    }
}
