package io.tidemark.consistency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class UnixSocketFactoryTest {
    private static final int LIMIT_MILLIS = 200;

    @TempDir
    Path folder;

    private UnixDomainSocketAddress address() {
        return UnixDomainSocketAddress.of(folder.resolve("socket"));
    }

    private UnixSocketFactory factory() {
        return new UnixSocketFactory(folder.resolve("socket").toString());
    }

    @Test
    void whatIsSentComesBack() throws Exception {
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address());
                var socket = factory().createSocket("localhost", 0);
                var accepted = server.accept()) {
            assertThat(socket.isConnected() && socket.isBound() && !socket.isClosed() && !socket.isInputShutdown())
                    .as("what libraries ask before each command, to connect anew where it is not so")
                    .isTrue();
            socket.getOutputStream().write('x');
            var buffer = java.nio.ByteBuffer.allocate(1);
            accepted.read(buffer);
            accepted.write(buffer.flip());

            assertThat(socket.getInputStream().read()).isEqualTo('x');
        }
    }

    @Test
    @Timeout(30)
    void serverThatAcceptsNobodyIsGivenUpAtTheLimit() throws Exception {
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address(), 1)) {
            assertThat(server.isOpen()).isTrue();
            var waiting = fillQueue();
            try (var socket = factory().createSocket()) {
                assertThatThrownBy(() -> socket.connect(address(), LIMIT_MILLIS))
                        .isInstanceOf(SocketTimeoutException.class)
                        .hasMessageContaining(folder.resolve("socket").toString())
                        .hasMessageContaining("200 ms");
            } finally {
                for (var each : waiting) {
                    each.close();
                }
            }
        }
    }

    @Test
    void placeInTheQueueIsTakenWhenThereIsOne() throws Exception {
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address(), 1)) {
            var waiting = fillQueue();
            Thread.ofVirtual().start(() -> {
                try {
                    server.accept().close();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            try (var socket = factory().createSocket("localhost", 0)) {
                assertThat(socket.isConnected()).isTrue();
            } finally {
                for (var each : waiting) {
                    each.close();
                }
            }
        }
    }

    @Test
    void absentSocketFailsAtOnce() {
        assertThatThrownBy(() -> factory().createSocket("localhost", 0)).isInstanceOf(IOException.class);
    }

    private List<SocketChannel> fillQueue() throws IOException {
        var waiting = new ArrayList<SocketChannel>();
        while (true) {
            var channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.configureBlocking(false);
            try {
                if (!channel.connect(address())) {
                    channel.close();
                    return waiting;
                }
                waiting.add(channel);
            } catch (IOException full) {
                channel.close();
                return waiting;
            }
        }
    }
}
