package io.tidemark.consistency.jdbc;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * One connection and statements on it, each with a limit. Owned by one thread; {@link #cancel} alone may be called by
 * another.
 */
public final class JdbcConnection implements AutoCloseable {
    /** What a socket waits beyond the statement's own limit before it gives the server up. */
    public static final Duration SOCKET_GRACE = Duration.ofSeconds(5);

    private static final long MILLIS_PER_SECOND = 1_000;

    private final Connection connection;
    private int statementSeconds = 1;
    private volatile @Nullable Statement running;

    public JdbcConnection(Connection connection) {
        this.connection = connection;
    }

    /** Makes connections to one server: its driver, or what stands for it in a test. */
    @FunctionalInterface
    public interface Connector {
        /** @throws IOException where something that the connection needs of this host is missing */
        Connection connect(Properties properties) throws SQLException, IOException;
    }

    /** The longest that any of the next statements may take: the driver cancels it, and a little later gives up. */
    public void limitStatements(Duration limit) throws SQLException {
        statementSeconds = Math.toIntExact(Math.max(1, Math.ceilDiv(limit.toMillis(), MILLIS_PER_SECOND)));
        connection.setNetworkTimeout(
                Runnable::run, Math.toIntExact(limit.plus(SOCKET_GRACE).toMillis()));
    }

    public void execute(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.setQueryTimeout(statementSeconds);
            statement.execute(sql);
        }
    }

    /** Runs one statement to its end, whatever that is: done, failed, cancelled, or the connection lost. */
    public void executeUntilItEnds(String sql) {
        try (var statement = connection.createStatement()) {
            running = statement;
            statement.execute(sql);
        } catch (SQLException e) {
            // Whoever asked for it finds out from the server what it did.
            return;
        } finally {
            running = null;
        }
    }

    /** Ends what {@link #executeUntilItEnds} runs. */
    public void cancel() throws SQLException {
        var statement = running;
        if (statement != null) {
            statement.cancel();
        }
    }

    /** The first {@code columns} of each row as text; null is the empty text. */
    public List<List<String>> rows(String sql, int columns) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.setQueryTimeout(statementSeconds);
            return rows(statement, sql, columns);
        }
    }

    /** As {@link #rows(String, int)}, by a statement that has the caller's limits, and that the caller closes. */
    public static List<List<String>> rows(Statement statement, String sql, int columns) throws SQLException {
        var all = new ArrayList<List<String>>();
        try (var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                var row = new ArrayList<String>();
                for (int column = 1; column <= columns; column++) {
                    var value = rows.getString(column);
                    row.add(value == null ? "" : value);
                }
                all.add(row);
            }
        }
        return all;
    }

    /** The one row that the statement always has. */
    public List<String> row(String sql, int columns) throws SQLException {
        var rows = rows(sql, columns);
        if (rows.size() != 1) {
            throw new SQLException("%d rows in place of one in answer to %s".formatted(rows.size(), sql));
        }
        return rows.getFirst();
    }

    /** The bytes in the first column of the first row. */
    public Optional<byte[]> bytes(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.setQueryTimeout(statementSeconds);
            try (var rows = statement.executeQuery(sql)) {
                return rows.next() ? Optional.ofNullable(rows.getBytes(1)) : Optional.empty();
            }
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            // The socket is closed by then, which is all that matters.
            return;
        }
    }
}
