package io.tidemark.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.port.Compression;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.FrameCodec;
import io.tidemark.replication.protocol.FrameHeader;
import io.tidemark.replication.protocol.Message;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Real zstd on classes of the JDK, of which a fifth to a third can be spared. */
class ZstdCompressionTest {
    private static final int FRAME_BYTES = 256 << 10;
    private static final int FRAMES = 24;
    private static final ByteBuffer CLASSES = classes();

    private static IntStream levels() {
        return IntStream.of(CompressionLevels.all());
    }

    /** As protocol N-1 reads them: the decoder is not told of the level. */
    @ParameterizedTest
    @MethodSource("levels")
    void framesOfEveryLevelAreReadByOneDecoder(int level) throws Exception {
        var sender = new FrameCodec(new AtLevel(level));
        var receiver = new FrameCodec(new ZstdCompression());

        for (int frame = 0; frame < FRAMES; frame++) {
            var message = blocks(frame);
            var wire = sender.encode(message);
            assertThat(wire.remaining()).isLessThan(FRAME_BYTES);

            assertThat(decode(receiver, wire)).isEqualTo(message);
        }
    }

    @Test
    void whatIsSentWhileTheLineChangesIsReadWhole() throws Exception {
        var gain = new CompressionGain();
        var compression = new ZstdCompression(System::nanoTime, gain);
        var sender = new FrameCodec(compression);
        var receiver = new FrameCodec(new ZstdCompression());
        var used = new TreeSet<Integer>();

        for (int frame = 0; frame < 800; frame++) {
            var message = blocks(frame);
            var wire = sender.encode(message);
            double nanosPerByte = frame < 200 || frame >= 600 ? 1_000 : 0;
            compression.sent(wire.remaining(), (long) (wire.remaining() * nanosPerByte));
            used.add(gain.levels().level());

            assertThat(decode(receiver, wire)).isEqualTo(message);
        }

        assertThat(used).contains(1, 3);
    }

    @Test
    void noiseIsNeverTriedWhole() {
        var compression = new ZstdCompression();
        byte[] bytes = new byte[FRAME_BYTES];
        new Random(3).nextBytes(bytes);
        var noise = ByteBuffer.allocateDirect(FRAME_BYTES).put(bytes).flip();

        for (int frame = 0; frame < 1_000; frame++) {
            assertThat(compression.worthTrying(noise)).isFalse();
            compression.sent(FRAME_BYTES, FRAME_BYTES * 1_000L);
        }
    }

    @Test
    void oneContextServesAllLevels() {
        var target = ByteBuffer.allocateDirect(FRAME_BYTES);
        ZstdCompression.pack(1, CLASSES.slice(0, FRAME_BYTES), target);
        int before = ZstdCompression.contextsKept();

        for (int frame = 0; frame < FRAMES; frame++) {
            int index = frame;
            levels().forEach(level ->
                    ZstdCompression.pack(level, CLASSES.slice(index * FRAME_BYTES, FRAME_BYTES), target));
        }

        assertThat(ZstdCompression.contextsKept()).isEqualTo(before);
    }

    private static Message.Blocks blocks(int frame) {
        int number = frame % FRAMES;
        var extents = List.of(new BlockExtent((long) number * FRAME_BYTES, FRAME_BYTES, false));
        return new Message.Blocks(extents, CLASSES.slice(number * FRAME_BYTES, FRAME_BYTES));
    }

    private static Message decode(FrameCodec receiver, ByteBuffer wire) throws ReplicationException {
        return receiver.decode(FrameHeader.parse(wire), wire.slice());
    }

    private static ByteBuffer classes() {
        var bytes = ByteBuffer.allocateDirect(FRAMES * FRAME_BYTES);
        var folder = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("/modules/java.base/java");
        try (var files = Files.walk(folder)) {
            for (var file : files.filter(Files::isRegularFile).sorted().toList()) {
                byte[] content = Files.readAllBytes(file);
                bytes.put(content, 0, Math.min(content.length, bytes.remaining()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        assertThat(bytes.hasRemaining()).isFalse();
        return bytes.flip();
    }

    private record AtLevel(int level) implements Compression {
        @Override
        public boolean compress(ByteBuffer raw, ByteBuffer target) {
            int packed = ZstdCompression.pack(level, raw, target);
            target.position(target.position() + packed);
            return packed > 0;
        }

        @Override
        public void decompress(ByteBuffer compressed, ByteBuffer target) {
            throw new AssertionError("it only sends");
        }
    }
}
