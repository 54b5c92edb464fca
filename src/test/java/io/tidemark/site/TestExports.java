package io.tidemark.site;

import io.tidemark.agent.Providers;
import io.tidemark.export.Exports;
import io.tidemark.export.Overlays;
import io.tidemark.nativeblock.BlockKernels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;

/** Exports without a server: nobody can connect. */
final class TestExports {
    private TestExports() {}

    static Exports of(Providers providers) {
        try {
            var folder = Files.createTempDirectory("tidemark-exports-");
            folder.toFile().deleteOnExit();
            var host = BlockKernels.hostCalls();
            return new Exports(
                    providers,
                    Overlays.in(folder, 1 << 20, host),
                    host,
                    () -> List.of("nbd://127.0.0.1/" + Exports.NAME));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
