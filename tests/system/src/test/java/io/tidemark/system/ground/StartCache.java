package io.tidemark.system.ground;

import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Classes of the program as the JVM had them in memory once a site was up (JEP 514): a start takes 2.2 s of processor time
 * in place of 3.9, and the tests start some hundred sites. The JVM sees for itself whether the cache fits the class path,
 * and does without where it does not.
 */
final class StartCache {
    private static final Duration TRAINING_LIMIT = Duration.ofMinutes(2);
    private static final long LOOK_EVERY_MILLIS = 20;
    private static Optional<StartCache> ofThisRun = Optional.empty();

    private final Optional<Path> file;
    private final String classPath;

    private StartCache(Optional<Path> file, String classPath) {
        this.file = file;
        this.classPath = classPath;
    }

    /** Made, where it is not there or older than what it holds, by the first who asks; others wait meanwhile. */
    static synchronized StartCache get() throws IOException {
        if (ofThisRun.isEmpty()) {
            ofThisRun = Optional.of(make());
        }
        return ofThisRun.get();
    }

    static StartCache none() {
        return new StartCache(Optional.empty(), System.getProperty("java.class.path"));
    }

    /** The program's: without the tests, where a cache could not hold them. */
    String classPath() {
        return classPath;
    }

    List<String> options() {
        return file.map(cache -> List.of("-XX:AOTCache=" + cache, "-Xlog:disable", "-Xlog:all=off:stderr"))
                .orElse(List.of());
    }

    private static StartCache make() throws IOException {
        var target = Ground.repository().resolve("tests/system/target");
        var program = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .map(Path::of)
                .filter(entry -> Files.exists(entry) && !entry.startsWith(target))
                .toList();
        // A cache holds classes of archives alone; in the lab's guest making one takes a minute.
        if (System.getenv("TIDEMARK_LAB") != null || program.stream().anyMatch(Files::isDirectory)) {
            return none();
        }
        var classPath = String.join(
                File.pathSeparator, program.stream().map(Path::toString).toList());
        var file = Files.createDirectories(target).resolve("site.aot");
        try (var channel = FileChannel.open(
                        target.resolve("site.aot.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var lock = channel.lock()) {
            if (lock.isValid() && !isFresh(file, program)) {
                train(file, classPath);
            }
        }
        return new StartCache(Optional.of(file).filter(Files::exists), classPath);
    }

    private static boolean isFresh(Path file, List<Path> archives) throws IOException {
        if (Files.notExists(file)) {
            return false;
        }
        var made = Files.getLastModifiedTime(file);
        for (var archive : archives) {
            if (Files.getLastModifiedTime(archive).compareTo(made) >= 0) {
                return false;
            }
        }
        return true;
    }

    /** Starts a site that has nothing to do, and ends it; its JVM then writes the cache. */
    private static void train(Path file, String classPath) throws IOException {
        Files.deleteIfExists(file);
        try (var ground = Ground.open()) {
            var state = ground.folder().resolve("state");
            var volumes = Files.createDirectory(ground.folder().resolve("volumes"));
            var made = ground.folder().resolve("site.aot");
            var configuration = Files.writeString(ground.folder().resolve("site.yaml"), """
                    site: {name: training}
                    state: {folder: %s}
                    http: {host: 127.0.0.1, port: 0}
                    replication: {host: 127.0.0.1, port: 0}
                    providers: {image: {folders: [%s]}}
                    """.formatted(state, volumes));
            var log = ground.folder().resolve("log");
            var process = new ProcessBuilder(TidemarkProgram.javaOn(
                            List.of("-XX:AOTCacheOutput=" + made, "-Xmx256m"),
                            classPath,
                            TidemarkProgram.MAIN,
                            "standalone",
                            "--config",
                            configuration.toString()))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            try (var undo = Watchdog.get().remember("kill -9 " + process.pid())) {
                if (ends(process, state.resolve("endpoints.json")) && Files.exists(made)) {
                    // From another file system a move is a copy, and a kill would leave a part of it for a cache.
                    var whole = file.resolveSibling(file.getFileName() + ".new");
                    Files.copy(made, whole, StandardCopyOption.REPLACE_EXISTING);
                    Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE);
                } else {
                    System.err.println(
                            "sites start slowly, for there is no cache of their classes: " + Files.readString(log));
                }
            } finally {
                process.destroyForcibly();
            }
        }
    }

    /** @return whether it was up and has ended when it was asked to */
    private static boolean ends(Process process, Path up) throws IOException {
        long until = System.nanoTime() + TRAINING_LIMIT.toNanos();
        try {
            while (Files.notExists(up) && process.isAlive() && System.nanoTime() < until) {
                TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
            }
            process.destroy();
            return process.waitFor(TRAINING_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a site was started to learn from", e);
        }
    }
}
