package io.tidemark.nativeblock;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What serves where the library does not load, and that it says why. */
final class BlockKernelsTest {
    @Test
    void javaKernelServesWhenTheLibraryIsSwitchedOff() {
        var loaded = BlockKernels.Loaded.load(true, null);

        assertThat(loaded.kernel().name()).isEqualTo("java");
        assertThat(loaded.hostCalls()).isNull();
        assertThat(loaded.thawGuard()).isNull();
        assertThat(loaded.unavailableReason()).contains("tidemark.native.disabled");
    }

    @Test
    void javaKernelServesWhenTheNamedFolderHasNoLibrary(@TempDir Path folder) {
        var loaded = BlockKernels.Loaded.load(false, folder.toString());

        assertThat(loaded.kernel().name()).isEqualTo("java");
        assertThat(loaded.unavailableReason()).contains(folder.toString()).hasLineCount(1);
    }
}
