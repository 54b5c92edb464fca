package io.tidemark.benchmark;

import io.tidemark.system.ground.Watchdog;
import io.tidemark.system.kill.RunningSite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * A writable export of a running site beside {@code nbdkit file}: the same file, each over a unix socket, by turns. Where
 * others load the machine the rates of both fall and their ratio strays; processor time of the server for a request stays.
 */
final class ExportsBench implements Bench {
    private static final String VOLUME = "image:bench";
    private static final String PEER = "nbdkit file";
    private static final long SIZE_BYTES = 1L << 30;
    private static final Path MEMORY = Path.of("/dev/shm");

    /** Long enough for a rate, short enough that both of a pair meet the same machine. */
    private static final int SECONDS = 2;

    private static final int LISTEN_SECONDS = 10;

    private static final List<Work> WORKS = List.of(
            new Work("4 KiB random write, depth 32", "randwrite", "4k", 32, 1.2),
            new Work("4 KiB random read, depth 32", "randread", "4k", 32, 1.3),
            new Work("1 MiB sequential write, depth 8", "write", "1m", 8, 1.3),
            new Work("1 MiB sequential read, depth 8", "read", "1m", 8, 1.3),
            new Work("4 KiB random write, depth 1", "randwrite", "4k", 1, 1.0));

    /** What fio is to do, and the ratio to be reached. */
    private record Work(String name, String kind, String block, int depth, double goal) {
        Fio.Work ofFio() {
            return new Fio.Work(kind, block, depth, SIZE_BYTES);
        }
    }

    /** A server's process, and where it is. */
    private record Server(long pid, String uri) {}

    /** Of one run of fio. */
    private record Took(double perSecond, double serverMicros) {}

    @Override
    public String name() {
        return "exports";
    }

    @Override
    public String description() {
        return "fio on an export of a running site, beside nbdkit file on the same file; in memory unless --folder is given";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        try {
            var fio = Fio.found();
            var nbdkit = Tool.of("nbdkit", "nbdkit");
            if (run.folder().isEmpty() && Files.isDirectory(MEMORY)) {
                try (var inMemory = BenchRun.open(run.rounds(), run.sizeBytes(), run.seconds(), Optional.of(MEMORY))) {
                    return measure(inMemory, fio, nbdkit);
                }
            }
            return measure(run, fio, nbdkit);
        } catch (Skipped e) {
            return WORKS.stream()
                    .map(work -> Measure.skipped(work.name(), PEER, e.reason()))
                    .toList();
        }
    }

    private static List<Measure> measure(BenchRun run, Fio fio, Tool nbdkit) throws Exception {
        run.needs(SIZE_BYTES);
        var volumes = run.scratch().resolve("volumes");
        // The heap that a site has by itself on a small host; compiled as the launcher's is, not as tests' are.
        var options = List.of("-Xmx256m", "-XX:TieredStopAtLevel=4");
        try (var site = new RunningSite("bench", run.scratch().resolve("site"), volumes, options)) {
            site.start();
            site.client().post("/v1/volumes", Map.of("id", VOLUME, "sizeBytes", SIZE_BYTES));
            var file = onlyFile(volumes);
            fill(run, file);
            var made = site.client().post("/v1/exports", Map.of("source", VOLUME, "access", "WRITABLE"));
            var uri = made.at("items").items().getFirst().at("uri").text();
            try (var peer = new Peer(nbdkit, run.scratch().resolve("peer.sock"), file)) {
                return measures(run, fio, new Server(site.pid(), uri), peer.server());
            }
        }
    }

    private static Path onlyFile(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            var found = files.filter(Files::isRegularFile)
                    .filter(file -> file.toFile().length() == SIZE_BYTES)
                    .toList();
            if (found.size() != 1) {
                throw new IOException("%d files of %d bytes in %s".formatted(found.size(), SIZE_BYTES, folder));
            }
            return found.getFirst();
        }
    }

    private static void fill(BenchRun run, Path file) throws IOException, InterruptedException {
        var content = run.image("content", SIZE_BYTES, 1);
        try {
            new Tool(List.of("dd")).run("if=" + content, "of=" + file, "bs=4M", "conv=notrunc,fsync");
        } finally {
            Files.delete(content);
        }
    }

    private static List<Measure> measures(BenchRun run, Fio fio, Server ours, Server peer) throws Exception {
        var measures = new ArrayList<Measure>();
        for (var work : WORKS) {
            // Untimed: ours is compiled then, and both have all buffers they use.
            took(fio, work, ours);
            took(fio, work, peer);
            var we = new ArrayList<Took>();
            var they = new ArrayList<Took>();
            for (int round = 0; round < run.rounds(); round++) {
                we.add(took(fio, work, ours));
                they.add(took(fio, work, peer));
            }
            double ourRate = median(we, Took::perSecond);
            double peerRate = median(they, Took::perSecond);
            measures.add(Measure.rate(work.name(), ourRate, "/s", PEER, peerRate, work.goal()));
            measures.add(Measure.reported(
                    "  processor time of the server",
                    median(we, Took::serverMicros),
                    "us",
                    PEER,
                    median(they, Took::serverMicros)));
        }
        return List.copyOf(measures);
    }

    private static double median(List<Took> rounds, ToDoubleFunction<Took> figure) {
        return BenchRun.median(rounds.stream().mapToDouble(figure).toArray());
    }

    private static Took took(Fio fio, Work work, Server server) throws IOException, InterruptedException {
        double before = ProcessTime.micros(server.pid());
        var took = fio.onExport(server.uri(), work.ofFio(), SECONDS);
        double spent = ProcessTime.micros(server.pid()) - before;
        return new Took(took.perSecond(), spent / Math.max(1, took.requests()));
    }

    /** nbdkit on a file, as its manual has it, with its own number of threads. */
    private static final class Peer implements AutoCloseable {
        private final Process process;
        private final Path socket;
        private final Watchdog.Undo undo;

        Peer(Tool nbdkit, Path socket, Path file) throws IOException, InterruptedException {
            this.socket = socket;
            var words = new ArrayList<>(nbdkit.command());
            words.addAll(List.of("--foreground", "--unix", socket.toString(), "file", file.toString()));
            process = new ProcessBuilder(words).inheritIO().start();
            undo = Watchdog.get().remember("kill %d".formatted(process.pid()));
            for (int waited = 0; !Files.exists(socket); waited++) {
                if (waited > LISTEN_SECONDS * 100 || !process.isAlive()) {
                    close();
                    throw new IOException("nbdkit does not listen at %s".formatted(socket));
                }
                TimeUnit.MILLISECONDS.sleep(10);
            }
        }

        Server server() {
            return new Server(process.pid(), "nbd+unix:///?socket=" + socket);
        }

        @Override
        public void close() throws IOException, InterruptedException {
            process.destroy();
            process.waitFor();
            undo.close();
        }
    }
}
