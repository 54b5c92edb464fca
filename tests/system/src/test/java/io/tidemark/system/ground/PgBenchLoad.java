package io.tidemark.system.ground;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/** Clients of pgbench, in runs of a few seconds one after the other: only one that ends tells what its clients saw. */
public final class PgBenchLoad implements AutoCloseable {
    private static final int SCALE = 10;
    private static final int CLIENTS = 4;
    private static final int RUN_SECONDS = 5;
    private static final int END_LIMIT_SECONDS = 120;
    private static final Pattern TPS = Pattern.compile("(?m)^tps = ([0-9.]+)");
    private static final Pattern DONE = Pattern.compile("(?m)^number of transactions actually processed: ([0-9]+)");
    private static final Pattern FAILED = Pattern.compile("(?m)^number of failed transactions: ([0-9]+)");

    private final PostgresServer server;
    private final List<String> rate;
    private final long before;
    private final CompletableFuture<Long> processed = new CompletableFuture<>();
    private volatile boolean stopping;

    /** @param lost transactions that were acknowledged, and of which the database knows nothing */
    public record Done(long transactions, long lost) {}

    private PgBenchLoad(PostgresServer server, List<String> rate, long before) {
        this.server = server;
        this.rate = rate;
        this.before = before;
    }

    /** Makes pgbench's tables: 150 MB, less than stays in memory. */
    public static void fill(PostgresServer server) throws IOException, InterruptedException {
        var unused = run(server, "-i", "-q", "-s", Integer.toString(SCALE), "postgres");
    }

    /** The transactions a second that the server can do at most; its tables are filled. */
    public static double most(PostgresServer server, int seconds) throws IOException, InterruptedException {
        return number(TPS, run(server, words(List.of("-T", Integer.toString(seconds)))));
    }

    /** As many transactions as the server can do. */
    public static PgBenchLoad start(PostgresServer server) throws SQLException {
        return start(server, List.of());
    }

    public static PgBenchLoad start(PostgresServer server, double transactionsPerSecond) throws SQLException {
        return start(server, List.of("-R", String.format(Locale.ROOT, "%.1f", transactionsPerSecond)));
    }

    private static PgBenchLoad start(PostgresServer server, List<String> rate) throws SQLException {
        var load = new PgBenchLoad(server, rate, history(server));
        Thread.ofPlatform().name("pgbench-load").start(load::runUntilStopped);
        return load;
    }

    private void runUntilStopped() {
        try {
            long sum = 0;
            while (!stopping) {
                var words = new ArrayList<>(List.of("-T", Integer.toString(RUN_SECONDS)));
                words.addAll(rate);
                var said = run(server, words(words));
                if (number(FAILED, said) != 0) {
                    throw new IOException("clients of pgbench saw errors: " + said);
                }
                sum += (long) number(DONE, said);
            }
            processed.complete(sum);
        } catch (IOException | InterruptedException e) {
            processed.completeExceptionally(e);
        }
    }

    /** Each transaction of pgbench leaves a row in its history. */
    private static long history(PostgresServer server) throws SQLException {
        return server.number("SELECT count(*) FROM pgbench_history");
    }

    /** @throws IOException with what pgbench said, where a client saw an error */
    public Done stop() throws IOException, InterruptedException, SQLException {
        stopping = true;
        try {
            long transactions = processed.get(END_LIMIT_SECONDS, TimeUnit.SECONDS);
            return new Done(transactions, before + transactions - history(server));
        } catch (ExecutionException e) {
            throw new IOException("pgbench failed", e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("pgbench did not end within %d s".formatted(END_LIMIT_SECONDS), e);
        }
    }

    private static String[] words(List<String> more) {
        var all = new ArrayList<>(List.of("-n", "-c", Integer.toString(CLIENTS)));
        all.addAll(more);
        all.add("postgres");
        return all.toArray(String[]::new);
    }

    private static String run(PostgresServer server, String... arguments) throws IOException, InterruptedException {
        var process = server.pgbench(arguments).redirectErrorStream(true).start();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("pgbench ended with %d: %s".formatted(process.exitValue(), said));
        }
        return said;
    }

    private static double number(Pattern pattern, String said) throws IOException {
        var matcher = pattern.matcher(said);
        if (!matcher.find()) {
            throw new IOException("pgbench did not say %s: %s".formatted(pattern, said));
        }
        return Double.parseDouble(matcher.group(1));
    }

    @Override
    public void close() throws InterruptedException {
        stopping = true;
        try {
            var unused = processed.get(END_LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            // Told by stop(), or not of interest to whoever did not ask.
            return;
        }
    }
}
