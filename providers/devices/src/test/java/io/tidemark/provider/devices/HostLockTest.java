package io.tidemark.provider.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostLockTest {
    @TempDir
    private Path folder;

    @Test
    void lockOutlivesASecondTakeOfTheSameProcessAndGoesWhenItIsClosed() throws Exception {
        try (var lock = HostLock.take(folder, "test", "pool tank")) {
            assertThat(lock).isNotNull();
            assertThat(lockedByKernel()).isTrue();

            assertThatThrownBy(() -> HostLock.take(folder, "test", "pool tank"))
                    .isInstanceOfSatisfying(
                            ProviderException.class, e -> assertThat(e.error()).isInstanceOf(ProviderError.Busy.class));

            assertThat(lockedByKernel()).as("the first one's lock").isTrue();
        }
        assertThat(lockedByKernel()).isFalse();
        HostLock.take(folder, "test", "pool tank").close();
    }

    /** Lines of /proc/locks end with device and inode, then the range: proc(5). */
    private boolean lockedByKernel() throws IOException {
        try (var files = Files.list(folder)) {
            var inode = ":" + Files.getAttribute(files.findFirst().orElseThrow(), "unix:ino") + " ";
            return Files.readAllLines(Path.of("/proc/locks")).stream().anyMatch(line -> line.contains(inode));
        }
    }
}
