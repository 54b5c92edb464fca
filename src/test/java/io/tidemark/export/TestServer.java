package io.tidemark.export;

import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.nativeblock.BlockKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** Exports of one file on a unix socket; also a process of its own, to be killed or measured. */
final class TestServer implements AutoCloseable {
    static final ExportId READ_ONLY = new ExportId("ex-read");
    static final ExportId OVERLAY = new ExportId("ex-overlay");
    static final ExportId WRITABLE = new ExportId("ex-write");

    final Path socket;
    final Exports exports;
    private final ExportServer server;

    /** @param folder gets the socket and overlays */
    TestServer(Path folder, Path file, boolean named, long overlayBytesMaximum) throws Exception {
        this.socket = folder.resolve("nbd.sock");
        var host = BlockKernels.hostCalls();
        this.exports = new Exports(
                FileProvider.of(file, named), Overlays.in(folder, overlayBytesMaximum, host), host, List::of);
        this.server = ExportServer.atSocket(socket, exports);
    }

    TestServer with(Export.Access access) throws Exception {
        var id = switch (access) {
            case READ_ONLY -> READ_ONLY;
            case OVERLAY -> OVERLAY;
            case WRITABLE -> WRITABLE;
            case LIVE -> throw new IllegalArgumentException("a live link opens its own");
        };
        String source = access == Export.Access.WRITABLE ? "file:disk" : "file:disk@rp-1";
        exports.open(new Export(id, source, access, Instant.EPOCH));
        return this;
    }

    /** As libnbd and QEMU write it. */
    String uri(ExportId export) {
        return "nbd+unix:///%s?socket=%s".formatted(export, socket);
    }

    @Override
    public void close() throws IOException {
        exports.close();
        server.close();
    }

    /** Serves the file that is the second argument, in the folder that is the first, until it is killed. */
    public static void main(String[] arguments) throws Exception {
        var folder = Files.createDirectories(Path.of(arguments[0]));
        try (var server = new TestServer(folder, Path.of(arguments[1]), true, 1L << 30)) {
            server.with(Export.Access.WRITABLE).with(Export.Access.READ_ONLY).with(Export.Access.OVERLAY);
            System.out.println("ready " + server.socket);
            Thread.sleep(Long.MAX_VALUE);
        }
    }
}
