package io.tidemark.quickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedPostgresTest {
    /** Of the three bytes "abc". Source: FIPS 180-2, appendix B.1. */
    private static final String ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @TempDir
    private Path folder;

    @Test
    void archiveThatIsMeantIsAccepted() throws Exception {
        var archive = Files.writeString(folder.resolve("postgres.txz"), "abc");

        assertThatCode(() -> EmbeddedPostgres.checkDigest(archive, ABC_SHA256)).doesNotThrowAnyException();
    }

    @Test
    void archiveThatWasExchangedIsRefusedWithBothDigests() throws Exception {
        var archive = Files.writeString(folder.resolve("postgres.txz"), "abd");

        assertThatThrownBy(() -> EmbeddedPostgres.checkDigest(archive, ABC_SHA256))
                .isInstanceOf(QuickstartException.class)
                .hasMessageContaining("postgres.txz has SHA-256 a52d159f")
                .hasMessageContaining("expected " + ABC_SHA256);
    }

    @Test
    void archiveThatIsNotThereIsRefused() {
        var archive = folder.resolve("postgres.txz");

        assertThatThrownBy(() -> EmbeddedPostgres.checkDigest(archive, ABC_SHA256))
                .isInstanceOf(QuickstartException.class)
                .hasMessageContaining("cannot be read");
    }

    @Test
    void machinesWithoutPublishedBinariesAreKnown() {
        assertThat(EmbeddedPostgres.Binaries.of("amd64")).isPresent();
        assertThat(EmbeddedPostgres.Binaries.of("aarch64")).isPresent();
        assertThat(EmbeddedPostgres.Binaries.of("riscv64")).isEmpty();
    }
}
