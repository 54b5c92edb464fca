package io.tidemark.export;

import io.tidemark.agent.Providers;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Serves an export of another process of this host at a socket of its own. Its clients stay connected while that process
 * is away: their requests wait, and go on once it is back.
 */
public final class ExportRelay implements AutoCloseable {
    private final RemoteImage image;
    private final Exports exports;
    private final ExportServer server;

    private ExportRelay(RemoteImage image, Exports exports, ExportServer server) {
        this.image = image;
        this.exports = exports;
        this.server = server;
    }

    /**
     * @param upstream the other process's socket
     * @param socket where to listen; in a folder of this user alone
     * @param awayLimit so long requests wait; all fail after it, for good
     * @throws IOException where the export is not served there, or the socket cannot be had
     */
    public static ExportRelay start(Path upstream, ExportId export, Path socket, Duration awayLimit)
            throws IOException {
        var image = RemoteImage.connect(upstream, export.value(), awayLimit);
        var exports = new Exports(
                new Providers(List.of()),
                Overlays.in(socket.toAbsolutePath().resolveSibling(""), 0, Optional.empty()),
                Optional.empty(),
                List::of);
        var access = image.writable() ? Export.Access.WRITABLE : Export.Access.READ_ONLY;
        exports.open(new Export(export, "attached", access, Instant.EPOCH), image);
        try {
            return new ExportRelay(image, exports, ExportServer.atSocket(socket, exports));
        } catch (IOException e) {
            exports.close();
            throw e;
        }
    }

    public boolean writable() {
        return image.writable();
    }

    /** Makes what was acknowledged durable, where the other process is there. */
    public void flush() throws IOException {
        image.flush();
    }

    @Override
    public void close() throws IOException {
        exports.close();
        server.close();
    }
}
