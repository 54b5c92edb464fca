package io.tidemark.attach;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.ExportId;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AttachLockTest {
    private static final ExportId EXPORT = new ExportId("ex-1");

    @TempDir
    Path folder;

    @Test
    void anExportIsInOneHandAtATime() throws Exception {
        try (var held = AttachLock.of(folder, EXPORT);
                var other = AttachLock.of(folder, new ExportId("ex-2"))) {
            assertThat(other).isNotSameAs(held);
            assertThatThrownBy(() -> AttachLock.of(folder, EXPORT))
                    .isInstanceOf(AttachException.class)
                    .hasMessage("export ex-1 is being attached or detached by somebody else");
        }
        AttachLock.of(folder, EXPORT).close();
    }
}
