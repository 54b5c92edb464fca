package io.tidemark.consistency.mongodb;

import com.mongodb.MongoClientSettings;
import com.mongodb.MongoCommandException;
import com.mongodb.MongoCredential;
import com.mongodb.MongoException;
import com.mongodb.MongoInterruptedException;
import com.mongodb.MongoOperationTimeoutException;
import com.mongodb.MongoSecurityException;
import com.mongodb.MongoTimeoutException;
import com.mongodb.ServerAddress;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import com.mongodb.connection.ClusterConnectionMode;
import com.mongodb.connection.ServerMonitoringMode;
import com.mongodb.event.ServerHeartbeatFailedEvent;
import com.mongodb.event.ServerHeartbeatSucceededEvent;
import com.mongodb.event.ServerMonitorListener;
import io.tidemark.consistency.CaFile;
import io.tidemark.consistency.PasswordFile;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bson.BSONException;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.jspecify.annotations.Nullable;

/**
 * The few commands a quiescer says to one mongod, on one connection. The driver neither looks for other members of a
 * replica set nor says anything twice. Where the connection was lost it makes another: nothing is held on it, and each
 * answer tells which process gave it. Owned by one thread.
 */
final class MongoDbSession implements AutoCloseable {
    private static final String ADMIN = "admin";
    /** Once a connection was lost; else the driver waits half a second, which may be all that an answer may take. */
    private static final long RECONNECT_EVERY_MILLIS = 50;

    /** Longer than a session lives: a look of the driver's own that fails would cost the connection, and its login. */
    private static final long LOOK_EVERY_HOURS = 24;

    private final MongoClient client;
    private final MongoDatabase admin;
    private final MongoDbSettings settings;
    private final Monitor monitor;

    /** Why the driver's own thread, which is the first to connect, could not. */
    private static final class Monitor implements ServerMonitorListener {
        private volatile @Nullable Throwable failure;

        @Override
        public void serverHeartbeatFailed(ServerHeartbeatFailedEvent event) {
            failure = event.getThrowable();
        }

        @Override
        public void serverHeartbeatSucceeded(ServerHeartbeatSucceededEvent event) {
            failure = null;
        }
    }

    /** The server's refusal of one command, with its number. */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;
        /** Of any command that the user lacks a right for. Source: MongoDB, error_codes.yml. */
        private static final int UNAUTHORIZED = 13;

        private static final int LOCK_TIMEOUT = 24;
        private static final int MAX_TIME_EXPIRED = 50;

        private final int code;

        private Refused(MongoCommandException e) {
            super("%s (%s)".formatted(firstLine(e.getErrorMessage()), name(e)), e);
            this.code = e.getErrorCode();
        }

        private static String name(MongoCommandException e) {
            return e.getErrorCodeName().isEmpty() ? "error " + e.getErrorCode() : e.getErrorCodeName();
        }

        /** Whether it was given up at a limit, whatever it had done by then. */
        boolean isForWantOfTime() {
            return code == MAX_TIME_EXPIRED;
        }

        boolean isForWantOfARight() {
            return code == UNAUTHORIZED;
        }

        /**
         * Whether the server was certainly not locked by the command that it refused. Others may come after the lock was
         * taken, which then stays. Source: MongoDB, db/commands/fsync.cpp, runFsyncCommand, where
         * checkForInProgressDDLOperations is called last.
         */
        boolean locksNothing() {
            return code == UNAUTHORIZED || code == LOCK_TIMEOUT;
        }
    }

    private MongoDbSession(MongoClient client, MongoDbSettings settings, Monitor monitor) {
        this.client = client;
        this.admin = client.getDatabase(ADMIN);
        this.settings = settings;
        this.monitor = monitor;
    }

    /** Connects at the first command. */
    static MongoDbSession open(MongoDbSettings settings) throws IOException {
        var monitor = new Monitor();
        long connectMillis = settings.connectLimit().toMillis();
        long longestAnswerMillis = Math.max(
                settings.answerLimit().toMillis(), settings.flushLimit().toMillis());
        var builder = MongoClientSettings.builder()
                .applicationName("tidemark")
                .retryReads(false)
                .retryWrites(false)
                .applyToClusterSettings(
                        cluster -> cluster.hosts(List.of(new ServerAddress(settings.host(), settings.port())))
                                .mode(ClusterConnectionMode.SINGLE)
                                .serverSelectionTimeout(connectMillis, TimeUnit.MILLISECONDS))
                // Of the driver's own words alone, as at a close: our commands have limits of their own.
                .applyToSocketSettings(socket -> socket.connectTimeout(connectMillis, TimeUnit.MILLISECONDS)
                        .readTimeout(longestAnswerMillis, TimeUnit.MILLISECONDS))
                .applyToConnectionPoolSettings(pool -> pool.minSize(0).maxSize(1))
                .applyToServerSettings(server -> server.serverMonitoringMode(ServerMonitoringMode.POLL)
                        .minHeartbeatFrequency(RECONNECT_EVERY_MILLIS, TimeUnit.MILLISECONDS)
                        .heartbeatFrequency(LOOK_EVERY_HOURS, TimeUnit.HOURS)
                        .addServerMonitorListener(monitor));
        if (settings.user().isPresent() && settings.passwordFile().isPresent()) {
            builder.credential(MongoCredential.createScramSha256Credential(
                    settings.user().get(),
                    settings.authSource(),
                    PasswordFile.read(settings.passwordFile().get()).toCharArray()));
        }
        if (settings.tls()) {
            var trusted = settings.caFile().isPresent()
                    ? CaFile.trusting(settings.caFile().get())
                    : null;
            builder.applyToSslSettings(ssl -> {
                ssl.enabled(true).invalidHostNameAllowed(false);
                if (trusted != null) {
                    ssl.context(trusted);
                }
            });
        }
        return new MongoDbSession(MongoClients.create(builder.build()), settings, monitor);
    }

    /** Says {@code {name: 1}} to the database {@code admin}, and waits no longer than any answer may take. */
    Answer ask(String name) throws IOException {
        return ask(name, settings.answerLimit());
    }

    /** @param limit of all it takes: a connection where there is none, the command, the answer */
    Answer ask(String name, Duration limit) throws IOException {
        return ask(new BsonDocument(name, new BsonInt32(1)), limit);
    }

    /**
     * Whether the user may do this to the server, or there is no user. Needs no right itself. Source: MongoDB manual,
     * "connectionStatus", showPrivileges.
     */
    boolean may(String action) throws IOException {
        var question = new BsonDocument("connectionStatus", new BsonInt32(1));
        question.append("showPrivileges", BsonBoolean.TRUE);
        var answer = ask(question, settings.answerLimit());
        return answer.parts("authInfo.authenticatedUsers").isEmpty()
                || answer.parts("authInfo.authenticatedUserPrivileges").stream()
                        .filter(privilege -> privilege.yes("resource.cluster") || privilege.yes("resource.anyResource"))
                        .anyMatch(privilege -> privilege.texts("actions").contains(action));
    }

    /** @param limit of all it takes: a connection where there is none, the command, the answer */
    Answer ask(BsonDocument command, Duration limit) throws IOException {
        var name = command.getFirstKey();
        try {
            return new Answer(admin.withTimeout(Math.max(1, limit.toMillis()), TimeUnit.MILLISECONDS)
                    .runCommand(command, BsonDocument.class));
        } catch (MongoCommandException e) {
            throw new Refused(e);
        } catch (MongoInterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("waiting for the server was interrupted", e);
        } catch (MongoException e) {
            throw new IOException(reason(e, name, limit), e);
        } catch (BSONException e) {
            throw new IOException("the answer to %s cannot be read: %s".formatted(name, root(e)), e);
        }
    }

    private String reason(MongoException e, String name, Duration limit) {
        if (e instanceof MongoSecurityException) {
            return "user %s of %s is not let in: %s"
                    .formatted(settings.user().orElse("none"), settings.authSource(), root(e));
        }
        var failure = monitor.failure;
        if (e instanceof MongoTimeoutException && failure != null) {
            var waited = limit.compareTo(settings.connectLimit()) < 0 ? limit : settings.connectLimit();
            return "no connection within %d ms: %s".formatted(waited.toMillis(), root(failure));
        }
        if (e instanceof MongoOperationTimeoutException) {
            return "no answer to %s within %d ms".formatted(name, limit.toMillis());
        }
        return "%s failed: %s".formatted(name, root(e));
    }

    /** What is at the bottom of it, one line; none of the driver's texts holds a password. */
    private static String root(Throwable e) {
        var cause = e;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        return cause instanceof MongoCommandException command
                ? firstLine(command.getErrorMessage())
                : firstLine(String.valueOf(cause.getMessage()));
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("no answer");
    }

    @Override
    public void close() {
        client.close();
    }
}
