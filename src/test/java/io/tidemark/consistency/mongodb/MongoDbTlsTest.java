package io.tidemark.consistency.mongodb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Quiescer;
import io.tidemark.domain.QuiescerSpec;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whom a password goes to: the one whose certificate is trusted, and is for the name that was written. */
class MongoDbTlsTest {
    @TempDir
    Path folder;

    private record Identity(KeyPair keys, X509Certificate certificate) {}

    private static Identity identityOf(String address) throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        var keys = generator.generateKeyPair();
        var name = new X500Name("CN=mongod");
        var builder = new JcaX509v3CertificateBuilder(
                name,
                BigInteger.ONE,
                Date.from(Instant.now().minus(Duration.ofHours(1))),
                Date.from(Instant.now().plus(Duration.ofDays(1))),
                name,
                keys.getPublic());
        builder.addExtension(
                Extension.subjectAlternativeName,
                false,
                new GeneralNames(new GeneralName(GeneralName.iPAddress, address)));
        var certificate = new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
        return new Identity(keys, certificate);
    }

    private static ServerSocketFactory sockets(Identity identity) throws Exception {
        var password = "made-up".toCharArray();
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, password);
        store.setKeyEntry("mongod", identity.keys().getPrivate(), password, new Certificate[] {identity.certificate()});
        var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, password);
        var context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context.getServerSocketFactory();
    }

    private String caFile(Identity identity) throws Exception {
        var text = Base64.getMimeEncoder().encodeToString(identity.certificate().getEncoded());
        return Files.writeString(
                        folder.resolve("ca.pem"),
                        "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n".formatted(text))
                .toString();
    }

    private Quiescer quiescer(FakeMongod server, Map<String, String> more) throws ConsistencyException {
        var settings = new HashMap<>(Map.of("port", Integer.toString(server.port()), "connectTimeoutMillis", "1500"));
        settings.putAll(more);
        return new MongoDbQuiescerFactory(folder.resolve("state")).create(new QuiescerSpec("mongodb", settings));
    }

    @Test
    void serverWhoseCertificateIsTrustedIsSpokenTo() throws Exception {
        var identity = identityOf("127.0.0.1");
        try (var server = new FakeMongod(sockets(identity))) {
            var unused = quiescer(server, Map.of("tls", "on", "caFile", caFile(identity)))
                    .check(List.of());

            assertThat(server.heard()).contains("hello", "replSetGetStatus");
        }
    }

    @Test
    void serverWhoseCertificateIsNotTrustedHearsNothing() throws Exception {
        var identity = identityOf("127.0.0.1");
        try (var server = new FakeMongod(sockets(identity))) {
            var quiescer = quiescer(server, Map.of("tls", "on"));

            assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("valid certification path");
            assertThat(server.heard()).isEmpty();
        }
    }

    @Test
    void serverWhoseCertificateIsForAnotherNameHearsNothing() throws Exception {
        var identity = identityOf("127.0.0.9");
        try (var server = new FakeMongod(sockets(identity))) {
            var quiescer = quiescer(server, Map.of("tls", "on", "caFile", caFile(identity)));

            assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("127.0.0.1");
            assertThat(server.heard()).isEmpty();
        }
    }

    @Test
    void caFileThatIsNoneIsNamed() throws Exception {
        try (var server = new FakeMongod()) {
            var absent = quiescer(server, Map.of("tls", "on", "caFile", "/absent/ca.pem"));
            var empty = Files.writeString(folder.resolve("empty.pem"), "").toString();
            var without = quiescer(server, Map.of("tls", "on", "caFile", empty));

            assertThatThrownBy(() -> absent.check(List.of()))
                    .hasMessageContaining("caFile /absent/ca.pem is not a regular file");
            assertThatThrownBy(() -> without.check(List.of())).hasMessageContaining("holds no certificate");
        }
    }
}
