package io.tidemark.quickstart;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

/** One PostgreSQL server in the foreground, as a user without rights, reached over loopback with a password. */
final class PostgresServer {
    /** Whose administrator the cluster has, whatever user runs it. */
    static final String ADMINISTRATOR = "postgres";

    /** Crash recovery of some seconds of writing, on a loaded machine. */
    private static final Duration START_LIMIT = Duration.ofMinutes(1);

    private static final Duration STOP_LIMIT = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(25);
    private static final String CONNECT_LIMIT_SECONDS = "5";
    /** A freeze holds a statement up to the group's limit; longer is a defect worth seeing. */
    private static final String ANSWER_LIMIT_SECONDS = "60";

    private final Process process;
    private final Secret password;
    private final int port;
    private final Path log;

    private PostgresServer(Process process, Secret password, int port, Path log) {
        this.process = process;
        this.password = password;
        this.port = port;
        this.log = log;
    }

    /** Returns once it answers. */
    static PostgresServer start(
            Programs programs,
            PostgresPrograms installed,
            Optional<Programs.Account> account,
            Path data,
            Path socketFolder,
            Secret password,
            Path log)
            throws QuickstartException {
        int port = freePort();
        var command = installed.command(
                "postgres",
                List.of(
                        "-D",
                        data.toString(),
                        "-c",
                        "port=" + port,
                        "-c",
                        "listen_addresses=127.0.0.1",
                        "-c",
                        "unix_socket_directories=" + socketFolder));
        var server = new PostgresServer(programs.start(account, command, log), password, port, log);
        server.awaitAnswer();
        return server;
    }

    static int freePort() throws QuickstartException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new QuickstartException("no free port: " + e.getMessage(), e);
        }
    }

    private void awaitAnswer() throws QuickstartException {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        String last = "it did not answer";
        while (process.isAlive() && System.nanoTime() < deadline) {
            try (var connection = connect("postgres");
                    var statement = connection.createStatement()) {
                statement.execute("SELECT 1");
                return;
            } catch (SQLException e) {
                last = String.valueOf(e.getMessage());
            }
            try {
                Thread.sleep(POLL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new QuickstartException("interrupted", e);
            }
        }
        throw new QuickstartException("PostgreSQL did not start: %s; its log ends: %s".formatted(last, tail()));
    }

    String tail() {
        try {
            return Programs.lastLines(Files.readString(log));
        } catch (IOException e) {
            return "(no log)";
        }
    }

    Connection connect(String database) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", ADMINISTRATOR);
        properties.setProperty("password", password.text());
        properties.setProperty("connectTimeout", CONNECT_LIMIT_SECONDS);
        properties.setProperty("socketTimeout", ANSWER_LIMIT_SECONDS);
        properties.setProperty("sslmode", "disable");
        properties.setProperty("ApplicationName", "tidemark-quickstart");
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:%d/%s".formatted(port, database), properties);
    }

    void execute(String database, String... statements) throws QuickstartException {
        try (var connection = connect(database);
                var statement = connection.createStatement()) {
            for (var sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new QuickstartException("the database refused: " + e.getMessage(), e);
        }
    }

    int port() {
        return port;
    }

    /** Without waiting for clients, but with a clean shutdown. */
    void stop() throws QuickstartException {
        signal("-INT");
        try {
            if (!process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new QuickstartException("PostgreSQL did not stop within %d s".formatted(STOP_LIMIT.toSeconds()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QuickstartException("interrupted", e);
        }
    }

    private void signal(String signal) throws QuickstartException {
        try {
            new ProcessBuilder("/bin/sh", "-c", "kill %s %d".formatted(signal, process.pid()))
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new QuickstartException("PostgreSQL could not be told to stop: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QuickstartException("interrupted", e);
        }
    }
}
