package io.tidemark.benchmark;

import io.tidemark.system.ground.PostgresServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/** pgbench at a rate, in runs of a few seconds one after the other: only one that ends tells what its clients saw. */
final class PgBenchLoad implements AutoCloseable {
    private static final int SCALE = 10;
    private static final int CLIENTS = 4;
    private static final int RUN_SECONDS = 10;
    private static final int END_LIMIT_SECONDS = 120;
    private static final Pattern TPS = Pattern.compile("(?m)^tps = ([0-9.]+)");
    private static final Pattern DONE = Pattern.compile("(?m)^number of transactions actually processed: ([0-9]+)");
    private static final Pattern FAILED = Pattern.compile("(?m)^number of failed transactions: ([0-9]+)");

    private final PostgresServer server;
    private final String rate;
    private final long before;
    private final CompletableFuture<Long> processed = new CompletableFuture<>();
    private volatile boolean stopping;

    /** @param lost transactions that were acknowledged, and of which the database knows nothing */
    record Done(long transactions, long lost) {}

    private PgBenchLoad(PostgresServer server, String rate, long before) {
        this.server = server;
        this.rate = rate;
        this.before = before;
    }

    /** Fills the tables, and gives the transactions a second that the server can do at most. */
    static double most(PostgresServer server, int seconds) throws IOException, InterruptedException {
        run(server, "-i", "-q", "-s", Integer.toString(SCALE), "postgres");
        return number(TPS, run(server, words("-T", Integer.toString(seconds))));
    }

    static PgBenchLoad start(PostgresServer server, double transactionsPerSecond) throws Exception {
        var load = new PgBenchLoad(server, String.format(Locale.ROOT, "%.1f", transactionsPerSecond), history(server));
        Thread.ofPlatform().name("pgbench-load").start(load::runUntilStopped);
        return load;
    }

    private void runUntilStopped() {
        try {
            long sum = 0;
            while (!stopping) {
                var said = run(server, words("-R", rate, "-T", Integer.toString(RUN_SECONDS)));
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
    private static long history(PostgresServer server) throws Exception {
        return server.number("SELECT count(*) FROM pgbench_history");
    }

    /** @throws IOException with what pgbench said, where a client saw an error */
    Done stop() throws Exception {
        stopping = true;
        try {
            long transactions = processed.get(END_LIMIT_SECONDS, TimeUnit.SECONDS);
            return new Done(transactions, before + transactions - history(server));
        } catch (ExecutionException e) {
            throw new IOException("pgbench failed", e.getCause());
        }
    }

    private static String[] words(String... more) {
        var all = new ArrayList<>(List.of("-n", "-c", Integer.toString(CLIENTS)));
        all.addAll(List.of(more));
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
