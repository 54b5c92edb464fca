package io.tidemark.consistency.mongodb;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The service's side of a {@link KeeperProcess}. Owned by one thread at a time. */
final class LockKeeper implements AutoCloseable {
    /** What a Java runtime needs to start, on a busy host. */
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    /** What the keeper itself needs beside the server's answers, on a busy host. */
    private static final Duration GRACE = Duration.ofSeconds(5);
    /** Who stops the service by its group or session must not stop this. */
    private static final String UNSTOPPED = "trap '' HUP INT TERM; exec \"$@\"";

    private static final String ENDED = "ended";

    private final Process process;
    private final Duration answerLimit;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private boolean mayHaveLetGo;
    private boolean ended;

    private LockKeeper(Process process, Duration answerLimit) {
        this.process = process;
        this.answerLimit = answerLimit;
    }

    /** Starts it; {@link #awaitReady} tells when it has logged in. Passwords it reads itself, from their file. */
    static LockKeeper start(MongoDbSettings settings, Map<String, String> written) throws IOException {
        var builder = new ProcessBuilder(command())
                .redirectInput(Redirect.PIPE)
                .redirectError(Redirect.DISCARD)
                .directory(Path.of("/").toFile());
        builder.environment().clear();
        // Names of files are read in the locale's letters.
        builder.environment().put("LC_ALL", "C.UTF-8");
        builder.environment().put("PATH", System.getenv().getOrDefault("PATH", "/usr/bin:/bin"));
        var keeper = new LockKeeper(builder.start(), settings.answerLimit());
        Thread.ofVirtual().start(() -> keeper.listen(keeper.process.getInputStream()));
        var words = new StringBuilder();
        written.forEach((name, value) ->
                words.append("%s %s %s\n".formatted(KeeperProcess.SETTING, name, LockJournal.encode(value))));
        try {
            keeper.say(words + KeeperProcess.OPEN);
        } catch (IOException e) {
            keeper.close();
            throw e;
        }
        return keeper;
    }

    /**
     * A small one of ours: nothing of it is shared with the service. It maps no file but the runtime's and this
     * program's, which are never frozen: a file of measurements in the folder for temporary ones would be another.
     */
    private static List<String> command() {
        var command = new ArrayList<>(List.of(
                "setsid",
                "bash",
                "--norc",
                "-c",
                UNSTOPPED,
                "tidemark-keeper",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms16m",
                "-Xmx48m",
                "-Xss512k",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-XX:+DisableAttachMechanism",
                "-XX:ReservedCodeCacheSize=16m",
                "-Xshare:auto",
                "-Dlogback.configurationFile=io/tidemark/consistency/mongodb/keeper-logback.xml"));
        command.add("-cp");
        command.add(Arrays.stream(System.getProperty("java.class.path", "").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator)));
        command.add(KeeperProcess.class.getName());
        return command;
    }

    /** @return the name that the server it has reached gives itself */
    String awaitReady(Duration connectLimit) throws IOException {
        var answer = answer(START_LIMIT.plus(connectLimit).plus(answerLimit))
                .orElseThrow(() -> new IOException("the process that would unlock it does not start"));
        if (!answer.get(0).equals(KeeperProcess.READY)) {
            throw new IOException("the process that would unlock it is not ready: " + told(answer));
        }
        return answer.get(1);
    }

    /**
     * From now on it may be locked, until the limit at most.
     *
     * @return empty where it is locked; else why it is not known to be. It is unlocked then, now or once the server
     *     lets it
     */
    Optional<String> lock(Path entry, LockState before, Duration lockLimit, Duration limit) throws IOException {
        say(String.join(
                " ",
                KeeperProcess.LOCK,
                LockJournal.encode(entry.toString()),
                LockJournal.encode(before.process()),
                Long.toString(before.fsyncs()),
                Long.toString(before.unlocks()),
                Long.toString(lockLimit.toMillis()),
                Long.toString(limit.toMillis())));
        var answer = answer(lockLimit.plus(GRACE));
        return answer.isPresent() && answer.get().get(0).equals(KeeperProcess.LOCKED)
                ? Optional.empty()
                : Optional.of(answer.map(LockKeeper::told).orElse("the process that locks it does not answer"));
    }

    /** @param reason {@code asked} where it was locked until then */
    record Unlocked(String reason, String how) {}

    /** Empty where it does not tell that nothing is left locked by it. */
    Optional<Unlocked> unlock() {
        var limit = answerLimit.multipliedBy(2).plus(GRACE);
        try {
            say(KeeperProcess.UNLOCK);
        } catch (IOException e) {
            // It has ended, or unlocks already: what it says next tells.
            return awaitUnlocked(limit);
        }
        return awaitUnlocked(limit);
    }

    /** The same, of what it says until the limit. */
    Optional<Unlocked> awaitUnlocked(Duration limit) {
        long ends = System.nanoTime() + limit.toNanos();
        while (!ended) {
            var words = answer(Duration.ofNanos(ends - System.nanoTime()));
            if (words.isEmpty()) {
                return Optional.empty();
            }
            switch (words.get().get(0)) {
                case KeeperProcess.UNLOCKED -> {
                    return Optional.of(
                            new Unlocked(words.get().get(1), words.get().get(2)));
                }
                case KeeperProcess.UNLOCKING -> mayHaveLetGo = true;
                default -> {
                    // Why it could not lock or unlock, or that it has ended: then nothing more comes.
                }
            }
        }
        return Optional.empty();
    }

    /** Whether it may have told the server to let go, of all that it has said until now. */
    boolean mayHaveLetGo() {
        return mayHaveLetGo;
    }

    private static String told(List<String> answer) {
        return answer.size() > 1 ? answer.get(1) : "it has " + answer.get(0);
    }

    private Optional<List<String>> answer(Duration limit) {
        try {
            var line = lines.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
            ended |= ENDED.equals(line);
            return Optional.ofNullable(line)
                    .map(words -> Arrays.stream(words.split(" ", -1))
                            .map(LockJournal::decode)
                            .toList());
        } catch (InterruptedException e) {
            // As if it were silent: the caller unlocks by itself.
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private void say(String line) throws IOException {
        var out = process.getOutputStream();
        out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private void listen(InputStream stream) {
        try (var reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            // A few in a life, and one for each try to let go.
            for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(line);
            }
        } catch (IOException e) {
            lines.add(ENDED);
            return;
        }
        lines.add(ENDED);
    }

    /** Whether all that it has said was read, and it is gone, which is a little later. */
    boolean hasEnded() {
        return ended && waitFor(GRACE);
    }

    /** By a signal, or by a debugger: it does nothing by itself until it is continued. Source: proc_pid_stat(5). */
    boolean isStopped() {
        try {
            var stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
            // The name before may hold anything.
            var state = stat.substring(stat.lastIndexOf(')') + 1).strip();
            return state.startsWith("T") || state.startsWith("t");
        } catch (IOException e) {
            // It is gone.
            return false;
        }
    }

    /** Ends it at once: then it neither locks nor unlocks any more; what it has said until then counts. */
    Optional<Unlocked> kill() {
        process.destroyForcibly();
        var unused = waitFor(GRACE);
        return awaitUnlocked(GRACE);
    }

    private boolean waitFor(Duration limit) {
        try {
            return process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return !process.isAlive();
        }
    }

    /** What it holds it lets go, then it ends. */
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // It has ended: there is nothing to tell it.
            return;
        }
    }
}
