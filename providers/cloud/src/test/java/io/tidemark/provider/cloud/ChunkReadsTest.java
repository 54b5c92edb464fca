package io.tidemark.provider.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.cloud.ChunkReads.Fetch;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class ChunkReadsTest {
    private static final int CHUNK = 100;
    private static final int KEPT = 2;
    private static final int PERMITS = 3;
    private static final long FETCH_NANOS = 1_000_000;

    private final byte[] content = new byte[10 * CHUNK + 7];
    private final AtomicInteger asked = new AtomicInteger();

    ChunkReadsTest() {
        new Random(1).nextBytes(content);
    }

    private byte[] chunk(int index) {
        asked.incrementAndGet();
        return Arrays.copyOfRange(content, index * CHUNK, Math.min((index + 1) * CHUNK, content.length));
    }

    private ChunkReads reads(Fetch fetch) {
        var image = new ChunkReads.Image("Nimbus", "disk@rp-1", content.length, CHUNK, KEPT);
        return new ChunkReads(image, new Semaphore(PERMITS), fetch);
    }

    @Test
    void everyRangeHasItsBytesAndNoOthersAreTouched() throws Exception {
        var reads = reads(this::chunk);
        var random = new Random(2);
        for (int round = 0; round < 500; round++) {
            int from = random.nextInt(content.length);
            int length = random.nextInt(content.length - from + 1);
            var target = ByteBuffer.allocate(length + 20).position(10).limit(10 + length);

            reads.read(from, target);

            assertThat(target.hasRemaining()).isFalse();
            assertThat(Arrays.copyOfRange(target.array(), 10, 10 + length))
                    .isEqualTo(Arrays.copyOfRange(content, from, from + length));
            assertThat(Arrays.copyOfRange(target.array(), 0, 10)).containsOnly(0);
            assertThat(Arrays.copyOfRange(target.array(), 10 + length, 20 + length))
                    .containsOnly(0);
        }
    }

    @Test
    void noMoreChunksAreAskedForAtOnceThanThereArePermits() throws Exception {
        var now = new AtomicInteger();
        var most = new AtomicInteger();
        var reads = reads(index -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            LockSupport.parkNanos(FETCH_NANOS);
            now.decrementAndGet();
            return chunk(index);
        });

        reads.read(0, ByteBuffer.allocate(content.length));

        assertThat(most.get()).isBetween(1, PERMITS);
        assertThat(asked.get()).isEqualTo(11);
    }

    @Test
    void theLastChunksAreKeptAndNoMoreOfThem() throws Exception {
        var reads = reads(this::chunk);
        for (int offset = 0; offset < CHUNK; offset += 10) {
            reads.read(offset, ByteBuffer.allocate(10));
        }
        assertThat(asked.get()).isEqualTo(1);

        reads.read(CHUNK, ByteBuffer.allocate(1));
        reads.read(2 * CHUNK, ByteBuffer.allocate(1));
        reads.read(0, ByteBuffer.allocate(1));

        assertThat(asked.get()).isEqualTo(4);
    }

    @Test
    void aChunksFailureIsThatOfTheReadAndLeavesNoPermitTaken() throws Exception {
        var failure = new ProviderException(new ProviderError.Unexpected("chunk 4", "a bad day"));
        var reads = reads(index -> {
            if (index == 4 && asked.get() < 100) {
                throw failure;
            }
            return chunk(index);
        });

        assertThatThrownBy(() -> reads.read(0, ByteBuffer.allocate(content.length)))
                .isSameAs(failure);

        asked.set(100);
        var target = ByteBuffer.allocate(content.length);
        reads.read(0, target);
        assertThat(target.array()).isEqualTo(content);
    }

    @Test
    void rangesThatLeaveTheImageAndReadsAfterTheCloseAreRefused() throws Exception {
        var reads = reads(this::chunk);
        assertThatThrownBy(() -> reads.read(content.length - 5, ByteBuffer.allocate(6)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("disk@rp-1")
                .hasMessageContaining("offset 1002, length 6");
        assertThatThrownBy(() -> reads.read(-1, ByteBuffer.allocate(1))).isInstanceOf(IllegalArgumentException.class);

        assertThat(reads.close()).isTrue();
        assertThat(reads.close()).isFalse();

        assertThatThrownBy(() -> reads.read(0, ByteBuffer.allocate(1)))
                .hasMessageContaining("disk@rp-1")
                .hasMessageContaining("its reader is closed");
        assertThat(asked.get()).isZero();
    }
}
