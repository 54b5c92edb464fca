package io.tidemark.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Commands as they are typed, at a site that answers what a test has scripted. */
abstract class TypedAtSite {
    @TempDir
    Path folder;

    ScriptedSite site;
    Path token;

    @BeforeEach
    final void start() throws IOException {
        site = new ScriptedSite();
        token = Files.writeString(folder.resolve("token"), "secret-token\n");
    }

    @AfterEach
    final void stop() {
        site.close();
    }

    final Typed typed(String... words) {
        var args = new ArrayList<>(List.of(words));
        args.addAll(List.of("--url", site.url(), "--token-file", token.toString()));
        return Typed.run(args.toArray(String[]::new));
    }
}
