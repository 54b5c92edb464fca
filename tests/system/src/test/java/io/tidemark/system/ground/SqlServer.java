package io.tidemark.system.ground;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;

/** A database that a test runs. */
public interface SqlServer extends AutoCloseable {

    /** As its superuser. */
    Connection connect() throws SQLException;

    default void execute(String sql) throws SQLException {
        try (var connection = connect();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The first column of the first row. */
    default long number(String sql) throws SQLException {
        try (var connection = connect();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    @Override
    void close() throws IOException;
}
