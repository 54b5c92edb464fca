package io.tidemark.consistency;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A PEM file of certificates that a database's own is trusted by, in place of Java's. Read at each connection. */
public final class CaFile {
    private CaFile() {}

    /** @throws IOException whose message names the file */
    public static SSLContext trusting(Path caFile) throws IOException {
        if (!Files.isRegularFile(caFile)) {
            throw new IOException("caFile %s is not a regular file".formatted(caFile));
        }
        try (var in = Files.newInputStream(caFile)) {
            var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                trusted.setCertificateEntry("ca-" + trusted.size(), certificate);
            }
            if (trusted.size() == 0) {
                throw new IOException("caFile %s holds no certificate".formatted(caFile));
            }
            var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(trusted);
            var context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException("caFile %s cannot be used: %s".formatted(caFile, e.getMessage()), e);
        }
    }
}
