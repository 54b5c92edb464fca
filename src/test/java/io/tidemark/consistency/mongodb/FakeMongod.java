package io.tidemark.consistency.mongodb;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ServerSocketFactory;
import org.bson.BsonArray;
import org.bson.BsonBinary;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonObjectId;
import org.bson.BsonString;
import org.bson.BsonTimestamp;
import org.bson.types.ObjectId;

/**
 * A mongod as far as a quiescer can see it: writes are acknowledged from memory and reach the journal later, users have
 * rights, a restart makes it another process, an election raises the term, a lock holds writers until it is let go on
 * whatever connection. Not a real server: what it says is what the
 * manual and the server's source say that one would.
 */
final class FakeMongod implements AutoCloseable {
    private static final int SECONDS = 1_795_000_000;
    /** Of what the driver itself says: it is neither recorded nor made to fail. */
    private static final Set<String> OF_DRIVER =
            Set.of("isMaster", "ismaster", "endSessions", "saslStart", "saslContinue");

    /** {@code fsync} with {@code lock}, as it is recorded. */
    static final String LOCK = "fsync lock";

    private final ServerSocket listener;
    private final List<Socket> connections = new CopyOnWriteArrayList<>();
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final Map<String, BsonDocument> refusals = new ConcurrentHashMap<>();
    private final Map<String, Runnable> upon = new ConcurrentHashMap<>();
    private final Map<String, BsonDocument> said = new ConcurrentHashMap<>();
    private final Map<String, String> passwords = new ConcurrentHashMap<>();
    private final Map<String, Set<String>> rights = new ConcurrentHashMap<>();

    private final List<String> memory = new ArrayList<>();
    private final List<String> journal = new ArrayList<>();
    private ObjectId process = new ObjectId();
    private long changes = 6;
    private Optional<String> set = Optional.of("rs0");
    private int state = 1;
    private long term = 3;
    private int applied = 10;
    private int durable = 10;
    private int answersUntilFlush = 2;
    /** One at a time takes the lock or lets it go. */
    private final ReentrantLock locking = new ReentrantLock();

    private final Map<String, Long> total = new HashMap<>();
    private final Map<String, Long> failed = new HashMap<>();
    private volatile Runnable uponGranting = () -> {};
    private volatile CountDownLatch speaks = new CountDownLatch(0);
    /** Commands whose answer is lost, once each, with its connection. */
    private final Set<String> losing = ConcurrentHashMap.newKeySet();

    private int lockCount;

    FakeMongod() throws IOException {
        this(ServerSocketFactory.getDefault());
    }

    /** @param sockets that speak TLS, or not */
    FakeMongod(ServerSocketFactory sockets) throws IOException {
        listener = sockets.createServerSocket(0, 16, InetAddress.getLoopbackAddress());
        says("buildInfo", "{version: '7.0.14'}");
        says("serverStatus", "{process: 'mongod', storageEngine: {name: 'wiredTiger', persistent: true}}");
        says("getCmdLineOpts", "{argv: ['mongod'], parsed: {storage: {dbPath: '/absent/db'}}}");
        says("getDefaultRWConcern", "{defaultWriteConcern: {w: 'majority', wtimeout: 0}}");
        says("replSetGetConfig", "{config: {_id: 'rs0', writeConcernMajorityJournalDefault: true}}");
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    FakeMongod says(String command, String json) {
        said.put(command, MongoMessages.parse(json));
        return this;
    }

    FakeMongod refuses(String command, int code, String name, String message) {
        refusals.put(command, MongoMessages.error(code, name, message));
        return this;
    }

    /** As a process that is stopped: it accepts and reads, and does nothing until it speaks again. */
    void falls(boolean silent) {
        speaks.countDown();
        speaks = new CountDownLatch(silent ? 1 : 0);
    }

    /** Does what it is told next time, and its connections are lost before it can say so. */
    FakeMongod losesTheAnswerTo(String command) {
        losing.add(command);
        return this;
    }

    /** What happens right after it has heard the command, before it answers. */
    FakeMongod upon(String command, Runnable action) {
        upon.put(command, action);
        return this;
    }

    /** From now on it wants to know who speaks. Of commands that need a right he may say these alone. */
    FakeMongod knows(String user, String password, String... commands) {
        passwords.put(user, password);
        rights.put(user, Set.of(commands));
        return this;
    }

    synchronized FakeMongod standalone() {
        set = Optional.empty();
        return this;
    }

    /** Source: MongoDB manual, "Replica Set Member States". */
    synchronized FakeMongod inState(int number) {
        state = number;
        return this;
    }

    /** How often it tells its state until its journal is written; the real one does it by the clock. */
    synchronized FakeMongod flushesAfter(int answers) {
        answersUntilFlush = answers;
        return this;
    }

    /** A writer that asked for no journal: it has heard that its write is done. */
    synchronized void acknowledge(String write) {
        memory.add(write);
        applied++;
    }

    /**
     * A writer that waits while the server is locked.
     *
     * @return whether it has heard within that time that its write is done
     */
    synchronized boolean write(String write, Duration patience) throws InterruptedException {
        long ends = System.nanoTime() + patience.toNanos();
        while (lockCount > 0) {
            long left = (ends - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        acknowledge(write);
        return true;
    }

    synchronized int lockCount() {
        return lockCount;
    }

    /** What the server does before it answers who locks it: it waits for writers. */
    FakeMongod uponGranting(Runnable action) {
        uponGranting = action;
        return this;
    }

    /** By {@code fsync} with {@code lock}, whoever says it. Source: MongoDB, db/commands/fsync.cpp. */
    BsonDocument lock() {
        locking.lock();
        try {
            synchronized (this) {
                total.merge("fsync", 1L, Long::sum);
                lockCount++;
            }
            uponGranting.run();
            synchronized (this) {
                var refusal = refusals.get(LOCK);
                if (refusal != null) {
                    failed.merge("fsync", 1L, Long::sum);
                    lockCount--;
                    notifyAll();
                    return refusal;
                }
                flush();
                return MongoMessages.parse("{info: 'now locked against writes', ok: 1.0}")
                        .append("lockCount", new BsonInt64(lockCount));
            }
        } finally {
            locking.unlock();
        }
    }

    BsonDocument unlock() {
        synchronized (this) {
            total.merge("fsyncUnlock", 1L, Long::sum);
        }
        locking.lock();
        try {
            synchronized (this) {
                if (lockCount == 0) {
                    failed.merge("fsyncUnlock", 1L, Long::sum);
                    return MongoMessages.error(20, "IllegalOperation", "fsyncUnlock called when not locked");
                }
                lockCount--;
                notifyAll();
                return MongoMessages.parse("{info: 'fsyncUnlock completed', ok: 1.0}")
                        .append("lockCount", new BsonInt64(lockCount));
            }
        } finally {
            locking.unlock();
        }
    }

    private synchronized BsonDocument countedStatus() {
        var commands = new BsonDocument();
        for (var command : total.keySet()) {
            commands.append(
                    command,
                    new BsonDocument("total", new BsonInt64(total.get(command)))
                            .append("failed", new BsonInt64(failed.getOrDefault(command, 0L))));
        }
        return ok("serverStatus").append("metrics", new BsonDocument("commands", commands));
    }

    synchronized void flush() {
        journal.addAll(memory);
        memory.clear();
        durable = applied;
    }

    /** What a copy of its files would start with: what was in memory alone is not among it. */
    synchronized List<String> cut() {
        return List.copyOf(journal);
    }

    /** {@code kill -9} and a start: another process, without what was in memory. */
    void restart() {
        synchronized (this) {
            memory.clear();
            applied = durable;
            process = new ObjectId();
            changes = 0;
            lockCount = 0;
            total.clear();
            failed.clear();
            notifyAll();
        }
        dropConnections();
    }

    synchronized void elect(int newState) {
        term++;
        changes++;
        state = newState;
    }

    /** Commands that the quiescer said, in order. */
    List<String> heard() {
        return List.copyOf(heard);
    }

    int connections() {
        return (int) connections.stream().filter(socket -> !socket.isClosed()).count();
    }

    void dropConnections() {
        for (var connection : connections) {
            close(connection);
        }
        connections.clear();
    }

    private static void close(Socket connection) {
        try {
            connection.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                var connection = listener.accept();
                connections.add(connection);
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket connection) {
        var scram = new ScramServer(passwords);
        var loggedIn = new HashSet<String>();
        try (connection;
                var in = new DataInputStream(connection.getInputStream())) {
            while (true) {
                var request = MongoMessages.read(in);
                speaks.await();
                var answer = answer(request.command(), scram, loggedIn);
                if (losing.remove(request.command().getFirstKey())) {
                    return;
                }
                MongoMessages.write(connection.getOutputStream(), request, answer);
            }
        } catch (IOException e) {
            // The other side is gone, or the test dropped it.
            connections.remove(connection);
        } catch (GeneralSecurityException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private BsonDocument answer(BsonDocument command, ScramServer scram, Set<String> loggedIn)
            throws GeneralSecurityException {
        var name = command.getFirstKey();
        if (OF_DRIVER.contains(name) || command.containsKey("helloOk")) {
            return ofDriver(name, command, scram, loggedIn);
        }
        boolean locks = name.equals("fsync") && command.containsKey("lock");
        heard.add(locks ? LOCK : name);
        upon.getOrDefault(locks ? LOCK : name, () -> {}).run();
        var user = scram.user();
        boolean needsARight =
                !Set.of("hello", "buildInfo", "connectionStatus", "currentOp").contains(name);
        if (needsARight
                && !passwords.isEmpty()
                && !(loggedIn.contains(user)
                        && rights.getOrDefault(user, Set.of())
                                .contains(name.equals("fsyncUnlock") ? "unlock" : name))) {
            return MongoMessages.error(
                    13, "Unauthorized", "not authorized on admin to execute command { %s: 1 }".formatted(name));
        }
        var refusal = refusals.get(name);
        if (locks && !command.isInt32("fsyncLockAcquisitionTimeoutMillis")) {
            return MongoMessages.error(14, "TypeMismatch", "fsyncLockAcquisitionTimeoutMillis is of the wrong type");
        }
        if (name.equals("connectionStatus")) {
            return loggedIn.contains(user)
                    ? whatHeMay(user)
                    : MongoMessages.parse("{ok: 1, authInfo: {authenticatedUsers: []}}");
        }
        return refusal != null ? refusal : locks ? lock() : name.equals("fsyncUnlock") ? unlock() : ofServer(name);
    }

    /** His rights on the server, each named as its command, and one on data that counts for nothing. */
    private BsonDocument whatHeMay(String user) {
        var actions = new BsonArray(rights.getOrDefault(user, Set.of()).stream()
                .map(BsonString::new)
                .toList());
        var status = MongoMessages.parse("{ok: 1, authInfo: {authenticatedUsers: [{user: 'one', db: 'admin'}],"
                + " authenticatedUserPrivileges: [{resource: {db: 'a', collection: ''}, actions: ['fsync']},"
                + " {resource: {cluster: true}}]}}");
        status.getDocument("authInfo")
                .getArray("authenticatedUserPrivileges")
                .get(1)
                .asDocument()
                .append("actions", actions);
        return status;
    }

    private BsonDocument ofDriver(String name, BsonDocument command, ScramServer scram, Set<String> loggedIn)
            throws GeneralSecurityException {
        if (name.equals("saslStart") && lockCount() > 0) {
            // Source: MongoDB manual, "db.fsyncLock()": reads that verify a login may wait for the lock.
            return MongoMessages.error(24, "LockTimeout", "no login while the server is locked");
        }
        if (name.equals("saslStart")) {
            return payload(scram.start(text(command)), false);
        }
        if (name.equals("saslContinue")) {
            var last = scram.finish(text(command));
            if (last.isEmpty()) {
                return MongoMessages.error(18, "AuthenticationFailed", "Authentication failed.");
            }
            loggedIn.add(scram.user());
            return payload(last, true);
        }
        return name.equals("endSessions") ? MongoMessages.parse("{ok: 1.0}") : hello();
    }

    private static String text(BsonDocument command) {
        return new String(command.getBinary("payload").getData(), StandardCharsets.UTF_8);
    }

    private static BsonDocument payload(String text, boolean done) {
        return new BsonDocument("conversationId", new BsonInt32(1))
                .append("done", BsonBoolean.valueOf(done))
                .append("payload", new BsonBinary(text.getBytes(StandardCharsets.UTF_8)))
                .append("ok", new BsonInt32(1));
    }

    private synchronized BsonDocument ofServer(String name) {
        return switch (name) {
            case "hello" -> hello();
            case "fsync" -> {
                total.merge(name, 1L, Long::sum);
                flush();
                yield MongoMessages.parse("{numFiles: 1, ok: 1.0}");
            }
            case "serverStatus" -> countedStatus();
            case "currentOp" ->
                lockCount > 0
                        ? MongoMessages.parse("{inprog: [], fsyncLock: true, ok: 1.0}")
                        : MongoMessages.parse("{inprog: [], ok: 1.0}");
            case "replSetGetStatus" -> status();
            case "getDefaultRWConcern" ->
                set.isPresent()
                        ? ok(name)
                        : MongoMessages.error(
                                51_300, "Location51300", "'getDefaultRWConcern' is not supported on standalone nodes.");
            default ->
                said.containsKey(name)
                        ? ok(name)
                        : MongoMessages.error(59, "CommandNotFound", "no such command: '%s'".formatted(name));
        };
    }

    private BsonDocument ok(String name) {
        return said.getOrDefault(name, new BsonDocument()).clone().append("ok", new BsonInt32(1));
    }

    private synchronized BsonDocument hello() {
        var hello = MongoMessages.parse("{helloOk: true, maxBsonObjectSize: 16777216, maxMessageSizeBytes: 48000000,"
                + " maxWriteBatchSize: 100000, minWireVersion: 0, maxWireVersion: 21, readOnly: false, ok: 1.0}");
        hello.append("isWritablePrimary", BsonBoolean.valueOf(set.isEmpty() || state == 1))
                .append("localTime", new BsonDateTime(0))
                .append(
                        "topologyVersion",
                        new BsonDocument("processId", new BsonObjectId(process))
                                .append("counter", new BsonInt64(changes)));
        if (set.isPresent()) {
            hello.append("setName", new BsonString(set.get()))
                    .append("setVersion", new BsonInt32(1))
                    .append(
                            "hosts",
                            MongoMessages.parse("{a: ['mongo-1:27017', 'mongo-2:27017']}")
                                    .get("a"))
                    .append("me", new BsonString("mongo-1:27017"))
                    .append("secondary", BsonBoolean.valueOf(state == 2));
        }
        // What a test says of it stands over what it would say.
        hello.putAll(said.getOrDefault("hello", new BsonDocument()));
        return hello;
    }

    private BsonDocument status() {
        if (set.isEmpty()) {
            return MongoMessages.error(76, "NoReplicationEnabled", "not running with --replSet");
        }
        if (--answersUntilFlush <= 0) {
            flush();
        }
        var optimes = new BsonDocument("appliedOpTime", opTime(applied)).append("durableOpTime", opTime(durable));
        return MongoMessages.parse("{ok: 1.0}")
                .append("set", new BsonString(set.get()))
                .append("myState", new BsonInt32(state))
                .append("term", new BsonInt64(term))
                .append("optimes", optimes);
    }

    private BsonDocument opTime(int count) {
        return new BsonDocument("ts", new BsonTimestamp(SECONDS, count)).append("t", new BsonInt64(term));
    }

    @Override
    public void close() throws IOException {
        listener.close();
        dropConnections();
    }
}
