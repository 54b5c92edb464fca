package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.export.ExportImage;
import io.tidemark.export.protocol.Extent;
import io.tidemark.nativeblock.JavaBlockKernel;
import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.Chosen;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveEvent;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DiskWorkTest {
    private static final long LIMIT_SECONDS = 20;
    private static final int MESSAGE_BYTES = 256 << 10;

    @TempDir
    Path folder;

    private final CountDownLatch mayRead = new CountDownLatch(1);
    private final BlockingQueue<LiveEvent> told = new LinkedBlockingQueue<>();
    private final List<String> calls = new ArrayList<>();
    private boolean isHole;
    private MetadataFile metadata;
    private DiskWork work;

    @BeforeEach
    void start() throws Exception {
        MetadataFile.create(folder.resolve("metadata"), LiveVolumeTest.SETTINGS);
        metadata = MetadataFile.open(folder.resolve("metadata"), LiveVolumeTest.SETTINGS, (before, now) -> {});
        var parts = new LiveVolume.Parts(
                LiveVolumeTest.SETTINGS,
                disk(),
                metadata,
                isGivenUp -> {},
                status -> {},
                new JavaBlockKernel(),
                System::nanoTime,
                () -> 1,
                () -> 0,
                Chosen.NOBODY);
        work = new DiskWork("test", parts, told::add);
    }

    @AfterEach
    void stop() throws Exception {
        mayRead.countDown();
        work.close();
        metadata.close();
    }

    /** Reads wait until they may. */
    private ExportImage disk() {
        return (ExportImage) Proxy.newProxyInstance(
                ExportImage.class.getClassLoader(), new Class<?>[] {ExportImage.class}, (_, method, arguments) -> {
                    synchronized (calls) {
                        calls.add(method.getName());
                    }
                    if (method.getName().equals("read")) {
                        assertThat(mayRead.await(LIMIT_SECONDS, TimeUnit.SECONDS))
                                .isTrue();
                        var into = (ByteBuffer) arguments[1];
                        into.put(new byte[into.remaining()]);
                    }
                    return method.getName().equals("extents") ? List.of(new Extent((long) arguments[1], isHole)) : null;
                });
    }

    private LiveEvent nextTold() throws InterruptedException {
        return told.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void aFlushThatAClientWaitsForDoesNotWaitForReadsOfAResync() throws Exception {
        for (int read = 0; read < 64; read++) {
            work.carryOut(new LiveEffect.ReadVolume(read, 0, MESSAGE_BYTES, true), List.of());
        }

        work.carryOut(new LiveEffect.FlushVolume(99), List.of());

        assertThat(nextTold()).isEqualTo(new LiveEvent.Flushed(99));
    }

    @Test
    void aHoleIsNeitherReadForThePeerNorMadeAgain() throws Exception {
        isHole = true;
        var done = new ArrayList<LiveEvent>();

        work.carryOut(new LiveEffect.ReadVolume(1, 0, MESSAGE_BYTES, true), done);
        assertThat(nextTold()).isEqualTo(new LiveEvent.ReadDone(1, Bytes.zeros(MESSAGE_BYTES)));
        work.carryOut(new LiveEffect.WriteVolume(2, 0, MESSAGE_BYTES, Bytes.zeros(MESSAGE_BYTES)), done);

        assertThat(done).containsExactly(new LiveEvent.Written(2));
        assertThat(calls).containsOnly("extents");
        isHole = false;
        work.carryOut(new LiveEffect.WriteVolume(3, 0, MESSAGE_BYTES, Bytes.zeros(MESSAGE_BYTES)), done);
        assertThat(calls).contains("writeZeroes");
    }
}
