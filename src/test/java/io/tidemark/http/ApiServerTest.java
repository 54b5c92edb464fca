package io.tidemark.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.security.ApiTokens;
import io.tidemark.site.TestSite;
import io.tidemark.telemetry.Metrics;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Listening, TLS, stopping. */
class ApiServerTest {
    @TempDir
    Path folder;

    private static ApiSettings settings(String host, int port, Optional<Path> certificate, Optional<Path> key) {
        return new ApiSettings(
                host, port, certificate, key, 1_024, Duration.ofSeconds(30), false, "test", "f".repeat(64));
    }

    @Test
    void anAddressThatIsNotLoopbackDemandsTls() {
        for (var host : List.of("0.0.0.0", "192.0.2.1", "::")) {
            assertThatThrownBy(() -> settings(host, 0, Optional.empty(), Optional.empty()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(host)
                    .hasMessageContaining("http.tls.certificateFile");
        }
        assertThat(settings("::1", 0, Optional.empty(), Optional.empty()).tls()).isFalse();
    }

    @Test
    void aCertificateWithoutItsKeyIsRefused() {
        assertThatThrownBy(() -> settings("127.0.0.1", 0, Optional.of(folder), Optional.empty()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("go together");
    }

    @Test
    void aPortThatIsTakenIsAnIoFailureAndNothingIsLeftRunning() throws Exception {
        try (var first = new ApiClient(TestSite.in(folder.resolve("a")).recovered(), folder.resolve("a"));
                var second = TestSite.in(folder.resolve("b")).recovered();
                var metrics = new Metrics()) {
            var taken = settings("127.0.0.1", first.server.port(), Optional.empty(), Optional.empty());
            var tokens = new ApiTokens(second.store.tokens(), new SecureRandom(), InstantSource.system());

            assertThatThrownBy(() -> ApiServer.start(taken, second.control, tokens, metrics))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void tlsServesWithTheGivenPemFiles() throws Exception {
        var pem = pemFiles();
        var settings = settings("127.0.0.1", 0, Optional.of(pem.getFirst()), Optional.of(pem.getLast()));
        try (var site = TestSite.in(folder.resolve("s")).recovered();
                var metrics = new Metrics()) {
            var tokens = new ApiTokens(site.store.tokens(), new SecureRandom(), InstantSource.system());
            try (var server = ApiServer.start(settings, site.control, tokens, metrics);
                    var socket = trustingEverything().getSocketFactory().createSocket("127.0.0.1", server.port())) {
                assertThat(healthOver(socket)).startsWith("HTTP/1.1 200").contains("\"up\"");
            }
        }
    }

    @Test
    void aStopLetsARequestEndAndThenRefusesConnections() throws Exception {
        var client = new ApiClient(TestSite.in(folder).recovered(), folder);
        int port = client.server.port();
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            assertThat(healthOver(socket)).startsWith("HTTP/1.1 200");
        }
        long started = System.nanoTime();

        client.close();

        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(9));
        assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), port).close())
                .isInstanceOf(IOException.class);
    }

    private static String healthOver(Socket socket) throws IOException {
        socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(20));
        var request = "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /** Certificate and key of a site that lives for a day. */
    private List<Path> pemFiles() throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        var keys = generator.generateKeyPair();
        var name = new X500Name("CN=localhost");
        var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate());
        var now = Instant.now();
        var certificate = new JcaX509CertificateConverter()
                .getCertificate(new JcaX509v3CertificateBuilder(
                                name,
                                BigInteger.ONE,
                                Date.from(now.minusSeconds(60)),
                                Date.from(now.plusSeconds(86_400)),
                                name,
                                keys.getPublic())
                        .build(signer));
        return List.of(
                write("certificate.pem", certificate),
                write("key.pem", new JcaPKCS8Generator(keys.getPrivate(), null)));
    }

    private Path write(String name, Object what) throws IOException {
        var text = new StringWriter();
        try (var writer = new JcaPEMWriter(text)) {
            writer.writeObject(what);
        }
        return Files.writeString(folder.resolve(name), text.toString());
    }

    private static SSLContext trustingEverything() throws Exception {
        var context = SSLContext.getInstance("TLSv1.3");
        context.init(null, new TrustManager[] {new TrustsEverything()}, new SecureRandom());
        return context;
    }

    private static final class TrustsEverything implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
