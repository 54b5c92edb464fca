package io.tidemark.bootstrap;

import io.tidemark.agent.Providers;
import io.tidemark.export.ExportServer;
import io.tidemark.export.Exports;
import io.tidemark.export.Overlays;
import io.tidemark.export.Wire;
import io.tidemark.export.WireSecurity;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.telemetry.Metrics;
import io.tidemark.transport.AuthorityTls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Exports of this host, wired: what is open, and where it is served. */
final class ExportParts implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ExportParts.class);
    private static final String SOCKET = "nbd.sock";

    private final Settings settings;
    private final Exports exports;
    private final List<String> addresses = new CopyOnWriteArrayList<>();

    private @Nullable ExportServer socketServer;
    private @Nullable ExportServer portServer;
    private @Nullable AuthorityTls tls;

    /** @param providers those of this host */
    ExportParts(Settings settings, Providers providers) throws IOException {
        this.settings = settings;
        var host = BlockKernels.hostCalls();
        var folder = ownFolder(settings.stateFolder().resolve("exports"));
        var overlays = Overlays.in(folder, settings.exportsOverlayBytesMaximum(), host);
        this.exports = new Exports(providers, overlays, host, () -> addresses, Optional.of(folder));
    }

    private static Path ownFolder(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
        return folder;
    }

    void watchedBy(Metrics metrics) {
        var traffic = exports.traffic();
        metrics.watchExports(new Metrics.OfExports(
                exports::openCount,
                exports::connectionCount,
                traffic::readBytes,
                traffic::writtenBytes,
                traffic::errors));
    }

    Exports exports() {
        return exports;
    }

    /** One of the addresses, taken. */
    private interface Listening {
        void begin() throws IOException;
    }

    /**
     * Begins to serve. An address that cannot be had is logged and told by {@link Exports#notServed}: the site does without.
     *
     * @throws IOException where TLS is demanded and not set, or its files cannot be used
     */
    void listen() throws IOException {
        Optional<WireSecurity> security = settings.exportsHost().isEmpty() ? Optional.empty() : security();
        unlessRefused(this::listenAtSocket);
        if (!settings.exportsHost().isEmpty()) {
            unlessRefused(() -> listenAtPort(security));
        }
        log.info("exports.ready addresses={}", addresses);
    }

    private void unlessRefused(Listening listening) {
        try {
            listening.begin();
        } catch (IOException e) {
            log.error("exports.not_served reason={}", e.getMessage());
            exports.notServed(String.valueOf(e.getMessage()));
        }
    }

    private void listenAtSocket() throws IOException {
        var file = ownFolder(settings.exportsSocketFolder()).resolve(SOCKET);
        socketServer = ExportServer.atSocket(file, exports);
        addresses.add("nbd+unix:///%s?socket=%s"
                .formatted(
                        Exports.NAME,
                        URLEncoder.encode(file.toString(), StandardCharsets.UTF_8)
                                .replace("%2F", "/")));
    }

    private void listenAtPort(Optional<WireSecurity> security) throws IOException {
        var server = ExportServer.atPort(settings.exportsHost(), settings.exportsPort(), exports, security);
        portServer = server;
        addresses.add("%s://%s:%d/%s"
                .formatted(security.isPresent() ? "nbds" : "nbd", settings.exportsHost(), server.port(), Exports.NAME));
    }

    private Optional<WireSecurity> security() throws IOException {
        var files = settings.exportsTls();
        if (files.isEmpty()) {
            if (!InetAddress.getByName(settings.exportsHost()).isLoopbackAddress()) {
                throw new IOException("exports.host %s is not loopback: exports.tls.* are demanded"
                        .formatted(settings.exportsHost()));
            }
            return Optional.empty();
        }
        var made = AuthorityTls.server(
                files.get().certificate(), files.get().key(), files.get().clientAuthority());
        tls = made;
        return Optional.of(socket -> new SecuredWire(made.accept(socket)));
    }

    /** TLS of {@code transport} as {@code export} knows it. */
    private record SecuredWire(AuthorityTls.Stream stream) implements Wire {
        static {
            if (AuthorityTls.Stream.ROOM_BYTES > Wire.ROOM_BYTES) {
                throw new AssertionError("a buffer has no room for what TLS needs");
            }
        }

        @Override
        public boolean read(ByteBuffer into) throws IOException {
            return stream.read(into);
        }

        @Override
        public void write(ByteBuffer from) throws IOException {
            stream.write(from);
        }

        @Override
        public Optional<SocketChannel> plain() {
            return Optional.empty();
        }

        @Override
        public void close() {
            stream.close();
        }
    }

    /** Takes no more clients and ends those there are, then ends the exports. */
    @Override
    public void close() throws IOException {
        // The last is closed first.
        try (exports;
                var third = tls;
                var second = portServer;
                var first = socketServer) {
            addresses.clear();
        }
    }
}
