package io.tidemark.nativeblock;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JavaFileReaderTest {
    private static final int LENGTH = 4 << 20;

    @Test
    void errorInAnyThreadFailsTheRead(@TempDir Path folder) throws Exception {
        var file = Files.write(folder.resolve("image"), new byte[LENGTH]);
        var caller = Thread.currentThread();
        var outOfMemory = new OutOfMemoryError("Cannot reserve direct buffer memory");
        var failing = new CountDownLatch(1);
        JavaFileReader.Take take = (offsetBytes, data) -> {
            if (Thread.currentThread() != caller) {
                failing.countDown();
                throw outOfMemory;
            }
            await(failing);
        };
        var reader = new JavaFileReader(
                List.of(file), FileScanContract.whole(LENGTH, 4096, ReadBy.BUFFERED), new ScanControl(), take);

        assertThatThrownBy(reader::run).isSameAs(outOfMemory);
    }

    /** So that the caller does not read everything before another thread has a piece. */
    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
