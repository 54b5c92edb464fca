package io.tidemark.transport;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.ReferenceCountUtil;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import javax.net.ssl.SSLException;

/**
 * TLS 1.3 for programs of others, such as NBD clients: a certificate chain of this host's, and clients that show a
 * certificate which a named authority has signed. Who shows none is refused.
 */
public final class AuthorityTls implements AutoCloseable {
    private final SslContext context;

    private AuthorityTls(SslContext context) {
        this.context = context;
    }

    /**
     * @param certificateFile PEM, the host's own certificate first
     * @param keyFile PEM, PKCS 8, not encrypted
     * @param clientAuthorityFile PEM of the authorities that sign clients' certificates
     * @throws IOException naming the files when one cannot be read
     */
    public static AuthorityTls server(Path certificateFile, Path keyFile, Path clientAuthorityFile) throws IOException {
        try {
            return new AuthorityTls(SslContextBuilder.forServer(certificateFile.toFile(), keyFile.toFile())
                    .trustManager(clientAuthorityFile.toFile())
                    .sslProvider(PinnedTls.provider())
                    .protocols(PinnedTls.PROTOCOL)
                    .clientAuth(ClientAuth.REQUIRE)
                    .build());
        } catch (SSLException | IllegalArgumentException e) {
            throw new IOException(
                    "TLS cannot be set up from %s, %s and %s: %s"
                            .formatted(certificateFile, keyFile, clientAuthorityFile, e.getMessage()),
                    e);
        }
    }

    /** A connection that is secured. One thread reads and writes; another may close it. */
    public static final class Stream implements AutoCloseable {
        /** Room that a buffer needs for a read. */
        public static final int ROOM_BYTES = TlsChannel.RECORD_BYTES + 1;

        private final TlsChannel channel;

        private Stream(TlsChannel channel) {
            this.channel = channel;
        }

        /**
         * Takes at least one byte.
         *
         * @param into has {@link #ROOM_BYTES} free
         * @return false at the end
         */
        public boolean read(ByteBuffer into) throws IOException {
            try {
                channel.fill(into, into.position() + 1);
                return true;
            } catch (EOFException e) {
                return false;
            }
        }

        /** Sends all bytes. */
        public void write(ByteBuffer from) throws IOException {
            channel.write(from);
        }

        @Override
        public void close() {
            channel.close();
        }
    }

    /** Returns once the client has proven its key. The caller sets the limit: closing the socket ends it. */
    public Stream accept(SocketChannel socket) throws IOException {
        var channel = TlsChannel.over(
                socket,
                () -> context.newHandler(UnpooledByteBufAllocator.DEFAULT).engine());
        boolean accepted = false;
        try {
            channel.handshake();
            accepted = true;
            return new Stream(channel);
        } finally {
            if (!accepted) {
                channel.close();
            }
        }
    }

    @Override
    public void close() {
        ReferenceCountUtil.release(context);
    }
}
