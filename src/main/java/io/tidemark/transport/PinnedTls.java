package io.tidemark.transport;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** TLS 1.3 where both sides show a key and nothing but the key counts: no names, no dates, no authorities. */
final class PinnedTls {
    private static final String[] PROTOCOLS = {"TLSv1.3"};
    private static final char[] NO_PASSWORD = {};

    private PinnedTls() {}

    /** Trusts one key; remembers which one was shown instead. */
    static final class Pin extends X509ExtendedTrustManager {
        private final Optional<String> expected;
        private volatile @Nullable String shown;

        /** @param expected empty: any key, to be judged after the handshake, which proves that the peer owns it */
        Pin(Optional<String> expected) {
            this.expected = expected;
        }

        Optional<String> shown() {
            return Optional.ofNullable(shown);
        }

        private void check(X509Certificate[] chain) throws CertificateException {
            if (chain.length != 1) {
                throw new CertificateException("peer shows %d certificates, not 1".formatted(chain.length));
            }
            String fingerprint = SiteIdentity.fingerprint(chain[0].getPublicKey());
            shown = fingerprint;
            if (expected.isPresent() && !expected.get().equals(fingerprint)) {
                throw new CertificateException("peer shows key " + fingerprint);
            }
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            check(chain);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    static SSLContext context(SiteIdentity identity, TrustManager trust) {
        try {
            var store = KeyStore.getInstance("PKCS12");
            store.load(null, NO_PASSWORD);
            store.setKeyEntry("site", identity.key(), NO_PASSWORD, new X509Certificate[] {identity.certificate()});
            var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, NO_PASSWORD);
            var context = SSLContext.getInstance("TLSv1.3");
            context.init(keys.getKeyManagers(), new TrustManager[] {trust}, new SecureRandom());
            return context;
        } catch (GeneralSecurityException | java.io.IOException e) {
            throw new AssertionError("every JDK has TLS 1.3 and PKCS12", e);
        }
    }

    static void restrict(SSLSocket socket, boolean client) {
        socket.setEnabledProtocols(PROTOCOLS);
        socket.setUseClientMode(client);
        if (!client) {
            socket.setNeedClientAuth(true);
        }
    }
}
