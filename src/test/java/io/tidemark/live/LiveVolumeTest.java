package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.tidemark.export.ExportImage;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.Chosen;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.CopyId;
import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.Generations;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.LiveWire;
import io.tidemark.replication.live.Protocol;
import io.tidemark.replication.live.Superblock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A copy whose peer is away, over a disk that fails and waits as it is told. */
class LiveVolumeTest {
    private static final int MIB = 1 << 20;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    static final LiveSettings SETTINGS = new LiveSettings(
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

    private final FailingDisk disk = new FailingDisk();
    private volatile Consumer<LiveStatus> changed = status -> {};
    private LiveVolume volume;

    @BeforeEach
    void start() throws IOException {
        volume = lone(folder.resolve("metadata"), disk, status -> changed.accept(status));
    }

    /** One that was in step with its peer, and has content; the peer is away. */
    static LiveVolume lone(Path path, ExportImage disk, Consumer<LiveStatus> changed) throws IOException {
        MetadataFile.create(path, SETTINGS);
        var metadata = MetadataFile.open(path, SETTINGS);
        metadata.start();
        var generations = new Generations(Optional.of(new Generation(1)), Map.of(), List.of());
        metadata.persist(new LiveEffect.Persist(
                1, Optional.of(new Superblock(generations, true, false, false)), Map.of(), Optional.empty()));
        var random = new AtomicLong();
        return LiveVolume.start(
                "test",
                new LiveVolume.Parts(
                        SETTINGS,
                        disk,
                        metadata,
                        isGivenUp -> {},
                        changed,
                        new JavaBlockKernel(),
                        System::nanoTime,
                        () -> 2 * random.incrementAndGet(),
                        System::currentTimeMillis,
                        Chosen.NOBODY));
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
        volume.promote(true, LIMIT);

        write(4_096, "hello");
        volume.flush();

        assertThat(volume.status().role()).isEqualTo(Role.PRIMARY);
        assertThat(volume.status().dirtyBlocks()).isEqualTo(1);
        assertThat(volume.read(4_096, 5).data().orElseThrow())
                .isEqualTo(ByteBuffer.wrap("hello".getBytes(StandardCharsets.US_ASCII)));
        assertThat(volume.read(0, 4_096).data()).isEmpty();
    }

    /** It was told after the answer: who had demoted a copy could be told, for a moment, that it is primary. */
    @Test
    void whoeverIsAnsweredFindsTheStatusAsItIsThen() throws Exception {
        volume.promote(true, LIMIT);
        write(0, "before");
        // So that it is another thread that answers.
        var go = new CountDownLatch(1);
        disk.flushing = go;
        var writing = CompletableFuture.runAsync(() -> {
            try {
                write(0, "under way");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> writing.get(200, TimeUnit.MILLISECONDS));
        CompletableFuture.delayedExecutor(200, TimeUnit.MILLISECONDS).execute(go::countDown);
        var isAnswered = new AtomicBoolean();
        var wasAnsweredBefore = new CompletableFuture<Boolean>();
        changed = status -> {
            if (status.role() == Role.SECONDARY) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
                wasAnsweredBefore.complete(isAnswered.get());
            }
        };

        volume.demote(false, LIMIT);
        isAnswered.set(true);

        assertThat(wasAnsweredBefore.get(LIMIT.toSeconds(), TimeUnit.SECONDS)).isFalse();
        assertThat(volume.status().role()).isEqualTo(Role.SECONDARY);
    }

    @Test
    void aDiskThatFailsIsSaidAndNothingIsServedAnyMore() throws Exception {
        volume.promote(true, LIMIT);
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
        volume.promote(true, LIMIT);
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
        assertThatIOException().isThrownBy(() -> volume.promote(true, LIMIT)).withMessageContaining("is closed");
    }

    @Test
    void aDiskWhoseWorkFindsNoMemoryHasFailed() throws Exception {
        volume.promote(true, LIMIT);
        write(0, "before");
        disk.isOutOfMemory = true;

        assertThatIOException().isThrownBy(() -> write(0, "text")).withMessageContaining("OutOfMemoryError");

        assertThat(volume.status().disk()).isEqualTo(DiskState.FAILED);
    }

    @Test
    void aCopyThatFindsNoMemoryInTheMiddleOfAChangeAnswersNothingAnyMore() throws Exception {
        volume.promote(true, LIMIT);
        changed = status -> {
            changed = next -> {};
            throw new OutOfMemoryError("as the test wishes");
        };

        assertThatIOException().isThrownBy(() -> write(0, "text"));

        assertThat(volume.isFailed()).isTrue();
        assertThat(volume.status().disk()).isEqualTo(DiskState.FAILED);
        assertThatIOException().isThrownBy(() -> volume.read(0, 512));
    }

    @Test
    void aBitmapThatHasNoRoomIsRefused() throws Exception {
        long tebibyte = 1L << 40;
        BitmapRoom.refuseWithout(tebibyte, 64 * MIB);
        assertThatIOException()
                .isThrownBy(() -> BitmapRoom.refuseWithout(tebibyte, 64 * MIB - 2))
                .withMessageContaining("-Xmx");
        assertThatIOException()
                .isThrownBy(() -> BitmapRoom.refuseWithout(64 * tebibyte + 1, Long.MAX_VALUE))
                .withMessageContaining("at most");
    }
}
