package io.tidemark.system.ground;

import io.tidemark.quickstart.SqlChecks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A PostgreSQL on loopback, of Debian's packages unless told otherwise, run as its own user, with data checksums. */
public final class PostgresServer implements SqlServer {
    private static final String USER = "postgres";

    private final PostgresBinaries binaries;
    private final ServerProcess process;
    private final int port;
    private final Path data;

    private PostgresServer(PostgresBinaries binaries, ServerProcess process, int port, Path data) {
        this.binaries = binaries;
        this.process = process;
        this.port = port;
        this.data = data;
    }

    /** Skips or fails, as {@link Ground#lacking}, where no server is installed. */
    public static void require() {
        PostgresBinaries.requireInstalled();
    }

    /** Makes a data directory with checksums; the superuser is {@code postgres}, trusted on loopback. */
    public static void init(Path data) throws IOException {
        init(PostgresBinaries.installed(), data);
    }

    public static void init(PostgresBinaries binaries, Path data) throws IOException {
        Files.createDirectories(data);
        Programs.run("chown", USER, data.toString());
        Programs.run(asUser(
                binaries.program("initdb"),
                "-D",
                data.toString(),
                "-U",
                USER,
                "-A",
                "trust",
                "--data-checksums",
                "-N"));
    }

    /** Starts and waits until it accepts connections; recovery, where there is any, is part of the start. */
    public static PostgresServer start(Path data, String... settings) throws IOException {
        return start(PostgresBinaries.installed(), data, settings);
    }

    public static PostgresServer start(PostgresBinaries binaries, Path data, String... settings) throws IOException {
        return ServerProcess.onFreePort(port -> start(port, binaries, data, settings));
    }

    private static PostgresServer start(int port, PostgresBinaries binaries, Path data, String... settings)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(asUser(
                binaries.program("postgres"),
                "-D",
                data.toString(),
                "-p",
                Integer.toString(port),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=" + data)));
        for (var setting : settings) {
            command.addAll(List.of("-c", setting));
        }
        var process = ServerProcess.start(
                "postgres", command, "QUIT", () -> connect(port, "postgres").close());
        return new PostgresServer(binaries, process, port, data);
    }

    /**
     * Starts on a copy of this running server's data, as after a power cut. The copy holds the pid file of the server
     * it was cut from; where that one still runs on this host, as here, the file must go first.
     */
    public PostgresServer startCopy(Path copy, String... settings) throws IOException {
        Files.deleteIfExists(copy.resolve("postmaster.pid"));
        return start(binaries, copy, settings);
    }

    /**
     * A standby of this running server, which streams from it.
     *
     * @param unstarted a copy of its data from before its first start
     */
    public PostgresServer startStandby(Path unstarted, String... settings) throws IOException {
        var signal = unstarted.resolve("standby.signal");
        Files.createFile(signal);
        Programs.run("chown", USER, signal.toString());
        var all = new ArrayList<>(List.of("primary_conninfo=host=127.0.0.1 port=%d user=%s".formatted(port, USER)));
        all.addAll(List.of(settings));
        return start(binaries, unstarted, all.toArray(String[]::new));
    }

    private static String[] asUser(String... command) {
        return ServerProcess.asUser(USER, command).toArray(String[]::new);
    }

    public int port() {
        return port;
    }

    public Path data() {
        return data;
    }

    /** From the start of the program to the first answer, recovery included. */
    public Duration startTime() {
        return process.startTime();
    }

    @Override
    public Connection connect() throws SQLException {
        return connect(port, "postgres");
    }

    private static Connection connect(int port, String database) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:%d/%s?user=postgres&connectTimeout=5".formatted(port, database));
    }

    /** Every index and heap, with the {@code amcheck} extension, which it installs. */
    public void checkStructures() throws IOException, SQLException {
        if (!binaries.has("pg_amcheck")) {
            try (var connection = connect()) {
                SqlChecks.checkStructures(connection);
            }
            return;
        }
        Programs.run(asUser(
                binaries.program("pg_amcheck"),
                "-h",
                "127.0.0.1",
                "-p",
                Integer.toString(port),
                "-U",
                USER,
                "--install-missing",
                "--heapallindexed",
                "-d",
                "postgres"));
    }

    /** Every page's checksum, of the whole cluster where there is a program for it; stops the server. */
    public void stopAndCheckPages() throws IOException, SQLException {
        if (!binaries.has("pg_checksums")) {
            try (var connection = connect()) {
                SqlChecks.readEveryPage(connection);
            }
            close();
            return;
        }
        close();
        Programs.run(asUser(binaries.program("pg_checksums"), "--check", "-D", data.toString()));
    }

    /** A pgbench on this server; it runs until it is done or the caller ends it. */
    public ProcessBuilder pgbench(String... arguments) throws IOException {
        var command = new ArrayList<>(
                List.of(binaries.program("pgbench"), "-h", "127.0.0.1", "-p", Integer.toString(port), "-U", USER));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(asUser(command.toArray(String[]::new)))
                .directory(Path.of("/").toFile());
    }

    /** Stops at once but cleanly: a fast shutdown. Does nothing the second time. */
    @Override
    public void close() throws IOException {
        process.stop("INT");
    }
}
