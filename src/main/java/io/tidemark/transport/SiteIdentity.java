package io.tidemark.transport;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Date;
import java.util.HexFormat;
import java.util.Set;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/**
 * This site's key and its self-signed certificate. Peers pin the key's fingerprint; the certificate only carries it,
 * so its dates and name mean nothing to them. Kept in one file of mode 0600, made once.
 */
public final class SiteIdentity {
    private static final String FILE = "site-identity.pem";
    private static final Duration VALIDITY = Duration.ofDays(365 * 50);

    private final PrivateKey key;
    private final X509Certificate certificate;

    private SiteIdentity(PrivateKey key, X509Certificate certificate) {
        this.key = key;
        this.certificate = certificate;
    }

    /**
     * The identity in a state folder; made when there is none yet.
     *
     * @throws IOException naming the file when it cannot be read or written, others may read it, or it is damaged:
     *     a new key is never made in its place, for peers would not know it
     */
    public static SiteIdentity in(Path stateFolder, InstantSource clock) throws IOException {
        Path file = stateFolder.resolve(FILE);
        if (!Files.exists(file)) {
            write(make(clock), stateFolder, file);
        }
        var permissions = Files.getPosixFilePermissions(file);
        if (!PosixFilePermissions.fromString("rw-------").containsAll(permissions)) {
            throw new IOException("%s holds the site's key and may be read by others (%s): set its mode to 0600"
                    .formatted(file, PosixFilePermissions.toString(permissions)));
        }
        return read(file);
    }

    /** SHA-256 of the public key (SubjectPublicKeyInfo), 64 lower-case hex digits. */
    public String fingerprint() {
        return fingerprint(certificate.getPublicKey());
    }

    /** Also what signs the certificates of recovery points. Never logged or sent. */
    public PrivateKey key() {
        return key;
    }

    public ECPublicKey openKey() {
        return (ECPublicKey) certificate.getPublicKey();
    }

    X509Certificate certificate() {
        return certificate;
    }

    static String fingerprint(PublicKey key) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(key.getEncoded()));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private static SiteIdentity make(InstantSource clock) {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            var pair = generator.generateKeyPair();
            var name = new X500Name("CN=tidemark");
            var from = clock.instant();
            var holder = new JcaX509v3CertificateBuilder(
                            name,
                            new BigInteger(120, new SecureRandom()),
                            Date.from(from.minus(Duration.ofDays(1))),
                            Date.from(from.plus(VALIDITY)),
                            name,
                            pair.getPublic())
                    .build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate()));
            return new SiteIdentity(pair.getPrivate(), new JcaX509CertificateConverter().getCertificate(holder));
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new AssertionError("every JDK makes EC P-256 keys", e);
        }
    }

    private static void write(SiteIdentity identity, Path folder, Path file) throws IOException {
        var text = new StringWriter();
        try (var writer = new JcaPEMWriter(text)) {
            // As PKCS 8: the converter would write it the old way, which needs another reader.
            writer.writeObject(new PemObject("PRIVATE KEY", identity.key.getEncoded()));
            writer.writeObject(identity.certificate);
        }
        Path fresh = folder.resolve(FILE + ".new");
        Files.deleteIfExists(fresh);
        try (var channel = FileChannel.open(
                fresh,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            var bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        try (var directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    private static SiteIdentity read(Path file) throws IOException {
        try (var parser = new PEMParser(new StringReader(Files.readString(file)))) {
            if (parser.readObject() instanceof PrivateKeyInfo keyInfo
                    && parser.readObject() instanceof X509CertificateHolder holder) {
                return new SiteIdentity(
                        new JcaPEMKeyConverter().getPrivateKey(keyInfo),
                        new JcaX509CertificateConverter().getCertificate(holder));
            }
            throw new IOException("no key followed by a certificate");
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException(
                    "%s is damaged: restore it from a backup, or remove it and pair again: %s"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }
}
