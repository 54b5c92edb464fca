package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.agent.Providers;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeptExportsTest {
    private static final Export VOLUME = new Export(
            new ExportId("ex-2"), "image:a=b\u00fc", Export.Access.WRITABLE, Instant.parse("2026-11-28T01:02:03.004Z"));
    private static final Export SNAPSHOT =
            new Export(new ExportId("ex-1"), "image:a@rp-1", Export.Access.READ_ONLY, Instant.EPOCH);

    @TempDir
    Path folder;

    @Test
    void whatIsKeptIsReadAsItWasAndForgottenOnce() throws Exception {
        var kept = new KeptExports(folder);
        kept.keep(VOLUME);
        kept.keep(SNAPSHOT);

        assertThat(new KeptExports(folder).all()).containsExactly(SNAPSHOT, VOLUME);
        kept.forget(SNAPSHOT.id());
        kept.forget(SNAPSHOT.id());
        assertThat(new KeptExports(folder).all()).containsExactly(VOLUME);
    }

    @Test
    void whatCannotBeReadDoesNotKeepTheOthersFromBeingOpened() throws Exception {
        var kept = new KeptExports(folder);
        kept.keep(VOLUME);
        Files.writeString(folder.resolve("ex-0.export"), "format=2\n");
        Files.writeString(folder.resolve("ex-3.export"), "format=1\naccess=MAYBE\n");
        Files.writeString(folder.resolve("ex-4.export.new"), "form");

        assertThat(kept.all()).containsExactly(VOLUME);
    }

    @Test
    void anOverlayIsNotKeptForItsBytesAreNotAndWhoKeepsHearsOfAFailure() throws Exception {
        var exports = new Exports(
                new Providers(List.of()),
                Overlays.in(folder, 0, Optional.empty()),
                Optional.empty(),
                List::of,
                Optional.of(folder));
        exports.keep(new Export(new ExportId("ex-9"), "image:a@rp-1", Export.Access.OVERLAY, Instant.EPOCH));
        exports.keep(SNAPSHOT);

        assertThat(exports.kept()).containsExactly(SNAPSHOT);

        Files.delete(folder.resolve("ex-1.export"));
        Files.delete(folder);
        assertThatThrownBy(() -> exports.keep(SNAPSHOT)).hasMessageContaining("keeping export ex-1");
    }
}
