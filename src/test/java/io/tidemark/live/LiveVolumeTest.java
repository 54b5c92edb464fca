package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.tidemark.export.ExportImage;
import io.tidemark.export.protocol.Extent;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.CopyId;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.Generations;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.LiveWire;
import io.tidemark.replication.live.Protocol;
import io.tidemark.replication.live.Superblock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A copy whose peer is away, over a disk that fails and waits as it is told. */
class LiveVolumeTest {
    private static final int MIB = 1 << 20;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final LiveSettings SETTINGS = new LiveSettings(
            new CopyId("a"),
            new CopyId("b"),
            8 * MIB,
            Protocol.C,
            Congestion.BLOCK,
            MIB,
            67,
            64,
            16,
            Duration.ofSeconds(1).toNanos(),
            false);

    @TempDir
    Path folder;

    private final Disk disk = new Disk();
    private LiveVolume volume;

    /** In memory. */
    private static final class Disk implements ExportImage {
        private final ByteBuffer bytes = ByteBuffer.allocate(8 * MIB);
        private volatile boolean isBroken;
        private volatile CountDownLatch flushing = new CountDownLatch(0);
        private volatile boolean isClosed;

        private void refuseWhereBroken() throws IOException {
            if (isBroken) {
                throw new IOException("sector 7 is gone");
            }
        }

        @Override
        public long sizeBytes() {
            return bytes.capacity();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws IOException {
            refuseWhereBroken();
            target.put(bytes.slice((int) offsetBytes, target.remaining()));
        }

        @Override
        public void write(long offsetBytes, ByteBuffer source) throws IOException {
            refuseWhereBroken();
            bytes.duplicate().position((int) offsetBytes).put(source);
        }

        @Override
        public void writeZeroes(long offsetBytes, long lengthBytes, boolean keepSpace) throws IOException {
            write(offsetBytes, ByteBuffer.allocate((int) lengthBytes));
        }

        @Override
        public void flush() throws IOException {
            try {
                if (!flushing.await(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                    throw new IOException("flushed for too long");
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            refuseWhereBroken();
        }

        @Override
        public List<Extent> extents(long offsetBytes, long lengthBytes, int maximum) {
            return List.of();
        }

        @Override
        public Optional<FileChannel> file() {
            return Optional.empty();
        }

        @Override
        public void close() {
            isClosed = true;
        }
    }

    @BeforeEach
    void start() throws IOException {
        var path = folder.resolve("metadata");
        MetadataFile.create(path, SETTINGS);
        var metadata = MetadataFile.open(path, SETTINGS);
        metadata.start();
        // It was in step with its peer, and has content.
        var generations = new Generations(Optional.of(new Generation(1)), Map.of(), List.of());
        metadata.persist(new LiveEffect.Persist(
                1, Optional.of(new Superblock(generations, true, false, false)), Map.of(), Optional.empty()));
        volume = started(metadata);
    }

    private LiveVolume started(MetadataFile metadata) throws IOException {
        var random = new AtomicLong();
        return LiveVolume.start(
                "test",
                new LiveVolume.Parts(
                        SETTINGS,
                        disk,
                        metadata,
                        isGivenUp -> {},
                        status -> {},
                        new JavaBlockKernel(),
                        System::nanoTime,
                        () -> 2 * random.incrementAndGet()));
    }

    @AfterEach
    void close() throws IOException {
        volume.close();
    }

    private void write(long offset, String text) throws IOException {
        volume.write(
                offset, Bytes.of(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII))), LiveWire.DATA_MAXIMUM);
    }

    @Test
    void withoutItsPeerItServesAndKnowsWhatThePeerLacks() throws Exception {
        assertThatIOException().isThrownBy(() -> write(0, "early"));
        volume.promote(LIMIT);

        write(4_096, "hello");
        volume.flush();

        assertThat(volume.status().role()).isEqualTo(Role.PRIMARY);
        assertThat(volume.status().dirtyBlocks()).isEqualTo(1);
        assertThat(volume.read(4_096, 5).data().orElseThrow())
                .isEqualTo(ByteBuffer.wrap("hello".getBytes(StandardCharsets.US_ASCII)));
        assertThat(volume.read(0, 4_096).data()).isEmpty();
    }

    @Test
    void aDiskThatFailsIsSaidAndNothingIsServedAnyMore() throws Exception {
        volume.promote(LIMIT);
        write(0, "before");
        disk.isBroken = true;

        assertThatIOException().isThrownBy(() -> write(0, "after")).withMessageContaining("sector 7 is gone");

        assertThat(volume.status().disk()).isEqualTo(DiskState.FAILED);
        assertThat(volume.status().why())
                .hasValueSatisfying(why -> assertThat(why).contains("sector 7 is gone"));
        disk.isBroken = false;
        assertThatIOException().isThrownBy(() -> volume.read(0, 512));
        assertThatIOException().isThrownBy(() -> write(0, "again"));
        assertThatIOException().isThrownBy(volume::flush);
    }

    @Test
    void whoeverWaitsWhenItIsClosedIsRefusedAtOnce() throws Exception {
        volume.promote(LIMIT);
        write(0, "before");
        var go = new CountDownLatch(1);
        disk.flushing = go;
        var waiting = CompletableFuture.runAsync(() -> {
            try {
                write(0, "which protocol C answers once it is durable");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> waiting.get(200, TimeUnit.MILLISECONDS));

        var closing = CompletableFuture.runAsync(() -> {
            try {
                volume.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });

        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> waiting.get(LIMIT.toSeconds(), TimeUnit.SECONDS))
                .withMessageContaining("is closed");
        assertThat(disk.isClosed).isFalse();
        go.countDown();
        closing.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertThat(disk.isClosed).isTrue();
        assertThatIOException().isThrownBy(() -> write(0, "late")).withMessageContaining("is closed");
        assertThatIOException().isThrownBy(() -> volume.promote(LIMIT)).withMessageContaining("is closed");
    }
}
