package io.tidemark.provider.ebs;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Somebody else's emulator of EC2 and the EBS direct APIs ({@code moto_server}, from PyPI), as a process of its own on loopback. */
final class MotoServer implements AutoCloseable {
    /** Where CI puts it; seen from the module, in which tests run. */
    private static final Path INSTALLED = Path.of("target/moto/bin/moto_server").toAbsolutePath();

    private static final Duration START_MAXIMUM = Duration.ofSeconds(60);
    private static final Duration END_MAXIMUM = Duration.ofSeconds(10);

    private final Process process;
    private final URI address;

    private MotoServer(Process process, URI address) {
        this.process = process;
        this.address = address;
    }

    /** Skips, and says so, where it is not on the path. */
    static MotoServer start() throws Exception {
        var program = Optional.of(INSTALLED).filter(Files::isExecutable).or(() -> onPath("moto_server"));
        if (program.isEmpty()) {
            System.err.println("SKIPPED: moto_server is not here: pip install 'moto[server]==5.2.1'");
        }
        Assumptions.assumeTrue(program.isPresent(), "moto_server is not here");
        int port = freePort();
        var process = new ProcessBuilder(
                        program.orElseThrow().toString(), "-H", "127.0.0.1", "-p", String.valueOf(port))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        var server = new MotoServer(process, URI.create("http://127.0.0.1:" + port));
        try {
            server.await(port);
            return server;
        } catch (Exception e) {
            server.close();
            throw e;
        }
    }

    URI address() {
        return address;
    }

    private void await(int port) throws Exception {
        long until = System.nanoTime() + START_MAXIMUM.toNanos();
        while (System.nanoTime() < until && process.isAlive()) {
            try (var connected = new Socket(InetAddress.getLoopbackAddress(), port)) {
                if (connected.isConnected()) {
                    return;
                }
            } catch (IOException e) {
                Thread.sleep(100);
            }
        }
        throw new IllegalStateException("moto_server did not listen within " + START_MAXIMUM);
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static Optional<Path> onPath(String name) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(END_MAXIMUM.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
        }
    }
}
