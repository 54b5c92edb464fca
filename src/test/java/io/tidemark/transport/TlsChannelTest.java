package io.tidemark.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Both engines against each other, over loopback. */
@Timeout(20)
class TlsChannelTest {
    private static final int STREAM_BYTES = 8 << 20;
    private static final byte GREETING = 7;

    @TempDir
    Path folder;

    private final java.util.concurrent.ExecutorService threads = Executors.newCachedThreadPool();
    private SiteIdentity a;
    private SiteIdentity b;
    private ServerSocketChannel listener;

    @BeforeEach
    void listen() throws Exception {
        a = SiteIdentity.in(Files.createDirectory(folder.resolve("a")), InstantSource.system());
        b = SiteIdentity.in(Files.createDirectory(folder.resolve("b")), InstantSource.system());
        listener = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    @AfterEach
    void close() throws IOException {
        listener.close();
        threads.shutdownNow();
    }

    static Stream<Arguments> engines() {
        return Stream.of(
                Arguments.of(SslProvider.OPENSSL_REFCNT, SslProvider.OPENSSL_REFCNT),
                Arguments.of(SslProvider.OPENSSL_REFCNT, SslProvider.JDK),
                Arguments.of(SslProvider.JDK, SslProvider.OPENSSL_REFCNT),
                Arguments.of(SslProvider.JDK, SslProvider.JDK));
    }

    private record Pair(TlsChannel client, TlsChannel server, Certificate seenByServer) implements AutoCloseable {
        @Override
        public void close() {
            client.close();
            server.close();
        }
    }

    private Pair connect(SslProvider client, SslProvider server, Optional<String> pinned) throws Exception {
        Future<Object[]> accepted = threads.submit(() -> {
            try (var context = PinnedTls.server(b, new PinnedTls.Pin(Optional.empty()), server)) {
                var tls = TlsChannel.over(listener.accept(), context::engine);
                var certificate = tls.handshake();
                // The client says this together with the end of its handshake: it must not get lost in there.
                var greeting = ByteBuffer.allocateDirect(64 << 10);
                tls.fill(greeting, 1);
                assertThat(greeting.get(0)).isEqualTo(GREETING);
                return new Object[] {tls, certificate};
            }
        });
        try (var context = PinnedTls.client(a, new PinnedTls.Pin(pinned), client)) {
            var tls = TlsChannel.over(SocketChannel.open(listener.getLocalAddress()), context::engine);
            try {
                tls.handshake();
                tls.write(ByteBuffer.wrap(new byte[] {GREETING}));
            } catch (IOException e) {
                tls.close();
                throw e;
            }
            var other = accepted.get();
            return new Pair(tls, (TlsChannel) other[0], (Certificate) other[1]);
        }
    }

    @Test
    void aChannelThatCannotBeBuiltLeavesNoSocketOpen() throws Exception {
        var socket = SocketChannel.open(listener.getLocalAddress());

        assertThatThrownBy(() -> TlsChannel.over(socket, () -> {
                    throw new OutOfMemoryError("no engine");
                }))
                .hasMessage("no engine");

        assertThat(socket.isOpen()).isFalse();
    }

    @Test
    void theNativeEngineIsThere() {
        assertThat(OpenSsl.isAvailable())
                .as(String.valueOf(OpenSsl.unavailabilityCause()))
                .isTrue();
    }

    @ParameterizedTest
    @MethodSource("engines")
    void bothDirectionsCarryWhatWasWritten(SslProvider client, SslProvider server) throws Exception {
        try (var pair = connect(client, server, Optional.of(b.fingerprint()))) {
            var sent = threads.submit(() -> write(pair.client(), 1));
            var answered = threads.submit(() -> write(pair.server(), 2));
            var received = threads.submit(() -> readsWhatWasWritten(pair.server(), 1));

            assertThat(readsWhatWasWritten(pair.client(), 2)).isTrue();
            assertThat(received.get()).isTrue();
            sent.get();
            answered.get();
            assertThat(SiteIdentity.fingerprint(pair.seenByServer().getPublicKey()))
                    .isEqualTo(a.fingerprint());
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void aKeyThatIsNotThePinnedOneEndsTheHandshake(SslProvider client, SslProvider server) {
        assertThatThrownBy(() ->
                        connect(client, server, Optional.of(a.fingerprint())).close())
                .isInstanceOf(SSLException.class);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void theEndOfTheOtherSideIsTold(SslProvider client, SslProvider server) throws Exception {
        try (var pair = connect(client, server, Optional.of(b.fingerprint()))) {
            pair.client().write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
            pair.client().shutdownOutput();

            var into = ByteBuffer.allocateDirect(64 << 10);
            pair.server().fill(into, 3);
            assertThat(into.position()).isEqualTo(3);
            assertThatThrownBy(() -> pair.server().fill(into, 4)).isInstanceOf(EOFException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void whatComesTogetherWithTheEndIsReadBeforeIt(SslProvider client, SslProvider server) throws Exception {
        int length = 5 * TlsChannel.RECORD_BYTES + 1;
        try (var pair = connect(client, server, Optional.of(b.fingerprint()))) {
            pair.client().write(ByteBuffer.allocateDirect(length));
            pair.client().shutdownOutput();
            // Long enough to have come, so that it is decrypted in one call where the engine can.
            Thread.sleep(Duration.ofMillis(50));

            var into = ByteBuffer.allocateDirect(length + 3 * TlsChannel.RECORD_BYTES);
            pair.server().fill(into, length);
            assertThat(into.position()).isEqualTo(length);
            assertThatThrownBy(() -> pair.server().fill(into, length + 1)).isInstanceOf(EOFException.class);
        }
    }

    @Test
    void closingEndsAReadThatWaits() throws Exception {
        try (var pair = connect(SslProvider.OPENSSL_REFCNT, SslProvider.OPENSSL_REFCNT, Optional.of(b.fingerprint()))) {
            var waiting = threads.submit(() -> {
                pair.server().fill(ByteBuffer.allocateDirect(64 << 10), 1);
                return true;
            });
            Thread.sleep(Duration.ofMillis(50));

            pair.server().close();

            assertThatThrownBy(waiting::get).hasCauseInstanceOf(IOException.class);
            assertThatThrownBy(() -> pair.server().write(ByteBuffer.allocateDirect(1)))
                    .isInstanceOf(IOException.class);
        }
    }

    private static boolean write(TlsChannel to, long seed) throws IOException {
        var random = new Random(seed);
        var bytes = new byte[STREAM_BYTES];
        random.nextBytes(bytes);
        var all = ByteBuffer.allocateDirect(STREAM_BYTES).put(bytes).flip();
        while (all.hasRemaining()) {
            int first = Math.min(all.remaining(), random.nextInt(100));
            int second = Math.min(all.remaining() - first, random.nextInt(300 << 10));
            to.write(all.slice(all.position(), first), all.slice(all.position() + first, second));
            all.position(all.position() + first + second);
        }
        return true;
    }

    private static boolean readsWhatWasWritten(TlsChannel from, long seed) throws IOException {
        var bytes = new byte[STREAM_BYTES];
        new Random(seed).nextBytes(bytes);
        var into = ByteBuffer.allocateDirect(STREAM_BYTES + TlsChannel.RECORD_BYTES);
        from.fill(into, STREAM_BYTES);
        return into.flip().equals(ByteBuffer.wrap(bytes));
    }
}
