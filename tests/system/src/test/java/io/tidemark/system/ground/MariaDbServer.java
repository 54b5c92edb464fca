package io.tidemark.system.ground;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.mariadb.jdbc.Driver;

/** A MariaDB on loopback and a Unix socket, of Debian's packages, run as its own user, with a binary log. */
public final class MariaDbServer implements SqlServer {
    public static final String DATABASE = "app";

    private static final String USER = "mysql";
    private static final Path PROGRAM = Path.of("/usr/sbin/mariadbd");
    private static final Path INSTALL = Path.of("/usr/bin/mariadb-install-db");

    private final ServerProcess process;
    private final int port;
    private final Path data;

    private MariaDbServer(ServerProcess process, int port, Path data) {
        this.process = process;
        this.port = port;
        this.data = data;
    }

    /** Skips or fails, as {@link Ground#lacking}, where no server is installed. */
    public static void require() {
        for (var program : List.of(PROGRAM, INSTALL)) {
            if (!Files.isExecutable(program)) {
                Ground.lacking("program %s is not installed (Debian's mariadb-server)".formatted(program));
            }
        }
    }

    /** Makes a data directory; root has no password. */
    public static void init(Path data) throws IOException {
        Files.createDirectories(data);
        Programs.run("chown", USER, data.toString());
        Programs.run(ServerProcess.asUser(
                        USER,
                        INSTALL.toString(),
                        "--no-defaults",
                        "--datadir=" + data,
                        "--auth-root-authentication-method=normal",
                        "--skip-test-db")
                .toArray(String[]::new));
    }

    /** Starts and waits until it accepts connections; recovery, where there is any, is part of the start. */
    public static MariaDbServer start(Path data, String... settings) throws IOException {
        return ServerProcess.onFreePort(port -> start(port, data, settings));
    }

    private static MariaDbServer start(int port, Path data, String... settings) throws IOException {
        var command = ServerProcess.asUser(
                USER,
                PROGRAM.toString(),
                "--no-defaults",
                "--datadir=" + data,
                "--socket=" + socketIn(data),
                "--pid-file=" + data.resolve("mariadbd.pid"),
                "--port=" + port,
                "--bind-address=127.0.0.1",
                "--log-bin=binlog",
                "--innodb-buffer-pool-size=64M",
                // A table that was not closed, or is damaged, is to be found and not mended in silence.
                "--myisam-recover-options=OFF",
                "--aria-recover-options=OFF");
        command.addAll(List.of(settings));
        var process = ServerProcess.start(
                "mariadb", command, "TERM", () -> connect(port, "").close());
        var server = new MariaDbServer(process, port, data);
        try (var connection = connect(port, "");
                var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE IF NOT EXISTS " + DATABASE);
        } catch (SQLException e) {
            server.close();
            throw new IOException("no database could be made", e);
        }
        return server;
    }

    private static Path socketIn(Path data) {
        return data.resolve("mariadbd.sock");
    }

    public Path socket() {
        return socketIn(data);
    }

    public int port() {
        return port;
    }

    public Path data() {
        return data;
    }

    @Override
    public Connection connect() throws SQLException {
        return connect(port, DATABASE);
    }

    private static Connection connect(int port, String database) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", "root");
        properties.setProperty("connectTimeout", "5000");
        var connection = new Driver().connect("jdbc:mariadb://127.0.0.1:%d/%s".formatted(port, database), properties);
        if (connection == null) {
            throw new SQLException("the driver did not take its own address");
        }
        return connection;
    }

    /** What {@code CHECK TABLE ... EXTENDED} has to say of every table of users beyond "OK". */
    public List<String> damage() throws SQLException {
        var damage = new ArrayList<String>();
        try (var connection = connect();
                var statement = connection.createStatement()) {
            var tables = new ArrayList<String>();
            try (var rows = statement.executeQuery("SELECT TABLE_NAME FROM information_schema.TABLES"
                    + " WHERE TABLE_SCHEMA = '%s' ORDER BY 1".formatted(DATABASE))) {
                while (rows.next()) {
                    tables.add(rows.getString(1));
                }
            }
            for (var table : tables) {
                try (var rows = statement.executeQuery("CHECK TABLE %s EXTENDED".formatted(table))) {
                    while (rows.next()) {
                        if (!rows.getString(4).equals("OK")) {
                            damage.add(table + ": " + rows.getString(3) + " " + rows.getString(4));
                        }
                    }
                }
            }
        }
        return damage;
    }

    /** As a power cut of the server alone. */
    public void kill() throws IOException {
        process.stop("KILL");
    }

    /** Stops cleanly. Does nothing the second time. */
    @Override
    public void close() throws IOException {
        process.stop("TERM");
    }
}
