package io.tidemark.system.guard;

import io.tidemark.system.ground.Watchdog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A control group for memory whose limit is drawn close while a program in it takes all that it can get. */
final class TightMemory implements AutoCloseable {
    private static final Path ROOT = Path.of("/sys/fs/cgroup");
    private static final long ROOM_BYTES = 8L << 20;
    private static final int GROUP_FIELD = 2;
    private static final Duration EMPTY_WITHIN = Duration.ofSeconds(10);
    private static final Duration LOOK_EVERY = Duration.ofMillis(20);

    private final Path group;
    private final Path limit;
    private final Path usage;
    private final String none;
    private final Watchdog.Undo undo;
    private @Nullable Process hog;

    private TightMemory(Path group, String limit, String usage, String none) throws IOException {
        this.group = group;
        this.limit = group.resolve(limit);
        this.usage = group.resolve(usage);
        this.none = none;
        this.undo =
                Watchdog.get().remember("xargs -r kill -9 < %1$s/cgroup.procs; sleep 0.5; rmdir %1$s".formatted(group));
    }

    /** Empty where this host lets nobody make such a group. */
    static Optional<TightMemory> make() throws IOException {
        var name = "tidemark-guard-" + ProcessHandle.current().pid();
        for (var line : Files.readAllLines(Path.of("/proc/self/cgroup"))) {
            var fields = line.split(":", GROUP_FIELD + 1);
            boolean second = fields[0].equals("0");
            if (!second && !fields[1].equals("memory")) {
                continue;
            }
            var parent = (second ? ROOT : ROOT.resolve("memory")).resolve(fields[GROUP_FIELD].substring(1));
            var group = parent.resolve(name);
            if (!Files.isWritable(parent)) {
                continue;
            }
            Files.createDirectory(group);
            var made = second
                    ? new TightMemory(group, "memory.max", "memory.current", "max")
                    : new TightMemory(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "-1");
            if (Files.exists(made.limit)) {
                return Optional.of(made);
            }
            made.close();
        }
        return Optional.empty();
    }

    void add(ProcessHandle process) throws IOException {
        Files.writeString(group.resolve("cgroup.procs"), Long.toString(process.pid()));
    }

    /** @param hogFirst whether the program that takes all is also the first to be killed for it */
    void squeeze(boolean hogFirst) throws IOException {
        Files.writeString(
                limit, Long.toString(Long.parseLong(Files.readString(usage).strip()) + ROOM_BYTES));
        hog = new ProcessBuilder(
                        "sh",
                        "-c",
                        "echo %d > /proc/self/oom_score_adj; echo $$ > %s && exec tail /dev/zero"
                                .formatted(hogFirst ? 1000 : 0, group.resolve("cgroup.procs")))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    void relax() throws IOException {
        if (Files.exists(limit)) {
            Files.writeString(limit, none);
        }
        if (hog != null) {
            hog.destroyForcibly();
            try {
                hog.waitFor(10, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            hog = null;
        }
    }

    /** The processes in it have been told to end; until the last one has, the group cannot be removed. */
    private void removeOnceEmpty() throws IOException {
        long deadline = System.nanoTime() + EMPTY_WITHIN.toNanos();
        while (true) {
            try {
                Files.deleteIfExists(group);
                return;
            } catch (IOException e) {
                if (System.nanoTime() - deadline >= 0) {
                    throw e;
                }
            }
            LockSupport.parkNanos(LOOK_EVERY.toNanos());
        }
    }

    @Override
    public void close() throws IOException {
        relax();
        removeOnceEmpty();
        undo.close();
    }
}
