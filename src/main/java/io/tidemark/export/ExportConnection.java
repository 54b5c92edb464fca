package io.tidemark.export;

import io.tidemark.export.protocol.NbdException;
import io.tidemark.export.protocol.Negotiation;
import io.tidemark.export.protocol.Offer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One client: its handshake, then its requests. Holds two buffers of {@value Transmission#BUFFER_BYTES} bytes. */
final class ExportConnection {
    /**
     * From accept to the end of the handshake. After it there is no limit: a disk may be idle for days, and keeps its
     * thread and its place among {@link ExportServer#CONNECTIONS_MAXIMUM}.
     */
    private static final Duration HANDSHAKE_LIMIT = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(ExportConnection.class);

    private final Exports exports;
    private final Optional<WireSecurity> security;
    private final SocketChannel socket;
    private final ByteBuffer in =
            ByteBuffer.allocateDirect(Transmission.BUFFER_BYTES).flip();
    private final ByteBuffer out = ByteBuffer.allocateDirect(Transmission.BUFFER_BYTES);
    private Wire wire;

    /** @param security where the client has to bring TLS up first */
    ExportConnection(Exports exports, Optional<WireSecurity> security, SocketChannel socket) {
        this.exports = exports;
        this.security = security;
        this.socket = socket;
        this.wire = new PlainWire(socket);
    }

    /** Returns once the connection has ended, for whatever reason. */
    void serve() {
        try {
            var negotiation = negotiated();
            if (negotiation.isPresent()) {
                transmit(negotiation.get());
            }
        } catch (IOException | NbdException e) {
            LOG.info("export.connection_failed reason={}", e.getMessage());
        } catch (RuntimeException | AssertionError e) {
            // A bug of ours: it ends this connection, never the server, and never in silence.
            LOG.error("export.connection_failed", e);
        } finally {
            wire.close();
        }
    }

    private Optional<Negotiation> negotiated() throws IOException, NbdException {
        var met = new CountDownLatch(1);
        Thread.ofVirtual().name("tidemark-export-deadline").start(() -> closeUnless(met));
        try {
            return negotiate();
        } finally {
            met.countDown();
        }
    }

    private void closeUnless(CountDownLatch met) {
        try {
            if (!met.await(HANDSHAKE_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                socket.close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            // A socket that cannot be closed is closed.
            return;
        }
    }

    /** Empty where the client has left without an export. */
    private Optional<Negotiation> negotiate() throws IOException, NbdException {
        Offer offer = exports;
        var negotiation = new Negotiation(
                offer, security.isPresent() ? Negotiation.Security.TLS_REQUIRED : Negotiation.Security.PLAIN);
        Negotiation.greet(out);
        send();
        while (true) {
            int before = in.remaining();
            var next = negotiation.advance(in, out);
            send();
            switch (next) {
                case READ -> {
                    if (in.remaining() == before && !receive()) {
                        return Optional.empty();
                    }
                }
                case START_TLS -> wire = security.orElseThrow().secured(socket);
                case TRANSMIT -> {
                    return Optional.of(negotiation);
                }
                case END -> {
                    return Optional.empty();
                }
            }
        }
    }

    private boolean receive() throws IOException {
        in.compact();
        try {
            return wire.read(in);
        } finally {
            in.flip();
        }
    }

    private void send() throws IOException {
        out.flip();
        if (out.hasRemaining()) {
            wire.write(out);
        }
        out.clear();
    }

    private void transmit(Negotiation negotiation) throws IOException, NbdException {
        var agreed = negotiation.agreed();
        var served = exports.served(agreed.export().name());
        if (served.isEmpty() || !served.get().enter(wire)) {
            throw new IOException(
                    "export %s was removed".formatted(agreed.export().name()));
        }
        try {
            LOG.info("export.connected export={} replies={}", agreed.export().name(), agreed.replies());
            var image = served.get().image();
            var answers = new ShortAnswers(agreed, image, exports.traffic());
            if (image instanceof PipelinedImage pipelined && pipelined.isPipelined()) {
                new Pipeline(wire, answers, pipelined, in, out).run();
            } else if (image.slow()) {
                new SideBySide(wire, answers, in).run();
            } else {
                new Transmission(wire, answers, in, out).run();
            }
            LOG.info("export.disconnected export={}", agreed.export().name());
        } finally {
            served.get().leave(wire);
        }
    }
}
