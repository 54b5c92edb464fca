package io.tidemark.attach;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RelayProcessTest {
    @TempDir
    Path folder;

    @Test
    void aFoldersRelayIsKnownByItsCommandLine() throws Exception {
        // In a relay's place: what counts is its words.
        var process = new ProcessBuilder(
                        "sh", "-c", "sleep 60; :", RelayProcess.class.getName(), folder.toString(), "/run/site.sock")
                .start();
        try {
            assertThat(RelayProcess.of(folder)).extracting(ProcessHandle::pid).containsExactly(process.pid());
            assertThat(RelayProcess.isOf(folder.resolve("other"), process.pid()))
                    .isFalse();
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();
        assertThat(RelayProcess.isOf(folder, process.pid())).isFalse();
    }
}
