package io.tidemark.benchmark;

import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.LiveMessage;
import io.tidemark.replication.port.PeerConnection;
import io.tidemark.replication.port.PeerSessions;
import io.tidemark.replication.protocol.Message;
import io.tidemark.system.ground.TidemarkProgram;
import io.tidemark.transport.PeerListener;
import io.tidemark.transport.SiteIdentity;
import io.tidemark.transport.TlsPeerConnector;
import io.tidemark.transport.TransportLimits;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A connection as two sites have it, to a process that does nothing but answer: a frame with a live write there, one with its
 * confirmation back.
 */
final class RoundTrip implements AutoCloseable {
    private static final int BLOCK_BYTES = 4_096;
    private static final double NANOS_PER_MICRO = 1_000;

    private final Process process;
    private final PeerConnection connection;

    private RoundTrip(Process process, PeerConnection connection) {
        this.process = process;
        this.connection = connection;
    }

    /** @param folder for keys of both ends */
    static RoundTrip in(Path folder) throws Exception {
        var identity = SiteIdentity.in(Files.createDirectories(folder.resolve("asking")), InstantSource.system());
        var answering = Files.createDirectories(folder.resolve("answering"));
        var command = TidemarkProgram.java(
                List.of("-Xmx256m", "-XX:TieredStopAtLevel=4"), RoundTrip.class.getName(), answering.toString());
        var process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        RoundTrip made = null;
        try {
            var reader = process.inputReader(StandardCharsets.UTF_8);
            for (var line = reader.readLine(); made == null && line != null; line = reader.readLine()) {
                var words = line.split(" ", -1);
                if (words[0].equals("ready")) {
                    var connector = new TlsPeerConnector(identity, TransportLimits.DEFAULT);
                    made = new RoundTrip(process, connector.connect(words[1], words[2]));
                    return made;
                }
            }
            throw new IOException("the process that answers has ended");
        } finally {
            if (made == null) {
                process.destroy();
            }
        }
    }

    /** Median, one at a time, as many as there is time for. */
    double medianMicros(int seconds) throws ReplicationException {
        var data = Bytes.of(ByteBuffer.allocate(BLOCK_BYTES).putLong(1).rewind());
        var took = new ArrayList<Long>();
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        for (long number = 1; System.nanoTime() < until; number++) {
            long start = System.nanoTime();
            connection.send(new Message.Live(List.of(new LiveMessage.Write(number, 0, BLOCK_BYTES, data))));
            connection.receive();
            took.add(System.nanoTime() - start);
        }
        return BenchRun.median(took.stream().mapToDouble(Long::doubleValue).toArray()) / NANOS_PER_MICRO;
    }

    @Override
    public void close() throws InterruptedException {
        connection.close();
        process.destroy();
        process.waitFor();
    }

    /** Answers every frame; whoever has started this is the only one who knows where. */
    private static final class Answering implements PeerSessions {
        @Override
        public boolean knows(String fingerprint) {
            return true;
        }

        @Override
        public void serve(PeerConnection connection, boolean known) {
            try {
                for (long number = 1; ; number++) {
                    connection.receive();
                    connection.send(new Message.Live(List.of(new LiveMessage.Durable(number))));
                }
            } catch (ReplicationException e) {
                // The one who asks has gone.
                return;
            }
        }
    }

    public static void main(String[] args) throws Exception {
        var identity = SiteIdentity.in(Path.of(args[0]), InstantSource.system());
        try (var listener = PeerListener.start(
                "127.0.0.1", 0, identity, new Answering(), TransportLimits.DEFAULT, InstantSource.system())) {
            System.out.printf("ready %s %s%n", listener.address(), identity.fingerprint());
            // Ends with the process that reads our output.
            System.in.transferTo(OutputStream.nullOutputStream());
        }
    }
}
