package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.control.port.ExportHost;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How exports end whose storage takes long. */
@Timeout(60)
class ExportsTest {
    private static final ExportId FIRST = new ExportId("ex-1");

    @TempDir
    Path folder;

    private final SlowStorage storage = new SlowStorage();
    private Exports exports;

    @BeforeEach
    void open() throws Exception {
        exports = new Exports(
                storage.providers(), Overlays.in(folder, 1 << 20, Optional.empty()), Optional.empty(), List::of);
        for (var id : List.of("ex-1", "ex-2", "ex-3")) {
            exports.open(new Export(new ExportId(id), "file:" + id, Export.Access.WRITABLE, Instant.EPOCH));
        }
    }

    @AfterEach
    void letGo() {
        storage.letClose();
    }

    @Test
    void whoEndsOneIsAnsweredInTimeAndItIsListedUntilItsStorageIsClosed() throws Exception {
        var ended = new AtomicInteger();
        long start = System.nanoTime();

        assertThat(exports.close(FIRST, ended::incrementAndGet)).isEqualTo(ExportHost.Closing.ENDING);

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Exports.CLOSE_WAIT.plusSeconds(10));
        assertThat(exports.find(FIRST).orElseThrow().ending()).isTrue();
        assertThat(exports.find("ex-1")).isEmpty();
        assertThat(exports.offered()).hasSize(2);
        assertThat(ended).hasValue(0);
        storage.letClose();
        Awaitility.await()
                .atMost(Duration.ofSeconds(10))
                .until(() -> exports.find(FIRST).isEmpty());
        assertThat(ended).hasValue(1);
        assertThat(exports.close(FIRST, ended::incrementAndGet)).isEqualTo(ExportHost.Closing.NONE);
    }

    @Test
    void aStopWaitsOnceForAll() {
        long start = System.nanoTime();

        exports.close();

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Exports.STOP_WAIT.multipliedBy(2));
        assertThat(exports.offered()).isEmpty();
        assertThat(exports.all()).hasSize(3);
    }
}
