package io.tidemark.benchmark;

import io.tidemark.agent.Providers;
import io.tidemark.agent.ReplicationServer;
import io.tidemark.agent.SitePairing;
import io.tidemark.domain.Moment;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.transport.PeerListener;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/**
 * The other side, in a process of its own: a whole target site, and a bare stream's receiver. Says where it listens in
 * one line; ends with its input.
 */
final class TargetProcess implements AutoCloseable {
    private final Process process;
    private final String[] words;
    private volatile long durableMillis;

    private TargetProcess(Process process, String[] words) {
        this.process = process;
        this.words = words;
    }

    static TargetProcess start(Path folder, String sourceFingerprint, long streamBytes) throws Exception {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-Xmx512m"));
        var logging = System.getProperty("logback.configurationFile");
        if (logging != null) {
            command.add("-Dlogback.configurationFile=" + logging);
        }
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                TargetProcess.class.getName(),
                folder.toString(),
                sourceFingerprint,
                Long.toString(streamBytes)));
        var process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        var reader = process.inputReader(StandardCharsets.UTF_8);
        for (var line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.startsWith("ready ")) {
                var target = new TargetProcess(process, line.split(" "));
                Thread.ofVirtual().start(() -> reader.lines().forEach(target::hear));
                return target;
            }
        }
        throw new IllegalStateException("the target process ended");
    }

    private void hear(String line) {
        if (line.startsWith("durable ")) {
            durableMillis = Long.parseLong(line.substring("durable ".length()));
        } else {
            System.err.println(line);
        }
    }

    /** When all blocks of the newest synchronisation and its commit were synced, by the clock of this machine. */
    long durableMillis() {
        return durableMillis;
    }

    private static void tell(Moment moment) {
        if (moment == Moment.INGEST_COMMITTED) {
            System.out.println("durable " + System.currentTimeMillis());
        }
    }

    String address() {
        return words[1];
    }

    String fingerprint() {
        return words[2];
    }

    int streamPort() {
        return Integer.parseInt(words[3]);
    }

    int filePort() {
        return Integer.parseInt(words[4]);
    }

    @Override
    public void close() {
        process.destroy();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        long streamBytes = Long.parseLong(args[2]);
        var state = Files.createDirectories(folder.resolve("state"));
        var identity = SiteIdentity.in(state, InstantSource.system());
        var connector = new TlsPeerConnector(identity, TransportLimits.DEFAULT);
        var catalog = new OneLinkCatalog(args[1]);
        var pairing = new SitePairing(
                catalog,
                connector,
                () -> "127.0.0.1:1",
                identity.fingerprint(),
                InstantSource.system(),
                new SecureRandom(),
                "bench");
        var volumes = ImageVolumes.in(Files.createDirectories(folder.resolve("volumes")));
        var server = new ReplicationServer(
                new Providers(List.of(volumes.provider())),
                catalog,
                BlockKernels.best(),
                state,
                pairing,
                TargetProcess::tell,
                InstantSource.system(),
                System::nanoTime,
                "bench");
        var listener =
                PeerListener.start("127.0.0.1", 0, identity, server, TransportLimits.DEFAULT, InstantSource.system());
        var streams = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread.ofPlatform().daemon().start(() -> serve(streams, stream -> stream.receive(streamBytes)));
        var files = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread.ofPlatform().daemon().start(() -> serve(files, stream -> receiveFile(stream, folder, streamBytes)));
        System.out.printf(
                "ready %s %s %d %d%n",
                listener.address(),
                identity.fingerprint(),
                streams.socket().getLocalPort(),
                files.socket().getLocalPort());
        // Ends with the process that reads our output.
        System.in.transferTo(OutputStream.nullOutputStream());
        System.exit(0);
    }

    /** What one bare stream's receiver does. */
    private interface Receiver {
        void receive(BareStream stream) throws Exception;
    }

    private static void receiveFile(BareStream stream, Path folder, long bytes) throws Exception {
        var file = folder.resolve("volumes").resolve("carried.bench");
        try (var into = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            stream.receive(bytes, into);
        }
    }

    private static void serve(ServerSocketChannel streams, Receiver receiver) {
        while (streams.isOpen()) {
            try (var stream = BareStream.accept(streams)) {
                receiver.receive(stream);
            } catch (Exception e) {
                System.err.println("stream: " + e);
            }
        }
    }
}
