package io.tidemark.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A PostgreSQL on an ext4 on the volume, with pgbench's tables and load and a writer beside them. */
final class DatabaseWorkload implements Workload {
    private static final long VOLUME_BYTES = 1L << 30;
    private static final String DATABASE = "bench";
    private static final String QUIESCER_ROLE = "tidemark";

    private final DemoFolder demo;
    private final Programs programs;
    private final Cleanup cleanup;
    private final Narrator narrator;
    private final PostgresPrograms installed;
    private final Programs.Account account;
    private final Secret administratorPassword = Secret.random();
    private final Secret quiescerPassword = Secret.random();
    private final Path sockets;
    private final ClientPrograms clients;
    private final DatabaseLoad load;
    private final CopyChecks checks;
    private @Nullable PostgresServer server;
    private @Nullable SequenceWriter writer;

    DatabaseWorkload(DemoFolder demo, Programs programs, Cleanup cleanup, Narrator narrator, PostgresPrograms installed)
            throws QuickstartException {
        this.demo = demo;
        this.programs = programs;
        this.cleanup = cleanup;
        this.narrator = narrator;
        this.installed = installed;
        account = Programs.Account.ofDatabase();
        sockets = account.own(demo.folder("run"));
        clients = new ClientPrograms(programs, installed, account, sockets.resolve("pgpass"));
        load = clients.has(PgbenchLoad.PROGRAM) ? new PgbenchLoad(clients) : new SqlLoad();
        checks = new CopyChecks(clients);
    }

    @Override
    public long volumeBytes() {
        return VOLUME_BYTES;
    }

    @Override
    public void start(Path device) throws QuickstartException {
        MountedVolume.format(programs, device);
        var volume = MountedVolume.mount(programs, device, demo.folder("mount-a"));
        narrator.say("ext4 on %s, mounted at %s", device, volume.mountPoint());
        Path data = initialise(volume.mountPoint());
        var started = PostgresServer.start(
                programs,
                installed,
                Optional.of(account),
                data,
                sockets,
                administratorPassword,
                demo.file("postgres-a.log"));
        server = started;
        started.execute(
                "postgres",
                "CREATE DATABASE " + DATABASE,
                "CREATE ROLE %s LOGIN PASSWORD '%s'".formatted(QUIESCER_ROLE, quiescerPassword.text()),
                "GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean) TO " + QUIESCER_ROLE,
                "GRANT EXECUTE ON FUNCTION pg_backup_stop(boolean) TO " + QUIESCER_ROLE,
                "GRANT pg_read_all_settings TO " + QUIESCER_ROLE);
        quiescerPassword.writeTo(demo.file("quiescer.password"));
        load.fill(started, DATABASE);
        started.execute(
                DATABASE,
                "CREATE TABLE tidemark_sequence (number integer PRIMARY KEY, stamped_at timestamptz NOT NULL)",
                "CHECKPOINT");
        checks.prepare(started, DATABASE);
        startWriter(started);
        narrator.say(
                "PostgreSQL %d as user %s on port %d: %s at scale %d,"
                        + " a writer stamps a sequence, each number a commit",
                installed.major(), account.name(), started.port(), load.name(), DatabaseLoad.SCALE);
    }

    private Path initialise(Path mountPoint) throws QuickstartException {
        // The file system's own top folder holds lost+found, which initdb does not accept beside its files.
        Path data = account.own(demo.folder("mount-a/data"));
        try {
            Path passwordFile = administratorPassword.writeTo(sockets.resolve("administrator.password"));
            Files.setAttribute(passwordFile, "unix:uid", account.userId());
            programs.run(
                    Optional.of(account),
                    installed.command(
                            "initdb",
                            List.of(
                                    "-D",
                                    data.toString(),
                                    "-U",
                                    PostgresServer.ADMINISTRATOR,
                                    "--pwfile=" + passwordFile,
                                    "--auth=scram-sha-256",
                                    "--data-checksums",
                                    "--encoding=UTF8",
                                    "--locale=C")));
            // One line of libpq's password file serves pgbench and pg_amcheck on any port.
            new Secret("*:*:*:%s:%s".formatted(PostgresServer.ADMINISTRATOR, administratorPassword.text()))
                    .writeTo(clients.passwordFile());
            Files.setAttribute(clients.passwordFile(), "unix:uid", account.userId());
            Files.delete(passwordFile);
            return data;
        } catch (IOException e) {
            throw new QuickstartException("%s could not be prepared: %s".formatted(mountPoint, e.getMessage()), e);
        }
    }

    private PostgresServer server() {
        if (server == null) {
            throw new AssertionError("the database was not started");
        }
        return server;
    }

    private void startWriter(PostgresServer at) throws QuickstartException {
        try {
            var connection = at.connect(DATABASE);
            var insert = connection.prepareStatement("INSERT INTO tidemark_sequence VALUES (?, clock_timestamp())");
            var started = new SequenceWriter(new Table(connection, insert));
            cleanup.add(started);
            writer = started;
            started.start();
        } catch (SQLException e) {
            throw new QuickstartException("the writer could not connect: " + e.getMessage(), e);
        }
    }

    private record Table(Connection connection, PreparedStatement insert) implements SequenceWriter.Target {
        @Override
        public void write(int number) throws SQLException {
            insert.setInt(1, number);
            insert.executeUpdate();
        }

        @Override
        public void close() throws SQLException {
            connection.close();
        }
    }

    @Override
    public List<Map<String, Object>> quiescers() {
        return List.of(Map.of(
                "kind",
                "postgresql",
                "settings",
                Map.of(
                        "host",
                        "127.0.0.1",
                        "port",
                        Integer.toString(server().port()),
                        "user",
                        QUIESCER_ROLE,
                        "passwordFile",
                        demo.file("quiescer.password").toString())));
    }

    private SequenceWriter writer() {
        if (writer == null) {
            throw new AssertionError("the writer was not started");
        }
        return writer;
    }

    @Override
    public SequenceLog log() {
        return writer().log();
    }

    @Override
    public void writeMore(int seconds) throws QuickstartException {
        load.run(server(), DATABASE, seconds);
    }

    @Override
    public void check() throws QuickstartException {
        writer().check();
    }

    @Override
    public void stopWriting() throws QuickstartException {
        writer().close();
    }

    @Override
    public Proof prove(Path clone, Cut cut, long askedNanos) throws QuickstartException {
        var volume = MountedVolume.mount(programs, clone, demo.folder("mount-b"));
        Path data = volume.mountPoint().resolve("data");
        try {
            // It names the source's server, which runs on this same host; anywhere else it would mean nothing.
            Files.deleteIfExists(data.resolve("postmaster.pid"));
        } catch (IOException e) {
            throw new QuickstartException("the clone cannot be written: " + e.getMessage(), e);
        }
        var recovered = PostgresServer.start(
                programs,
                installed,
                Optional.of(account),
                data,
                sockets,
                administratorPassword,
                demo.file("postgres-b.log"));
        double recoveryMillis = (System.nanoTime() - askedNanos) / 1e6;
        var present = numbers(recovered);
        checks.whileRunning(recovered, DATABASE);
        recovered.stop();
        checks.whenStopped(data);
        volume.unmount();
        return new Proof(
                log().acknowledgedBefore(cut.fromNanos()),
                log().lost(present, cut.fromNanos()),
                log().fromTheFuture(present, cut.toNanos()),
                recoveryMillis,
                checks.clean(),
                leftOut());
    }

    private List<String> leftOut() {
        List<String> leftOut = new ArrayList<>(checks.leftOut());
        if (!clients.has(PgbenchLoad.PROGRAM)) {
            leftOut.add("pgbench, which did not come with this PostgreSQL: its tables and transactions by SQL instead");
        }
        return leftOut;
    }

    private static BitSet numbers(PostgresServer recovered) throws QuickstartException {
        var present = new BitSet();
        try (var connection = recovered.connect(DATABASE);
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT number FROM tidemark_sequence")) {
            while (rows.next()) {
                present.set(rows.getInt(1));
            }
            return present;
        } catch (SQLException e) {
            throw new QuickstartException("the recovered database refused: " + e.getMessage(), e);
        }
    }
}
