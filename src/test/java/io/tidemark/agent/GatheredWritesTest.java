package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GatheredWritesTest {
    private static final int FRAME = 256 << 10;
    private static final int SIZE = 32 << 20;

    /** Remembers what was written, and refuses when told to. */
    private static final class Memory implements VolumeWriter {
        private final byte[] content = new byte[SIZE];
        private final List<BlockRange> writes = new ArrayList<>();
        private boolean full;

        @Override
        public long sizeBytes() {
            return SIZE;
        }

        @Override
        public void write(long offsetBytes, ByteBuffer source) throws ProviderException {
            if (full) {
                throw new ProviderException(new ProviderError.VolumeNotFound(VolumeId.of("memory", "full")));
            }
            writes.add(new BlockRange(offsetBytes, source.remaining()));
            source.get(content, (int) offsetBytes, source.remaining());
        }

        @Override
        public void writeZeroes(BlockRange range) {}

        @Override
        public void read(long offsetBytes, ByteBuffer target) {}

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    private final Memory volume = new Memory();
    private final GatheredWrites gathered = new GatheredWrites();

    @Test
    void framesThatFollowEachOtherAreOneWriteAndOthersAreTheirOwn() throws Exception {
        for (int frame = 0; frame < 20; frame++) {
            gathered.add(volume, (long) frame * FRAME, ByteBuffer.allocate(FRAME), 0, FRAME);
        }
        assertThat(volume.writes).containsExactly(new BlockRange(0, 16 * FRAME));

        gathered.add(volume, 28 << 20, ByteBuffer.allocate(4096), 0, 4096);
        assertThat(volume.writes).hasSize(2).last().isEqualTo(new BlockRange(16 * FRAME, 4 * FRAME));

        gathered.write(volume);
        gathered.write(volume);
        assertThat(volume.writes).hasSize(3).last().isEqualTo(new BlockRange(28 << 20, 4096));
    }

    @Test
    void whateverIsAddedIsWhatIsWritten() throws Exception {
        var random = new Random(7);
        var expected = new byte[SIZE];
        int at = 0;
        for (int round = 0; round < 400; round++) {
            var bytes = new byte[1 + random.nextInt(random.nextInt(20) == 0 ? 9 << 20 : FRAME)];
            random.nextBytes(bytes);
            at = random.nextInt(3) == 0 || at + bytes.length > SIZE ? random.nextInt(SIZE - bytes.length) : at;
            System.arraycopy(bytes, 0, expected, at, bytes.length);
            int before = random.nextInt(100);
            var source = ByteBuffer.allocate(before + bytes.length + 1).put(before, bytes);
            gathered.add(volume, at, source, before, bytes.length);
            assertThat(source.position()).isZero();
            at += bytes.length;
        }
        gathered.write(volume);

        assertThat(volume.content).isEqualTo(expected);
        assertThat(volume.writes).allMatch(write -> write.lengthBytes() <= GatheredWrites.GATHERED_BYTES_MAXIMUM);
    }

    @Test
    void aFailedWriteIsNotWrittenLater() throws Exception {
        gathered.add(volume, 0, ByteBuffer.allocate(FRAME), 0, FRAME);
        volume.full = true;
        assertThatThrownBy(() -> gathered.write(volume)).isInstanceOf(ProviderException.class);
        volume.full = false;

        gathered.write(volume);

        assertThat(volume.writes).isEmpty();
    }
}
