package io.tidemark.cli.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HiddenFileTest {
    @TempDir
    private Path folder;

    @Test
    void fileThatNothingWouldRemoveAtTheEndDoesNotStay() throws Exception {
        var removal = new Thread(() -> {});
        var file = HiddenFile.create(folder, Path.of("image"), "delta");
        file.removeAtExit(removal);
        var other = HiddenFile.create(folder, Path.of("image"), "delta");

        assertThatThrownBy(() -> other.removeAtExit(removal)).isInstanceOf(IOException.class);

        assertThat(other.path()).doesNotExist();
        assertThat(other.channel().isOpen()).isFalse();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.path())))
                .isEqualTo("rw-------");
        file.channel().close();
        Runtime.getRuntime().removeShutdownHook(removal);
    }
}
