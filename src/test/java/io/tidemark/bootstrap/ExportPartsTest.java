package io.tidemark.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.export.SlowStorage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Where exports are served, and how that begins and ends. */
@Timeout(60)
class ExportPartsTest {
    @TempDir
    Path folder;

    private final SlowStorage storage = new SlowStorage();

    private ExportParts parts(String... settings) throws Exception {
        var all = new java.util.ArrayList<>(List.of("state.folder=" + folder));
        all.addAll(List.of(settings));
        return new ExportParts(Settings.load(Optional.empty(), all), storage.providers());
    }

    @Test
    void nobodyConnectsWhileExportsEnd() throws Exception {
        var parts = parts();
        parts.listen();
        parts.exports().open(new Export(new ExportId("ex-1"), "file:disk", Export.Access.WRITABLE, Instant.EPOCH));
        var socket = folder.resolve("exports/nbd.sock");
        assertThat(socket).exists();
        var stopping = Thread.ofVirtual().start(() -> {
            try {
                parts.close();
            } catch (java.io.IOException e) {
                throw new AssertionError(e);
            }
        });

        Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> !Files.exists(socket));
        assertThat(stopping.isAlive()).isTrue();

        storage.letClose();
        stopping.join();
    }

    @Test
    void anAddressThatIsTakenOrNotOursIsToldAndTheOthersAreServed() throws Exception {
        try (var first = parts("exports.host=127.0.0.1", "exports.port=0")) {
            first.listen();
            assertThat(first.exports().notServed()).isEmpty();
            var socket = folder.resolve("exports/nbd.sock");

            var second = parts("exports.host=127.0.0.1", "exports.port=0");
            try (second) {
                second.listen();
                assertThat(second.exports().notServed())
                        .singleElement()
                        .asString()
                        .contains("another process serves");
            }
            assertThat(socket).as("still the first one's").exists();
        }
    }

    @Test
    void aFolderThatOthersCanWriteHasNoSocket() throws Exception {
        var open = Files.createDirectory(folder.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwx---"));
        try (var parts = parts("exports.socketFolder=" + open)) {
            parts.listen();

            assertThat(parts.exports().notServed()).singleElement().asString().contains("others can write folder");
            assertThat(open).isEmptyDirectory();
        }
    }

    @Test
    void aPathThatIsTooLongIsTold() throws Exception {
        try (var parts = parts("exports.socketFolder=" + folder.resolve("x".repeat(100)))) {
            parts.listen();

            assertThat(parts.exports().notServed()).singleElement().asString().contains("107 bytes");
        }
    }
}
