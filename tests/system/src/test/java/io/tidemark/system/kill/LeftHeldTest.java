package io.tidemark.system.kill;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.consistency.JournalFolder;
import io.tidemark.system.ground.Ground;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a service that died held, and nobody let go, is let go by the next start: once, before it serves. */
@Tag("system-image")
class LeftHeldTest {

    @Test
    void applicationIsThawedOnceByTheNextStart() throws Exception {
        try (var ground = Ground.open()) {
            var heard = ground.folder().resolve("heard");
            var thaw = program(ground.folder().resolve("thaw"), "echo $TIDEMARK_STEP >> " + heard);
            try (var site = new RunningSite(
                    "left",
                    ground.folder().resolve("site"),
                    ground.folder().resolve("images"),
                    List.of("-Xmx256m"),
                    "",
                    "quiescers: {commands: {app: {freeze: [%1$s], thaw: [%1$s]}}}%n".formatted(thaw))) {
                Path left = new JournalFolder(
                                Files.createDirectories(site.state()).resolve("held-commands"),
                                "tidemark-command-journal 1",
                                ".held",
                                4_096)
                        .write("rp-1.app.1", List.of("recovery-point rp-1", "command app"));

                site.start();

                assertThat(heard).hasContent("thaw");
                assertThat(left).doesNotExist();
            }
        }
    }

    private static Path program(Path file, String script) throws Exception {
        Files.writeString(file, "#!/bin/sh\n%s\n".formatted(script));
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
