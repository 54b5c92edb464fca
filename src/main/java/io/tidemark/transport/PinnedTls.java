package io.tidemark.transport;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TLS 1.3 where both sides show a key and nothing but the key counts: no names, no dates, no authorities. BoringSSL
 * encrypts where its library loads; the JDK's engine, which needs about twice the time for each byte, does elsewhere.
 */
final class PinnedTls implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PinnedTls.class);
    static final String PROTOCOL = "TLSv1.3";

    private final SslContext context;

    private PinnedTls(SslContext context) {
        this.context = context;
    }

    /** Found out, and complained of, once a process. */
    private static final class Best {
        static final SslProvider PROVIDER = find();

        private static SslProvider find() {
            if (OpenSsl.isAvailable() && SslProvider.isTlsv13Supported(SslProvider.OPENSSL_REFCNT)) {
                LOG.info("tls.engine name=boringssl version=\"{}\"", OpenSsl.versionString());
                return SslProvider.OPENSSL_REFCNT;
            }
            LOG.warn(
                    "tls.engine name=jdk reason=\"the BoringSSL library did not load, links reach half their rate: {}\"",
                    String.valueOf(OpenSsl.unavailabilityCause()));
            return SslProvider.JDK;
        }
    }

    /** What encrypts fastest here. */
    static SslProvider provider() {
        return Best.PROVIDER;
    }

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

    /** For the side that connects. */
    static PinnedTls client(SiteIdentity identity, Pin pin) throws SSLException {
        return client(identity, pin, Best.PROVIDER);
    }

    static PinnedTls client(SiteIdentity identity, Pin pin, SslProvider provider) throws SSLException {
        return new PinnedTls(SslContextBuilder.forClient()
                .keyManager(identity.key(), identity.certificate())
                .trustManager(pin)
                .sslProvider(provider)
                .protocols(PROTOCOL)
                .endpointIdentificationAlgorithm(null)
                .build());
    }

    /** For the side that listens; a peer without a certificate is refused. */
    static PinnedTls server(SiteIdentity identity, Pin pin) throws SSLException {
        return server(identity, pin, Best.PROVIDER);
    }

    static PinnedTls server(SiteIdentity identity, Pin pin, SslProvider provider) throws SSLException {
        return new PinnedTls(SslContextBuilder.forServer(identity.key(), identity.certificate())
                .trustManager(pin)
                .sslProvider(provider)
                .protocols(PROTOCOL)
                .clientAuth(ClientAuth.REQUIRE)
                .endpointIdentificationAlgorithm(null)
                .build());
    }

    /**
     * A fresh engine; {@link #free} it. It lives on when this context is closed. BoringSSL's takes and gives as many
     * records in a call as there are and fit; the JDK's one.
     */
    SSLEngine engine() {
        // Not newEngine: that one answers for each record, as the JDK's interface asks for.
        return context.newHandler(UnpooledByteBufAllocator.DEFAULT).engine();
    }

    /** Whether it makes a record of each buffer of a call, and not one of all. */
    static boolean takesRecords(SSLEngine engine) {
        return engine instanceof ReferenceCountedOpenSslEngine;
    }

    /** Gives back the native memory of an engine; nobody may be inside it. */
    static void free(SSLEngine engine) {
        ReferenceCountUtil.release(engine);
    }

    @Override
    public void close() {
        ReferenceCountUtil.release(context);
    }
}
