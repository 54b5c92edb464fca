package io.tidemark.system.ground;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ServerProcessTest {
    private final List<Integer> tried = new ArrayList<>();

    /** The JDK's file server. */
    private ServerProcess served(int port) throws IOException {
        tried.add(port);
        var program = Path.of(System.getProperty("java.home"), "bin", "jwebserver");
        return ServerProcess.start(
                "files",
                List.of(program.toString(), "-b", "127.0.0.1", "-p", String.valueOf(port), "-d", "/"),
                "TERM",
                () -> {
                    try (var client = new Socket(InetAddress.getLoopbackAddress(), port)) {
                        client.getOutputStream().write("HEAD / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                        client.setSoTimeout(1_000);
                        if (client.getInputStream().read() < 0) {
                            throw new IOException("nothing was answered");
                        }
                    }
                });
    }

    /** As by somebody who is faster: nobody answers there. */
    private ServerProcess servedWhereTaken(int port) throws IOException {
        try (var taken = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return served(taken.getLocalPort());
        }
    }

    @Test
    void whereAPortIsTakenMeanwhileAnotherOneIs() throws IOException {
        var server = ServerProcess.onFreePort(port -> tried.isEmpty() ? servedWhereTaken(port) : served(port));
        server.stop("TERM");

        assertThat(tried).hasSize(2).doesNotHaveDuplicates();
    }

    @Test
    void afterThreeTakenPortsItIsSaid() {
        assertThatThrownBy(() -> ServerProcess.onFreePort(this::servedWhereTaken))
                .hasMessageContaining("Address already in use");
        assertThat(tried).hasSize(3);
    }

    @Test
    void whoFailsForAnotherReasonIsNotStartedAgain() {
        assertThatThrownBy(() -> ServerProcess.onFreePort(port -> {
                    tried.add(port);
                    return ServerProcess.start("failing", List.of("sh", "-c", "echo broken; exit 1"), "TERM", () -> {
                        throw new IOException("no");
                    });
                }))
                .hasMessageContaining("broken");
        assertThat(tried).hasSize(1);
    }
}
