package io.tidemark.consistency.mysql;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A MySQL as a driver sees one, with the state that counts: rights, tables, statements that run, and locks that belong to
 * sessions and go with them. No real server was to be had; what it does is what the manual and the sources say.
 */
final class FakeMySql implements AutoCloseable {
    static final String PASSWORD = "secret";
    /** The longest that a wait for state, or an idle session, goes unlooked at. */
    private static final long LOOK_EVERY_MILLIS = 20;

    private static final KeyPair RSA = pair();

    final MySqlState state = new MySqlState();
    private final ServerSocketChannel listener;
    private final Map<Integer, Session> sessions = new ConcurrentHashMap<>();
    private final AtomicInteger ids = new AtomicInteger(100);
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final Map<String, Runnable> upon = new ConcurrentHashMap<>();
    private final Set<String> unanswered = ConcurrentHashMap.newKeySet();
    private final boolean unix;
    /** Whether the account's hash is kept from an earlier login. */
    volatile boolean cached = true;

    /** One connection, and the variables of its session. */
    private static final class Session {
        final int id;
        final SocketChannel channel;
        volatile long lockWaitSeconds = 31_536_000;
        volatile long waitSeconds = 28_800;
        volatile long idleSince = System.nanoTime();
        volatile boolean busy = true;

        Session(int id, SocketChannel channel) {
            this.id = id;
            this.channel = channel;
        }
    }

    FakeMySql() throws IOException {
        this(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), false);
    }

    FakeMySql(Path socket) throws IOException {
        this(UnixDomainSocketAddress.of(socket), true);
    }

    private FakeMySql(SocketAddress address, boolean unix) throws IOException {
        this.unix = unix;
        listener = unix ? ServerSocketChannel.open(StandardProtocolFamily.UNIX) : ServerSocketChannel.open();
        listener.bind(address);
        Thread.ofVirtual().start(this::accept);
        Thread.ofVirtual().start(this::endIdle);
    }

    private static KeyPair pair() {
        try {
            var generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    int port() throws IOException {
        return ((InetSocketAddress) listener.getLocalAddress()).getPort();
    }

    /** PEM of the key that it would send. */
    byte[] publicKey() {
        return ("-----BEGIN PUBLIC KEY-----\n"
                        + java.util.Base64.getMimeEncoder(64, new byte[] {'\n'})
                                .encodeToString(RSA.getPublic().getEncoded())
                        + "\n-----END PUBLIC KEY-----\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** Statements that change or hold something, in order. */
    List<String> heard() {
        return heard.stream()
                .filter(sql -> !sql.startsWith("SELECT") && !sql.startsWith("SHOW") && !sql.startsWith("set "))
                .toList();
    }

    /** Done when a statement that begins so arrives, before it is executed. */
    void upon(String beginning, Runnable what) {
        upon.put(beginning, what);
    }

    /** Never answers statements that begin so. */
    void silentUpon(String beginning) {
        unanswered.add(beginning);
    }

    /** Answers all that it was asked meanwhile, whoever still listens. */
    void speakAgain() {
        unanswered.clear();
    }

    /** As KILL of every connection. */
    void killSessions() {
        sessions.values().forEach(session -> close(session.channel));
    }

    int sessions() {
        return sessions.size();
    }

    private void accept() {
        while (listener.isOpen()) {
            try {
                var channel = listener.accept();
                var session = new Session(ids.incrementAndGet(), channel);
                sessions.put(session.id, session);
                Thread.ofVirtual().start(() -> serve(session));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void endIdle() {
        while (listener.isOpen()) {
            for (var session : sessions.values()) {
                if (!session.busy && System.nanoTime() - session.idleSince > session.waitSeconds * 1_000_000_000L) {
                    close(session.channel);
                }
            }
            sleep(LOOK_EVERY_MILLIS);
        }
    }

    private void serve(Session session) {
        try (var channel = session.channel) {
            var wire = new MySqlWire(Channels.newInputStream(channel), Channels.newOutputStream(channel));
            if (wire.authenticate(session.id, state.version(), PASSWORD, cached, unix, RSA) == null) {
                return;
            }
            while (true) {
                session.idleSince = System.nanoTime();
                session.busy = false;
                var command = wire.read();
                session.busy = true;
                if (command[0] == 1) {
                    return;
                }
                if (command[0] == 0x0E) {
                    wire.ok();
                    continue;
                }
                answer(session, wire, new String(command, 1, command.length - 1, StandardCharsets.UTF_8));
            }
        } catch (IOException | GeneralSecurityException e) {
            // The other side is gone, or the test ended the session.
            return;
        } finally {
            state.sessionEnded(session.id);
            sessions.remove(session.id);
        }
    }

    private void answer(Session session, MySqlWire wire, String sql) throws IOException {
        heard.add(sql);
        upon.forEach((beginning, what) -> {
            if (sql.startsWith(beginning)) {
                what.run();
            }
        });
        while (unanswered.stream().anyMatch(sql::startsWith) && session.channel.isOpen() && listener.isOpen()) {
            sleep(LOOK_EVERY_MILLIS);
        }
        try {
            if (sql.startsWith("set ")) {
                wire.ok();
            } else if (sql.startsWith("SET SESSION lock_wait_timeout = ")) {
                session.lockWaitSeconds = number(sql);
                wire.ok();
            } else if (sql.startsWith("SET SESSION wait_timeout = ")) {
                session.waitSeconds = number(sql);
                wire.ok();
            } else if (sql.equals("SELECT CONNECTION_ID()")) {
                wire.rows(1, List.of(List.of(Integer.toString(session.id))));
            } else if (sql.startsWith("SELECT") || sql.startsWith("SHOW")) {
                var rows = new ArrayList<>(state.query(session.id, sql));
                wire.rows(
                        rows.isEmpty()
                                ? MySqlState.columns(sql)
                                : rows.getFirst().size(),
                        rows);
            } else {
                state.execute(session.id, sql, session.lockWaitSeconds, session.channel::isOpen);
                wire.ok();
            }
        } catch (MySqlState.Refused e) {
            wire.error(e.code, e.state, String.valueOf(e.getMessage()));
        }
    }

    private static long number(String sql) {
        return Long.parseLong(sql.substring(sql.lastIndexOf(' ') + 1));
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        killSessions();
    }
}
