package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.ExportId;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A snapshot whose storage cannot be read at times. */
@Timeout(60)
class SnapshotImageTest {
    private static final byte[] BYTES = {1, 2, 3, 4};

    @TempDir
    Path folder;

    private final Deque<ProviderError> refusals = new ArrayDeque<>();
    private final CountDownLatch asked = new CountDownLatch(1);

    private static ProviderError busy(Duration retryAfter) {
        return new ProviderError.Busy("snapshot", "its storage", retryAfter);
    }

    /** Fills a part of the buffer before it refuses. */
    private final SnapshotReader reader = new SnapshotReader() {
        @Override
        public long sizeBytes() {
            return BYTES.length;
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
            asked.countDown();
            var refusal = refusals.poll();
            if (refusal != null) {
                target.put((byte) 9);
                throw new ProviderException(refusal);
            }
            target.put(BYTES);
        }

        @Override
        public Optional<Path> path() {
            return Optional.empty();
        }

        @Override
        public void close() {}
    };

    private ExportImage image() throws Exception {
        return SnapshotImage.of(reader, Optional.empty());
    }

    @Test
    void aReadAsksAgainWhereItCanSucceedLater() throws Exception {
        refusals.add(busy(Duration.ofMillis(10)));
        refusals.add(new ProviderError.Unreachable("storage", "no route"));
        var target = ByteBuffer.allocate(BYTES.length);

        image().read(0, target);

        assertThat(target.array()).isEqualTo(BYTES);
    }

    @Test
    void aReadFailsWhereItCannotSucceedInItsTime() throws Exception {
        refusals.add(new ProviderError.Corrupt("snapshot", "a sum"));
        refusals.add(busy(SnapshotImage.RETRY_LIMIT.plusSeconds(1)));

        var image = image();

        assertThatThrownBy(() -> image.read(0, ByteBuffer.allocate(4))).hasMessageContaining("a sum");
        assertThatThrownBy(() -> image.read(0, ByteBuffer.allocate(4))).hasMessageContaining("in use by its storage");
        assertThat(refusals).isEmpty();
    }

    @Test
    void anExportThatEndsWaitsForNoStorage() throws Exception {
        refusals.add(busy(SnapshotImage.RETRY_LIMIT.minusSeconds(5)));
        var image = Overlays.in(folder, 1 << 20, Optional.empty()).over(image(), new ExportId("ex-1"));
        try (var reads = Executors.newVirtualThreadPerTaskExecutor();
                image) {
            var read = reads.submit(() -> {
                image.read(0, ByteBuffer.allocate(4));
                return true;
            });
            assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();

            image.ending();

            assertThatThrownBy(() -> read.get(10, TimeUnit.SECONDS)).hasMessageContaining("in use by its storage");
        }
    }
}
