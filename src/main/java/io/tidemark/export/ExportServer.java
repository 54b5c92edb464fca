package io.tidemark.export;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Accepts NBD clients at one address and gives each a thread of its own. */
public final class ExportServer implements AutoCloseable {
    /** Connections of one listener, idle ones among them; each holds 512 KiB, and a TLS one twice that. */
    static final int CONNECTIONS_MAXIMUM = 128;

    /** The kernel's own limit for the path of a unix socket ({@code sun_path}, unix(7)), with its closing zero. */
    private static final int SOCKET_PATH_BYTES_MAXIMUM = 107;

    private static final int BACKLOG = 64;
    private static final Duration ACCEPT_PAUSE = Duration.ofMillis(50);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(2);
    private static final Path OWN_PROCESS = Path.of("/proc/self");
    /** Not virtual: requests wait in the file system, which would hold a carrier. */
    private static final ThreadFactory THREADS =
            Thread.ofPlatform().name("tidemark-export").daemon().factory();

    private static final Logger LOG = LoggerFactory.getLogger(ExportServer.class);

    private final ServerSocketChannel server;
    private final Exports exports;
    private final Optional<WireSecurity> security;
    private final Optional<Path> socketFile;
    private final Semaphore places = new Semaphore(CONNECTIONS_MAXIMUM);
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private final ThreadFactory threads;
    private final Thread acceptor;

    private ExportServer(
            ServerSocketChannel server,
            Exports exports,
            Optional<WireSecurity> security,
            Optional<Path> socketFile,
            ThreadFactory threads) {
        this.threads = threads;
        this.server = server;
        this.exports = exports;
        this.security = security;
        this.socketFile = socketFile;
        this.acceptor =
                Thread.ofPlatform().name("tidemark-export-accept").daemon().unstarted(this::accept);
    }

    /**
     * Listens at a unix socket that this user alone can reach.
     *
     * @param file replaced where one is left of a dead process; its folder exists
     * @throws IOException when the path is too long for a socket, or cannot be made; when others can write its folder, or
     *     another process listens there
     */
    public static ExportServer atSocket(Path file, Exports exports) throws IOException {
        return atSocket(file, exports, THREADS);
    }

    static ExportServer atSocket(Path file, Exports exports, ThreadFactory threads) throws IOException {
        if (file.toString().getBytes(StandardCharsets.UTF_8).length > SOCKET_PATH_BYTES_MAXIMUM) {
            throw new IOException(
                    "%s is longer than the %d bytes a unix socket's path may have: set exports.socketFolder"
                            .formatted(file, SOCKET_PATH_BYTES_MAXIMUM));
        }
        var address = UnixDomainSocketAddress.of(file);
        refuseFolderOfOthers(file.toAbsolutePath().resolveSibling(""));
        if (isServed(address)) {
            throw new IOException("another process serves exports at %s: set exports.socketFolder".formatted(file));
        }
        Files.deleteIfExists(file);
        var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        bind(server, address);
        try {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            server.close();
            throw e;
        }
        return started(new ExportServer(server, exports, Optional.empty(), Optional.of(file), threads));
    }

    /** Who can write the folder can put a socket of his own there, and is sent what clients write. */
    private static void refuseFolderOfOthers(Path folder) throws IOException {
        var attributes = Files.readAttributes(folder, PosixFileAttributes.class);
        var permissions = attributes.permissions();
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new IOException("others can write folder %s (%s): make its mode 0700, or set exports.socketFolder"
                    .formatted(folder, PosixFilePermissions.toString(permissions)));
        }
        if (!attributes.owner().equals(Files.getOwner(OWN_PROCESS))) {
            throw new IOException("folder %s belongs to %s, not to this process's user: set exports.socketFolder"
                    .formatted(folder, attributes.owner()));
        }
    }

    private static boolean isServed(UnixDomainSocketAddress address) {
        try (var probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            // Without waiting: where connections queue up somebody listens.
            probe.configureBlocking(false);
            probe.connect(address);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Listens at a TCP port.
     *
     * @param port 0 for any free one, see {@link #port}
     * @param security empty: clients talk in the clear, for loopback alone
     */
    public static ExportServer atPort(String host, int port, Exports exports, Optional<WireSecurity> security)
            throws IOException {
        var server = ServerSocketChannel.open();
        server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        bind(server, new InetSocketAddress(host, port));
        return started(new ExportServer(server, exports, security, Optional.empty(), THREADS));
    }

    private static void bind(ServerSocketChannel server, SocketAddress address) throws IOException {
        try {
            server.bind(address, BACKLOG);
        } catch (IOException | RuntimeException e) {
            server.close();
            throw new IOException("cannot listen on %s: %s".formatted(address, e.getMessage()), e);
        }
    }

    private static ExportServer started(ExportServer server) {
        server.acceptor.start();
        return server;
    }

    /** The TCP port that is bound. */
    public int port() {
        return server.socket().getLocalPort();
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                serve(server.accept());
            } catch (IOException | RuntimeException | Error e) {
                // Also where there is no thread or memory for one client: those to come are served.
                if (server.isOpen()) {
                    LOG.warn("export.accept_failed reason={}", e.getMessage());
                    pause();
                }
            }
        }
    }

    private void serve(SocketChannel socket) throws IOException {
        if (!places.tryAcquire()) {
            LOG.warn("export.refused reason=connections maximum={}", CONNECTIONS_MAXIMUM);
            socket.close();
            return;
        }
        open.add(socket);
        boolean begun = false;
        try {
            if (socketFile.isEmpty()) {
                socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
                socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            }
            threads.newThread(() -> {
                        try {
                            new ExportConnection(exports, security, socket).serve();
                        } finally {
                            leave(socket);
                        }
                    })
                    .start();
            begun = true;
        } finally {
            if (!begun) {
                leave(socket);
            }
        }
    }

    private void leave(SocketChannel socket) {
        open.remove(socket);
        end(socket);
        places.release();
    }

    /** Out of descriptors, most likely: give connections a moment to end in place of spinning. */
    private static void pause() {
        try {
            Thread.sleep(ACCEPT_PAUSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Takes no more clients and ends those there are. */
    @Override
    public void close() throws IOException {
        try {
            server.close();
            acceptor.join(STOP_LIMIT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            open.forEach(ExportServer::end);
        }
        if (socketFile.isPresent()) {
            Files.deleteIfExists(socketFile.get());
        }
    }

    private static void end(SocketChannel socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // A socket that cannot be closed is closed.
            LOG.debug("export.socket_not_closed", e);
        }
    }
}
