package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.Export;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ExportRelayTest {
    private static final int BLOCK = 4096;
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int FLUSH = 3;
    private static final Duration AWAY_LIMIT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private Path disk;
    private TestServer server;

    @BeforeEach
    void start() throws Exception {
        disk = Files.write(folder.resolve("disk"), new byte[1 << 20]);
        server = server();
    }

    private TestServer server() throws Exception {
        return new TestServer(folder, disk, true, 1 << 20).with(Export.Access.WRITABLE);
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private ExportRelay relay(Duration awayLimit) throws IOException {
        return ExportRelay.start(server.socket, TestServer.WRITABLE, folder.resolve("relay.sock"), awayLimit);
    }

    private NbdClient client() throws IOException {
        return new NbdClient(folder.resolve("relay.sock")).go("ex-write");
    }

    private static byte[] block(int value) {
        byte[] block = new byte[BLOCK];
        Arrays.fill(block, (byte) value);
        return block;
    }

    private byte[] stored(int block) throws IOException {
        return Arrays.copyOfRange(Files.readAllBytes(disk), block * BLOCK, (block + 1) * BLOCK);
    }

    @Test
    void requestsThatAreSentWhileTheServerIsAwayAreDoneOnceItIsBack() throws Exception {
        try (var relay = relay(AWAY_LIMIT);
                var client = client()) {
            client.ask(WRITE, 0, 1, 0, BLOCK, block(1));
            assertThat(client.simple().type()).isZero();
            server.close();
            client.ask(WRITE, 0, 2, BLOCK, BLOCK, block(2));
            client.ask(READ, 0, 3, 0, BLOCK);
            var answers = CompletableFuture.supplyAsync(() -> answers(client));
            assertThatThrownBy(() -> answers.get(200, TimeUnit.MILLISECONDS)).isInstanceOf(Exception.class);

            server = server();

            assertThat(answers.get(20, TimeUnit.SECONDS)).isEqualTo(block(1));
            assertThat(stored(1)).isEqualTo(block(2));
            assertThat(relay.writable()).isTrue();
        }
    }

    /** The bytes that were read. */
    private static byte[] answers(NbdClient client) {
        try {
            byte[] bytes = {};
            for (int count = 0; count < 2; count++) {
                var reply = client.simple();
                assertThat(reply.type()).isZero();
                bytes = reply.cookie() == 3 ? client.in.readNBytes(BLOCK) : bytes;
            }
            return bytes;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatWasAcknowledgedAndNotFlushedIsWrittenAgainInItsOrder() throws Exception {
        try (var relay = relay(AWAY_LIMIT);
                var client = client()) {
            client.ask(WRITE, 0, 1, 0, BLOCK, block(1));
            client.simple();
            client.ask(FLUSH, 0, 2, 0, 0);
            client.simple();
            for (int value = 2; value < 9; value++) {
                client.ask(WRITE, 0, value, BLOCK, BLOCK, block(value));
                assertThat(client.simple().type()).isZero();
            }
            server.close();
            // As after a crash of a server that keeps what it was not told to flush in its memory.
            Files.write(disk, new byte[1 << 20]);

            server = server();
            client.ask(FLUSH, 0, 20, 0, 0);

            assertThat(client.simple().type()).isZero();
            assertThat(stored(1)).isEqualTo(block(8));
            // Flushed before: the server answers for it.
            assertThat(stored(0)).isEqualTo(new byte[BLOCK]);
            relay.flush();
        }
    }

    @Test
    void pastTheLimitEverythingFailsForGood() throws Exception {
        try (var relay = relay(Duration.ofMillis(300));
                var client = client()) {
            server.close();
            client.ask(WRITE, 0, 1, 0, BLOCK, block(1));

            assertThat(client.simple().type()).isEqualTo(5);

            server = server();
            client.ask(READ, 0, 2, 0, BLOCK);
            assertThat(client.simple().type()).isEqualTo(5);
            assertThatThrownBy(relay::flush).hasMessageContaining("was away for more than PT0.3S");
        }
    }

    @Test
    void aReadThatEndsEachConnectionFailsAndWhatFollowsIsDone() throws Exception {
        try (var relay = relay(AWAY_LIMIT);
                var client = client()) {
            try (var file = FileChannel.open(disk, StandardOpenOption.WRITE)) {
                file.truncate(512 << 10);
            }

            // So long a read is sent by the kernel, behind an answer that promises it.
            client.ask(READ, 0, 1, 512 << 10, 128 << 10);
            assertThat(client.simple().type()).isEqualTo(5);

            client.ask(READ, 0, 2, 0, 128 << 10);
            assertThat(client.simple().type()).isZero();
            assertThat(client.in.readNBytes(128 << 10)).hasSize(128 << 10);
            relay.flush();
        }
    }

    @Test
    void severalConnectionsAreNotOfferedForOneClient() throws Exception {
        int multiConn = 1 << 8;
        try (var relay = relay(AWAY_LIMIT);
                var site = RemoteConnection.open(server.socket, "ex-write");
                var client = RemoteConnection.open(folder.resolve("relay.sock"), "ex-write")) {
            assertThat(relay.writable()).isTrue();
            assertThat(site.told().flags() & multiConn).isNotZero();
            assertThat(client.told().flags() & multiConn).isZero();
        }
    }

    @Test
    void aSmallChangeCountsByWhatItTakesInMemory() throws Exception {
        try (var image = RemoteImage.connect(server.socket, "ex-write", AWAY_LIMIT)) {
            image.writeZeroes(0, BLOCK, false);
            image.writeZeroes(0, BLOCK, false);
            assertThat(image.unflushedBytes()).isGreaterThan(2 * 256);
            image.flush();
            assertThat(image.unflushedBytes()).isZero();
        }
    }

    @Test
    void anotherVolumeOfThatNameIsNotTakenForTheFirst() throws Exception {
        try (var relay = relay(AWAY_LIMIT);
                var client = client()) {
            server.close();
            Files.write(disk, new byte[2 << 20]);
            server = server();
            client.ask(READ, 0, 1, 0, BLOCK);

            assertThat(client.simple().type()).isEqualTo(5);
            assertThatThrownBy(relay::flush).hasMessageContaining("is another now");
        }
    }
}
