package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.agent.Providers;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.export.protocol.Request;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PipelineTest {
    private static final int BLOCK = 4_096;
    private static final int SIZE = 2 << 20;
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int DISCONNECT = 2;
    private static final int FLUSH = 3;
    private static final int WRITE_ZEROES = 6;
    private static final int REQUEST_BYTES = 28;
    private static final int IO_ERROR = 5;

    @TempDir
    Path folder;

    private final TellingImage image = new TellingImage(SIZE);
    private Exports exports;
    private ExportServer server;
    private NbdClient client;

    @BeforeEach
    void start() throws Exception {
        exports = new Exports(
                new Providers(List.of()), Overlays.in(folder, 0, Optional.empty()), Optional.empty(), List::of);
        exports.open(new Export(new ExportId("ex-1"), "telling", Export.Access.WRITABLE, Instant.EPOCH), image);
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

    private static byte[] filled(int length, int with) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) with);
        return bytes;
    }

    private void assertAnswered(long cookie, int error) throws Exception {
        var reply = client.simple();
        assertThat(reply.cookie()).isEqualTo(cookie);
        assertThat(reply.type()).isEqualTo(error);
    }

    private static byte[] request(int type, long cookie, long offset, byte... payload) {
        var request = ByteBuffer.allocate(REQUEST_BYTES + payload.length);
        request.putInt(0x25609513).putShort((short) 0).putShort((short) type).putLong(cookie);
        request.putLong(offset).putInt(BLOCK).put(payload);
        return request.array();
    }

    @Test
    void whatComesTogetherBeginsTogether() throws Exception {
        var all = ByteBuffer.allocate(3 * (REQUEST_BYTES + BLOCK));
        for (int index = 0; index < 3; index++) {
            all.put(request(WRITE, index, (long) index * BLOCK, filled(BLOCK, index + 1)));
        }
        client.out.write(all.array());
        client.out.flush();

        for (int index = 0; index < 3; index++) {
            assertAnswered(index, 0);
        }
        assertThat(image.begun()).containsExactly(List.of("1 0", "1 4096", "1 8192"));
        client.ask(READ, 0, 7, BLOCK, BLOCK);
        assertAnswered(7, 0);
        assertThat(client.in.readNBytes(BLOCK)).isEqualTo(filled(BLOCK, 2));
    }

    @Test
    void asManyAsTheLimitAreUnderWayAndOthersEndThem() throws Exception {
        image.hold();
        for (int index = 0; index <= Pipeline.REQUESTS_MAXIMUM; index++) {
            client.ask(READ, 0, index, (long) index * BLOCK, BLOCK);
        }
        Awaitility.await().until(() -> image.heldCount() == Pipeline.REQUESTS_MAXIMUM);
        Thread.sleep(50);
        assertThat(image.heldCount()).isEqualTo(Pipeline.REQUESTS_MAXIMUM);

        image.letGo();

        for (int index = 0; index <= Pipeline.REQUESTS_MAXIMUM; index++) {
            assertAnswered(index, 0);
            client.in.readNBytes(BLOCK);
        }
    }

    @Test
    void aReadSeesTheWriteThatWasSentBeforeIt() throws Exception {
        image.hold();
        client.ask(WRITE, 0, 1, 0, BLOCK, filled(BLOCK, 7));
        client.ask(READ, 0, 2, 0, BLOCK);
        client.ask(FLUSH, 0, 3, 0, 0);
        Awaitility.await().until(() -> image.heldCount() == 1);
        Thread.sleep(50);
        assertThat(image.begun()).isEqualTo(List.of(List.of("1 0")));

        image.letGo();

        assertAnswered(1, 0);
        assertAnswered(2, 0);
        assertThat(client.in.readNBytes(BLOCK)).isEqualTo(filled(BLOCK, 7));
        assertAnswered(3, 0);
    }

    @Test
    void aFlushWaitsForNoWriteThatWasNotAnswered() throws Exception {
        image.hold();
        client.ask(WRITE, 0, 1, 0, BLOCK, filled(BLOCK, 7));
        client.ask(FLUSH, 0, 2, 0, 0);

        assertAnswered(2, 0);
    }

    @Test
    void oneThatFailsIsToldAndTheOthersGoOn() throws Exception {
        client.ask(WRITE, 0, 1, 0, BLOCK, filled(BLOCK, -1));
        assertAnswered(1, IO_ERROR);
        client.ask(WRITE, 0, 2, SIZE, BLOCK, filled(BLOCK, 1));
        assertThat(client.simple().type()).isEqualTo(28);
        client.ask(WRITE, 0, 3, 0, BLOCK, filled(BLOCK, 1));
        assertAnswered(3, 0);
        client.ask(READ, 0, 4, 0, 0);
        assertAnswered(4, 0);
    }

    @Test
    void whatIsThereIsAnsweredBeforeMoreIsWaitedFor() throws Exception {
        byte[] large = filled(300_000, 3);
        client.ask(WRITE, 0, 1, 0, BLOCK, filled(BLOCK, 1));
        byte[] head = request(WRITE, 2, BLOCK);
        ByteBuffer.wrap(head).putInt(24, large.length);
        client.out.write(head);
        client.out.write(large, 0, 1_000);
        client.out.flush();
        assertAnswered(1, 0);

        client.out.write(large, 1_000, large.length - 1_000);
        client.out.flush();
        assertAnswered(2, 0);
        client.ask(READ, 0, 3, BLOCK, large.length);
        assertAnswered(3, 0);
        assertThat(client.in.readNBytes(large.length)).isEqualTo(large);
    }

    @Test
    void whatIsNotBegunIsDoneToo() throws Exception {
        client.ask(WRITE, 0, 1, 0, BLOCK, filled(BLOCK, 1));
        assertAnswered(1, 0);
        client.ask(WRITE_ZEROES, 0, 2, 0, BLOCK);
        assertAnswered(2, 0);
        client.ask(READ, 0, 3, 0, BLOCK);
        assertAnswered(3, 0);
        assertThat(client.in.readNBytes(BLOCK)).isEqualTo(new byte[BLOCK]);
    }

    @Test
    void whatIsUnderWayIsDoneAndAnsweredBeforeTheImageIsClosed() throws Exception {
        image.hold();
        client.ask(WRITE, 0, 1, 0, BLOCK, filled(BLOCK, 1));
        client.ask(DISCONNECT, 0, 2, 0, 0);
        Awaitility.await().until(() -> image.heldCount() == 1);

        exports.close(new ExportId("ex-1"), () -> {});

        assertThat(image.isClosed()).isFalse();
        image.letGo();
        Awaitility.await().until(image::isClosed);
    }

    @Test
    void aRefusalIsToldBeforeTheEnd() throws Exception {
        var both = ByteBuffer.allocate(2 * REQUEST_BYTES + BLOCK);
        both.put(request(WRITE, 1, SIZE, filled(BLOCK, 1))).put(request(DISCONNECT, 2, 0));
        client.out.write(both.array());
        client.out.flush();

        assertAnswered(1, 28);
        assertThat(client.in.read()).isEqualTo(-1);
    }

    /** Else many clients that make zeros would leave no place for anybody's write. */
    @Test
    void longZeroesCountAsTheBytesThatTheyMayBecome() {
        var underWay = new UnderWay(Pipeline.REQUESTS_MAXIMUM);
        long length = 16 << 20;
        int admitted = 0;
        var next = new Request(0, Request.WRITE_ZEROES, 0, 0, length, 0);
        while (underWay.hasPlace(next) && admitted < Pipeline.REQUESTS_MAXIMUM) {
            admit(underWay, next);
            admitted++;
            next = new Request(0, Request.WRITE_ZEROES, admitted, admitted * length, length, 0);
        }
        assertThat(admitted).isEqualTo((int) (UnderWay.BYTES_MAXIMUM / UnderWay.ZEROS_COUNTED));
    }

    private static void admit(UnderWay underWay, Request request) {
        try {
            underWay.admit(request);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void oneThatIsToldToHaveFailedIsNotAnsweredAgain() throws Exception {
        image.hold();
        image.failNext();
        client.ask(READ, 0, 1, 0, BLOCK);
        assertAnswered(1, IO_ERROR);

        image.letGo();

        assertThat(client.in.read()).as("the connection ends with it").isEqualTo(-1);
    }

    /** Their answers have nobody to go to, and their places are free all the same. */
    @Test
    void aClientThatGoesAwayKeepsNothingOpen() throws Exception {
        image.hold();
        IntStream.range(0, 3).forEach(index -> {
            try {
                client.ask(READ, 0, index, (long) index * BLOCK, BLOCK);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        Awaitility.await().until(() -> image.heldCount() == 3);
        client.close();
        image.letGo();

        exports.close(new ExportId("ex-1"), () -> {});

        Awaitility.await().until(image::isClosed);
    }
}
