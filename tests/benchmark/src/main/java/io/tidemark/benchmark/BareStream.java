package io.tidemark.benchmark;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.EOFException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Bytes from one JVM to another over TLS 1.3 with BoringSSL and blocking channels, and nothing else: no checksums, no
 * acknowledgements; from memory into nothing, or from a file into a file. What a replication stream is measured beside.
 */
final class BareStream implements AutoCloseable {
    private static final int PLAIN_BYTES = 256 << 10;
    private static final int NETWORK_BYTES = 320 << 10;
    private static final int RECORDS_AT_ONCE = PLAIN_BYTES / (16 << 10);

    private final SocketChannel socket;
    private final SSLEngine engine;
    private final ByteBuffer incoming = ByteBuffer.allocateDirect(NETWORK_BYTES).flip();
    private final ByteBuffer outgoing = ByteBuffer.allocateDirect(NETWORK_BYTES);
    private final ByteBuffer plain = ByteBuffer.allocateDirect(PLAIN_BYTES + (32 << 10));

    private final ByteBuffer[] records = new ByteBuffer[RECORDS_AT_ONCE];

    private BareStream(SocketChannel socket, SSLEngine engine) throws Exception {
        this.socket = socket;
        this.engine = engine;
        engine.beginHandshake();
        var status = engine.getHandshakeStatus();
        while (status != HandshakeStatus.FINISHED && status != HandshakeStatus.NOT_HANDSHAKING) {
            if (status == HandshakeStatus.NEED_TASK) {
                engine.getDelegatedTask().run();
                status = engine.getHandshakeStatus();
            } else if (status == HandshakeStatus.NEED_WRAP) {
                status = engine.wrap(ByteBuffer.allocate(0), outgoing).getHandshakeStatus();
                flush();
            } else {
                var result = engine.unwrap(incoming, plain);
                status = result.getHandshakeStatus();
                if (result.getStatus() == Status.BUFFER_UNDERFLOW && status == HandshakeStatus.NEED_UNWRAP) {
                    receive();
                }
            }
        }
        socket.socket().setTcpNoDelay(true);
    }

    static BareStream connect(int port) throws Exception {
        var context = SslContextBuilder.forClient()
                .sslProvider(SslProvider.OPENSSL)
                .protocols("TLSv1.3")
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .endpointIdentificationAlgorithm(null)
                .build();
        return new BareStream(
                SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)), engine(context));
    }

    static BareStream accept(ServerSocketChannel listener) throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        var keys = generator.generateKeyPair();
        var name = new X500Name("CN=bench");
        var holder = new JcaX509v3CertificateBuilder(
                        name,
                        BigInteger.ONE,
                        Date.from(Instant.EPOCH),
                        Date.from(Instant.parse("2100-01-01T00:00:00Z")),
                        name,
                        keys.getPublic())
                .build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate()));
        X509Certificate certificate = new JcaX509CertificateConverter().getCertificate(holder);
        var context = SslContextBuilder.forServer(keys.getPrivate(), certificate)
                .sslProvider(SslProvider.OPENSSL)
                .protocols("TLSv1.3")
                .build();
        return new BareStream(listener.accept(), engine(context));
    }

    /** Sends so many bytes and waits until the other side has all. */
    void send(long bytes) throws Exception {
        var source = ByteBuffer.allocateDirect(PLAIN_BYTES);
        for (long sent = 0; sent < bytes; sent += PLAIN_BYTES) {
            source.clear();
            write(source);
        }
        read(1);
    }

    /** Receives so many bytes, then says so. */
    void receive(long bytes) throws Exception {
        read(bytes);
        write(ByteBuffer.allocateDirect(1));
    }

    /** Sends a file's bytes and waits until the other side has synced all. */
    void send(FileChannel file) throws Exception {
        var source = ByteBuffer.allocateDirect(PLAIN_BYTES);
        while (file.read(source) >= 0) {
            write(source.flip());
            source.clear();
        }
        read(1);
    }

    /** Receives so many bytes into a file, syncs it, then says so. */
    void receive(long bytes, FileChannel file) throws Exception {
        long left = bytes - plain.position();
        while (left > 0) {
            if (plain.remaining() < 32 << 10) {
                drain(file);
            }
            var result = engine.unwrap(incoming, plain);
            left -= result.bytesProduced();
            if (result.getStatus() == Status.BUFFER_UNDERFLOW) {
                receive();
            }
        }
        drain(file);
        file.force(true);
        write(ByteBuffer.allocateDirect(1));
    }

    private void drain(FileChannel file) throws Exception {
        plain.flip();
        while (plain.hasRemaining()) {
            file.write(plain);
        }
        plain.clear();
    }

    /** One that takes several records in a call; {@link SslContext#newEngine} gives one that takes one. */
    private static SSLEngine engine(SslContext context) {
        return context.newHandler(UnpooledByteBufAllocator.DEFAULT).engine();
    }

    private void write(ByteBuffer source) throws Exception {
        int packet = engine.getSession().getPacketBufferSize();
        // Each mention of the buffer becomes a record.
        Arrays.fill(records, source);
        while (source.hasRemaining()) {
            if (outgoing.remaining() < packet) {
                flush();
            }
            engine.wrap(records, outgoing);
        }
        flush();
    }

    private void read(long bytes) throws Exception {
        // The first bytes may have come with the end of the handshake.
        long got = plain.position();
        plain.clear();
        while (got < bytes) {
            if (plain.remaining() < 32 << 10) {
                plain.clear();
            }
            var result = engine.unwrap(incoming, plain);
            got += result.bytesProduced();
            if (result.getStatus() == Status.BUFFER_UNDERFLOW) {
                receive();
            }
        }
        plain.clear();
    }

    private void receive() throws Exception {
        incoming.compact();
        if (socket.read(incoming) < 0) {
            throw new EOFException("the stream ended");
        }
        incoming.flip();
    }

    private void flush() throws Exception {
        outgoing.flip();
        while (outgoing.hasRemaining()) {
            socket.write(outgoing);
        }
        outgoing.clear();
    }

    @Override
    public void close() throws Exception {
        socket.close();
    }
}
