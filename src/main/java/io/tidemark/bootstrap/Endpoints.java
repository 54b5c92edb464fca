package io.tidemark.bootstrap;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Where a running site can be reached: {@code endpoints.json} in its state folder, written when it is ready and removed
 * when it stops.
 *
 * @param http address of the API, for example {@code http://127.0.0.1:7420}
 * @param replication {@code host:port} of the replication listener
 */
record Endpoints(String http, String replication, long pid) {
    static final String FILE = "endpoints.json";

    /** Written whole or not at all. */
    void write(Path stateFolder) throws IOException {
        String json = "{\"http\":\"%s\",\"replication\":\"%s\",\"pid\":%d}%n".formatted(http, replication, pid);
        Path fresh = stateFolder.resolve(FILE + ".new");
        try (var channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            var bytes = ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
        Files.move(fresh, stateFolder.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
    }

    static void remove(Path stateFolder) throws IOException {
        Files.deleteIfExists(stateFolder.resolve(FILE));
    }
}
