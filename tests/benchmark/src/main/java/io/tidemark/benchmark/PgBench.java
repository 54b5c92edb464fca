package io.tidemark.benchmark;

import io.tidemark.system.ground.Watchdog;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A PostgreSQL server of its own, on a socket in its folder, and {@code pgbench} against it. */
final class PgBench implements AutoCloseable {
    private static final String ACCOUNT = "postgres";
    private static final Pattern TPS = Pattern.compile("(?m)^tps = ([0-9.]+)");
    /** 160 MB: more than is changed in a run, little enough to stay in memory. */
    private static final int SCALE = 10;

    private static final int CLIENTS = 4;
    private static final int LIMIT_MINUTES = 5;

    private final Path folder;
    private final Path programs;

    private PgBench(Path folder, Path programs) {
        this.folder = folder;
        this.programs = programs;
    }

    /** @throws Skipped without root or PostgreSQL */
    static PgBench start(BenchRun run) throws IOException, InterruptedException, Skipped {
        if (!System.getProperty("user.name").equals("root")) {
            throw new Skipped("PostgreSQL is started as its own account, which needs root");
        }
        // Beside the scratch folder, which only root may enter.
        var folder = Files.createTempDirectory(run.scratch().toAbsolutePath().getParent(), "tidemark-pgbench-");
        var server = new PgBench(folder, programs());
        run.undo().add(server::close);
        // Never forgotten: once the server has stopped and its folder is gone, it does nothing.
        var unused = Watchdog.get()
                .remember("kill -QUIT $(head -1 '%1$s/postmaster.pid'); sleep 1; rm -rf --one-file-system '%2$s'"
                        .formatted(server.data(), folder));
        server.call(List.of("chown", ACCOUNT, folder.toString()));
        server.asAccount("initdb", "-D", server.data(), "-A", "trust", "--no-instructions");
        server.asAccount(
                "pg_ctl",
                "-D",
                server.data(),
                "-w",
                "-l",
                folder.resolve("log").toString(),
                "-o",
                "-c listen_addresses= -c unix_socket_directories=" + folder,
                "start");
        server.asAccount("pgbench", "-h", folder.toString(), "-i", "-q", "-s", Integer.toString(SCALE), ACCOUNT);
        return server;
    }

    private static Path programs() throws IOException, Skipped {
        var installed = Path.of("/usr/lib/postgresql");
        if (Files.isDirectory(installed)) {
            try (var versions = Files.list(installed)) {
                var newest = versions.map(version -> version.resolve("bin"))
                        .filter(bin -> Files.isExecutable(bin.resolve("initdb")) && hasPgBench(bin))
                        .max(Comparator.comparing(Path::toString));
                if (newest.isPresent()) {
                    return newest.get();
                }
            }
        }
        throw new Skipped("PostgreSQL with pgbench is missing: apt-get install postgresql");
    }

    private static boolean hasPgBench(Path bin) {
        return Files.isExecutable(bin.resolve("pgbench"));
    }

    private String data() {
        return folder.resolve("data").toString();
    }

    /** Transactions a second of a run of so many seconds. */
    double transactionsPerSecond(int seconds) throws IOException, InterruptedException {
        var output = asAccount(
                "pgbench",
                "-h",
                folder.toString(),
                "-n",
                "-c",
                Integer.toString(CLIENTS),
                "-T",
                Integer.toString(seconds),
                ACCOUNT);
        var matcher = TPS.matcher(output);
        if (!matcher.find()) {
            throw new IOException("pgbench says no tps: " + output);
        }
        return Double.parseDouble(matcher.group(1));
    }

    private String asAccount(String program, String... arguments) throws IOException, InterruptedException {
        var words = new ArrayList<>(List.of(
                "runuser", "-u", ACCOUNT, "--", programs.resolve(program).toString()));
        words.addAll(List.of(arguments));
        return call(words);
    }

    private String call(List<String> words) throws IOException, InterruptedException {
        var output = Files.createTempFile("tidemark-pgbench-", ".output");
        try {
            var process = new ProcessBuilder(words)
                    .directory(Path.of("/").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            boolean ended = process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES);
            if (!ended) {
                process.destroyForcibly();
            }
            var text = Files.readString(output, StandardCharsets.UTF_8);
            if (!ended || process.exitValue() != 0) {
                throw new IOException("%s failed: %s".formatted(String.join(" ", words), text));
            }
            return text;
        } finally {
            Files.deleteIfExists(output);
        }
    }

    @Override
    public void close() {
        try {
            if (Files.exists(folder.resolve("data").resolve("postmaster.pid"))) {
                asAccount("pg_ctl", "-D", data(), "-m", "immediate", "-w", "stop");
            }
            if (Files.exists(folder)) {
                Tool.of("rm", "coreutils").run("-r", folder);
            }
        } catch (IOException | Skipped e) {
            System.err.println("%s is left: %s".formatted(folder, e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
