package io.tidemark.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * The SQLite file of one site: write-ahead log, every commit synced, foreign keys on. Writers queue on one lock in this
 * process, since SQLite has one writer anyway and would make the others poll; readers do not wait for them.
 */
public final class Database implements AutoCloseable {
    private static final String FILE = "tidemark.db";
    private static final String MIGRATIONS = "classpath:db/migration";
    /** Readers at once, and the writer; each is a file handle and a page cache of 2 MiB. */
    private static final int CONNECTIONS_MAXIMUM = 5;
    /** A connection is busy for milliseconds: this long without one means a hung disk. */
    private static final Duration CONNECTION_WAIT = Duration.ofSeconds(10);
    /** Another program (a backup, a shell) may hold the file for a moment. */
    private static final Duration BUSY_WAIT = Duration.ofSeconds(5);

    private final HikariDataSource pool;
    private final ReentrantLock writer = new ReentrantLock(true);

    private Database(HikariDataSource pool) {
        this.pool = pool;
    }

    /** What is done with a connection; committed when it returns, rolled back when it throws. */
    @FunctionalInterface
    interface Work<T> {
        T with(Connection connection) throws SQLException;
    }

    /**
     * Opens the file in the folder and brings its schema up to date.
     *
     * @throws StoreException when it is damaged, or written by a newer version of Tidemark
     */
    public static Database open(Path folder) {
        var file = folder.resolve(FILE);
        var source = source(file);
        try {
            migrate(source, file);
        } catch (FlywayException failure) {
            throw new StoreException("database %s cannot be opened: %s".formatted(file, failure.getMessage()), failure);
        }
        var settings = new HikariConfig();
        settings.setDataSource(source);
        settings.setMaximumPoolSize(CONNECTIONS_MAXIMUM);
        settings.setMinimumIdle(1);
        settings.setConnectionTimeout(CONNECTION_WAIT.toMillis());
        settings.setPoolName("tidemark-store");
        return new Database(new HikariDataSource(settings));
    }

    private static SQLiteDataSource source(Path file) {
        var settings = new SQLiteConfig();
        settings.setJournalMode(SQLiteConfig.JournalMode.WAL);
        settings.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        settings.enforceForeignKeys(true);
        settings.setBusyTimeout((int) BUSY_WAIT.toMillis());
        settings.setTransactionMode(SQLiteConfig.TransactionMode.DEFERRED);
        var source = new SQLiteDataSource(settings);
        source.setUrl("jdbc:sqlite:" + file);
        return source;
    }

    private static void migrate(SQLiteDataSource source, Path file) {
        boolean existed = Files.exists(file);
        var flyway = Flyway.configure()
                .dataSource(source)
                .locations(MIGRATIONS)
                .ignoreMigrationPatterns(new String[0])
                .load();
        if (existed) {
            refuseNewer(flyway, file);
        }
        flyway.migrate();
    }

    private static void refuseNewer(Flyway flyway, Path file) {
        var info = flyway.info();
        long newestKnown = 0;
        long newestApplied = 0;
        for (var migration : info.all()) {
            var version = migration.getVersion();
            if (version == null) {
                continue;
            }
            long number = version.getMajor().longValueExact();
            var state = migration.getState();
            if (state.isApplied()) {
                newestApplied = Math.max(newestApplied, number);
            }
            if (state.isResolved()) {
                newestKnown = Math.max(newestKnown, number);
            }
        }
        if (newestApplied > newestKnown) {
            throw new StoreException(
                    "database %s has schema %d, this version of Tidemark knows up to %d: run the newer one"
                            .formatted(file, newestApplied, newestKnown));
        }
    }

    <T> T read(String what, Work<T> work) {
        try (var connection = pool.getConnection()) {
            return work.with(connection);
        } catch (SQLException failure) {
            throw new StoreException("%s cannot be read: %s".formatted(what, failure.getMessage()), failure);
        }
    }

    /** One transaction. Durable on return. */
    <T> T write(String what, Work<T> work) {
        writer.lock();
        try (var connection = pool.getConnection()) {
            return inTransaction(connection, work);
        } catch (SQLException failure) {
            throw new StoreException("%s cannot be written: %s".formatted(what, failure.getMessage()), failure);
        } finally {
            writer.unlock();
        }
    }

    private static <T> T inTransaction(Connection connection, Work<T> work) throws SQLException {
        connection.setAutoCommit(false);
        boolean committed = false;
        try {
            T result = work.with(connection);
            connection.commit();
            committed = true;
            return result;
        } finally {
            if (!committed) {
                connection.rollback();
            }
            connection.setAutoCommit(true);
        }
    }

    /** Whether the file answers; for readiness. */
    public boolean answers() {
        return read("database", connection -> {
            try (var statement = connection.createStatement();
                    var row = statement.executeQuery("SELECT 1")) {
                return row.next();
            }
        });
    }

    @Override
    public void close() {
        pool.close();
    }
}
