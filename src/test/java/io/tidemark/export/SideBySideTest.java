package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.agent.Providers;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SideBySideTest {
    private static final int BLOCK = 4096;
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int DISCONNECT = 2;
    private static final int FLUSH = 3;

    @TempDir
    Path folder;

    private final HeldImage image = new HeldImage(1 << 20);
    private Exports exports;
    private ExportServer server;
    private NbdClient client;

    @BeforeEach
    void start() throws Exception {
        exports = new Exports(
                new Providers(List.of()), Overlays.in(folder, 0, Optional.empty()), Optional.empty(), List::of);
        exports.open(new Export(new ExportId("ex-1"), "slow", Export.Access.WRITABLE, Instant.EPOCH), image);
        server = ExportServer.atSocket(folder.resolve("nbd.sock"), exports);
        client = new NbdClient(folder.resolve("nbd.sock")).go("ex-1");
    }

    @AfterEach
    void stop() throws Exception {
        image.letGo();
        client.close();
        exports.close();
        server.close();
    }

    private void awaitBegun(int count) {
        Awaitility.await().until(() -> image.begun().size() == count);
    }

    @Test
    void asManyAsTheLimitAreUnderWayAtOnceAndNoMore() throws Exception {
        for (int index = 0; index <= SideBySide.REQUESTS_MAXIMUM; index++) {
            client.ask(READ, 0, index, (long) index * BLOCK, BLOCK);
        }
        Awaitility.await().until(() -> image.held() == SideBySide.REQUESTS_MAXIMUM);
        Thread.sleep(50);
        assertThat(image.begun()).hasSize(SideBySide.REQUESTS_MAXIMUM);

        image.letGo();

        Set<Long> answered = new HashSet<>();
        for (int index = 0; index <= SideBySide.REQUESTS_MAXIMUM; index++) {
            var reply = client.simple();
            assertThat(reply.type()).isZero();
            client.in.readNBytes(BLOCK);
            answered.add(reply.cookie());
        }
        assertThat(answered).hasSize(SideBySide.REQUESTS_MAXIMUM + 1);
    }

    @Test
    void aReadSeesTheWriteThatWasSentBeforeIt() throws Exception {
        byte[] written = new byte[BLOCK];
        written[7] = 7;
        client.ask(WRITE, 0, 1, 0, BLOCK, written);
        client.ask(READ, 0, 2, 0, BLOCK);
        awaitBegun(1);
        Thread.sleep(50);
        assertThat(image.begun()).containsExactly("write 0");

        image.letGo();

        assertThat(client.simple().cookie()).isEqualTo(1);
        assertThat(client.simple().cookie()).isEqualTo(2);
        assertThat(client.in.readNBytes(BLOCK)).isEqualTo(written);
    }

    @Test
    void aFlushWaitsForNoWriteThatWasNotAnswered() throws Exception {
        client.ask(WRITE, 0, 1, 0, BLOCK, new byte[BLOCK]);
        awaitBegun(1);

        client.ask(FLUSH, 0, 2, 0, 0);

        assertThat(client.simple().cookie()).isEqualTo(2);
    }

    @Test
    void whatIsUnderWayIsDoneBeforeTheImageIsClosed() throws Exception {
        client.ask(WRITE, 0, 1, 0, BLOCK, new byte[BLOCK]);
        client.ask(DISCONNECT, 0, 2, 0, 0);
        awaitBegun(1);

        exports.close(new ExportId("ex-1"), () -> {});

        assertThat(image.closed()).isFalse();
        image.letGo();
        Awaitility.await().until(image::closed);
    }

    @Test
    void whatIsRefusedIsPassedBy() throws Exception {
        client.ask(WRITE, 0, 1, 1 << 20, BLOCK, new byte[BLOCK]);
        assertThat(client.simple().type()).isEqualTo(28);
        image.letGo();
        client.ask(READ, 0, 2, 0, 0);
        assertThat(client.simple().type()).isZero();
    }
}
