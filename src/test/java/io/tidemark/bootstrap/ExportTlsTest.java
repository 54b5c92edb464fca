package io.tidemark.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.agent.Providers;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.provider.memory.MemoryProvider;
import io.tidemark.provider.memory.MemoryStorage;
import io.tidemark.spi.VolumeId;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Exports over TCP, with TLS and without, asked by libnbd. */
class ExportTlsTest {
    private static final int SIZE = 2 << 20;
    private static final VolumeId DISK = new VolumeId("memory:disk");

    @TempDir
    Path folder;

    @BeforeEach
    void needsPrograms() {
        for (var program : List.of("nbdcopy", "openssl")) {
            assumeTrue(Files.exists(Path.of("/usr/bin", program)), program + " is not installed: TLS IS NOT TESTED");
        }
    }

    private record Ended(int exit, String said) {}

    private Ended run(String... command) throws Exception {
        var process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        try {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            return new Ended(process.exitValue(), said);
        } finally {
            process.destroyForcibly();
        }
    }

    private void shell(String script) throws Exception {
        var ended = run("sh", "-ec", script);
        assertThat(ended.exit()).as(ended.said()).isZero();
    }

    /** A folder as libnbd reads it, with a client's certificate by an authority of its own. */
    private void authority(String name) throws Exception {
        shell("""
                mkdir %1$s; cd %1$s
                key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1-key.pem; }
                key ca; key client; key server
                openssl req -x509 -new -key ca-key.pem -subj /CN=%1$s -days 30 -out ca-cert.pem
                printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' > names
                for who in client server; do
                  openssl req -new -key $who-key.pem -subj /CN=$who -out $who.csr
                  openssl x509 -req -in $who.csr -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial -days 30 \
                    -extfile names -out $who-cert.pem
                done
                """.formatted(name));
    }

    private ExportParts started(String... settings) throws Exception {
        var all = new java.util.ArrayList<>(List.of("state.folder=" + folder.resolve("state"), "exports.port=0"));
        all.addAll(List.of(settings));
        Files.createDirectories(folder.resolve("state"));
        var provider = new MemoryProvider("memory", new MemoryStorage(), InstantSource.system(), System::nanoTime);
        provider.create(DISK, SIZE);
        var parts = new ExportParts(Settings.load(Optional.empty(), all), new Providers(List.of(provider)));
        try {
            parts.listen();
        } catch (java.io.IOException e) {
            parts.close();
            throw e;
        }
        parts.exports().open(new Export(new ExportId("ex-1"), DISK.value(), Export.Access.WRITABLE, Instant.EPOCH));
        return parts;
    }

    private static String uri(ExportParts parts, String scheme) {
        return parts.exports().all().getFirst().uris().stream()
                .filter(uri -> uri.startsWith(scheme + ":"))
                .findFirst()
                .orElseThrow();
    }

    private byte[] random() throws Exception {
        byte[] bytes = new byte[SIZE];
        new Random(6).nextBytes(bytes);
        Files.write(folder.resolve("bytes"), bytes);
        return bytes;
    }

    @Test
    void aClientWithACertificateWritesAndReadsOverTls() throws Exception {
        authority("ours");
        authority("other");
        byte[] bytes = random();
        try (var parts = started(
                "exports.host=127.0.0.1",
                "exports.tls.certificateFile=" + folder.resolve("ours/server-cert.pem"),
                "exports.tls.keyFile=" + folder.resolve("ours/server-key.pem"),
                "exports.tls.clientAuthorityFile=" + folder.resolve("ours/ca-cert.pem"))) {
            var uri = uri(parts, "nbds") + "?tls-certificates=";

            shell("nbdcopy bytes '%1$sours' && nbdcopy '%1$sours' copy".formatted(uri));
            assertThat(folder.resolve("copy")).hasBinaryContent(bytes);

            // Trusts the server, but its own certificate is by somebody else.
            shell("cp other/client-*.pem ours/");
            assertThat(run("nbdinfo", uri + "ours").exit()).isNotZero();
            shell("rm ours/client-*.pem");
            assertThat(run("nbdinfo", uri + "ours").exit()).isNotZero();
            var clear = run("nbdinfo", uri(parts, "nbds").replace("nbds:", "nbd:"));
            assertThat(clear.exit()).isNotZero();
        }
    }

    @Test
    void loopbackNeedsNoTlsAndAnyOtherAddressDoes() throws Exception {
        byte[] bytes = random();
        try (var parts = started("exports.host=127.0.0.1")) {
            shell("nbdcopy bytes '%1$s' && nbdcopy '%1$s' copy".formatted(uri(parts, "nbd")));
            assertThat(folder.resolve("copy")).hasBinaryContent(bytes);
        }

        assertThatThrownBy(() -> started("exports.host=0.0.0.0")).hasMessageContaining("exports.tls");
    }
}
