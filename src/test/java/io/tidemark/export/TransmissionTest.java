package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.Export.Access;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the installed clients do not ask: extended headers, requests in heaps, broken ones. */
@Timeout(60)
class TransmissionTest {
    private static final int SIZE = 4 << 20;
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int FLUSH = 3;
    private static final int TRIM = 4;
    private static final int STATUS = 7;
    private static final int FUA = 1;
    private static final int DF = 4;
    private static final int PAYLOAD = 32;
    private static final int DATA = 1;
    private static final int ERROR = 0x8001;

    @TempDir
    Path folder;

    private final byte[] original = new byte[SIZE];
    private TestServer server;

    @BeforeEach
    void start() throws Exception {
        new Random(4).nextBytes(original);
        server = new TestServer(folder, Files.write(folder.resolve("disk"), original), false, SIZE)
                .with(Access.WRITABLE)
                .with(Access.READ_ONLY);
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private NbdClient client(String export, int... replies) throws Exception {
        return new NbdClient(server.socket).go(export, replies);
    }

    @Test
    void extendedHeadersServeEveryCommand() throws Exception {
        byte[] bytes = new byte[5_000];
        Arrays.fill(bytes, (byte) 3);
        try (var client = client("ex-write", NbdClient.EXTENDED)) {
            client.askExtended(WRITE, PAYLOAD | FUA, 1, 100, bytes.length, bytes);
            assertThat(client.extended()).isEqualTo(new NbdClient.Reply(0, true, 1, ByteBuffer.allocate(0)));
            client.askExtended(READ, 0, 2, 100, bytes.length);
            var read = client.extended();
            assertThat(read.type()).isEqualTo(DATA);
            assertThat(read.bytes().array()).endsWith(bytes).hasSize(8 + bytes.length);
            client.askExtended(STATUS, 0, 3, 0, SIZE);
            var status = client.extended().bytes();
            assertThat(status.getInt()).isEqualTo(1);
            assertThat(status.getInt()).isEqualTo(1);
            assertThat(status.getLong()).isEqualTo(SIZE);
            client.askExtended(TRIM, 0, 4, 0, 1L << 40);
            assertThat(client.extended().bytes().getInt()).isEqualTo(22);
            client.askExtended(STATUS, PAYLOAD, 5, 0, 16, new byte[16]);
            assertThat(client.extended().type()).isEqualTo(ERROR);
        }
    }

    @Test
    void whatClientsReadAndWriteIsCountedAndWhatIsRefusedIsAnError() throws Exception {
        try (var client = client("ex-write")) {
            client.ask(WRITE, 0, 1, 0, 3_000, new byte[3_000]);
            assertThat(client.simple().cookie()).isEqualTo(1);
            client.ask(WRITE, 0, 2, SIZE, 512, new byte[512]);
            assertThat(client.simple().cookie()).isEqualTo(2);
            client.ask(TRIM, 0, 3, 0, 4_096);
            assertThat(client.simple().cookie()).isEqualTo(3);
            assertThat(server.exports.connectionCount()).isEqualTo(1);
        }
        try (var client = client("ex-read", NbdClient.EXTENDED)) {
            client.askExtended(READ, 0, 4, 0, 1_000);
            assertThat(client.extended().type()).isEqualTo(DATA);
            // Sent by the kernel, out of the file.
            client.askExtended(READ, 0, 5, 0, 1 << 20);
            assertThat(client.extended().type()).isEqualTo(DATA);
            client.askExtended(READ, 0, 6, SIZE, 512);
            assertThat(client.extended().type()).isEqualTo(ERROR);
        }

        Awaitility.await().until(() -> server.exports.connectionCount() == 0);
        var traffic = server.exports.traffic();
        assertThat(server.exports.openCount()).isEqualTo(2);
        assertThat(traffic.writtenBytes()).isEqualTo(3_000);
        assertThat(traffic.readBytes()).isEqualTo(1_000 + (1 << 20));
        assertThat(traffic.errors()).isEqualTo(2);
    }

    @Test
    void aLargeReadIsSentInPiecesOrNotAtAll() throws Exception {
        try (var client = client("ex-write", NbdClient.STRUCTURED)) {
            client.ask(READ, 0, 1, 7, 1_000_000);
            var read = ByteBuffer.allocate(1_000_000);
            for (var chunk = client.structured(); ; chunk = client.structured()) {
                long offset = chunk.bytes().getLong();
                assertThat(offset).isEqualTo(7 + read.position());
                read.put(chunk.bytes());
                if (chunk.done()) {
                    break;
                }
            }
            assertThat(read.array()).isEqualTo(Arrays.copyOfRange(original, 7, 1_000_007));

            client.ask(READ, DF, 2, 0, 1_000_000);
            var refused = client.structured();
            assertThat(refused.type()).isEqualTo(ERROR);
            assertThat(refused.bytes().getInt()).isEqualTo(75);
            client.ask(READ, DF, 3, 0, 65_536);
            assertThat(client.structured().bytes().array()).hasSize(8 + 65_536);
        }
    }

    @Test
    void simpleRepliesCarryLargeReadsWhole() throws Exception {
        try (var client = client("ex-read")) {
            client.ask(READ, 0, 9, 0, SIZE);

            assertThat(client.simple().cookie()).isEqualTo(9);
            assertThat(client.in.readNBytes(SIZE)).isEqualTo(original);
        }
    }

    @Test
    void requestsInAHeapAreAnsweredInTheirOrder() throws Exception {
        byte[] block = new byte[4_096];
        try (var client = client("ex-write")) {
            for (int number = 0; number < 300; number++) {
                Arrays.fill(block, (byte) number);
                client.ask(WRITE, 0, number, number * 4_096L, block.length, block);
            }
            for (int number = 0; number < 300; number++) {
                assertThat(client.simple()).isEqualTo(new NbdClient.Reply(0, true, number, ByteBuffer.allocate(0)));
            }
            client.ask(READ, 0, 1_000, 299 * 4_096L, 4_096);
            client.simple();
            assertThat(client.in.readNBytes(4_096)).containsOnly(299 - 256);
        }
    }

    @Test
    void aFlushAndAForcedWriteReachTheVolume() throws Exception {
        try (var client = client("ex-write")) {
            int before = FileProvider.FLUSHES.get();
            client.ask(WRITE, 0, 1, 0, 1, (byte) 1);
            client.simple();
            assertThat(FileProvider.FLUSHES.get()).isEqualTo(before);
            client.ask(FLUSH, 0, 2, 0, 0);
            client.simple();
            assertThat(FileProvider.FLUSHES.get()).isEqualTo(before + 1);
            client.ask(WRITE, FUA, 3, 0, 1, (byte) 1);
            client.simple();
            assertThat(FileProvider.FLUSHES.get()).isEqualTo(before + 2);
        }
    }

    @Test
    void aRefusedWriteIsPassedByAndTheNextRequestIsServed() throws Exception {
        try (var client = client("ex-read")) {
            client.ask(WRITE, 0, 1, 0, 300_000, new byte[300_000]);
            assertThat(client.simple().type()).isEqualTo(1);
            client.ask(READ, 0, 2, 0, 16);
            assertThat(client.simple().cookie()).isEqualTo(2);
            assertThat(client.in.readNBytes(16)).isEqualTo(Arrays.copyOf(original, 16));
        }
        assertThat(folder.resolve("disk")).hasBinaryContent(original);
    }

    @Test
    void aClientThatBreaksTheProtocolLosesItsConnectionAlone() throws Exception {
        try (var good = client("ex-read");
                var bad = client("ex-read")) {
            bad.out.write(new byte[28]);

            assertThatThrownBy(bad::simple).isInstanceOf(EOFException.class);
            good.ask(READ, 0, 1, 0, 1);
            assertThat(good.simple().cookie()).isEqualTo(1);
        }
    }

    @Test
    void removingAnExportEndsItsConnections() throws Exception {
        try (var client = client("ex-read")) {
            client.ask(READ, 0, 1, 0, 1);
            client.simple();
            client.in.readByte();
            assertThat(server.exports.all().getFirst().connectionCount()).isEqualTo(1);

            server.exports.close(TestServer.READ_ONLY, () -> {});

            assertThatThrownBy(() -> {
                        client.ask(READ, 0, 2, 0, 1);
                        client.simple();
                    })
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void connectionsThatEndLeaveNothing() throws Exception {
        for (int round = 0; round < ExportServer.CONNECTIONS_MAXIMUM + 10; round++) {
            client("ex-read").close();
        }

        Awaitility.await()
                .atMost(Duration.ofSeconds(10))
                .until(() -> server.exports.all().getFirst().connectionCount() == 0);
        client("ex-read").close();
    }
}
