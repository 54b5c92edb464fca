package io.tidemark.system.hosts;

import io.tidemark.domain.Moment;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.TidemarkProgram;
import io.tidemark.system.ground.Watchdog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A controller or an agent, in a process of its own, perhaps in a network namespace. */
final class Node implements AutoCloseable {
    private static final long STOP_SECONDS = 40;
    /** Of the way to the moment, and of what tells the test that it is reached. */
    private static final Duration HELD_LIMIT = Duration.ofSeconds(30);

    private static final String HELD = "halt.held";

    private final Path folder;
    private final List<String> enter;
    private @Nullable Process process;
    private Watchdog.@Nullable Undo undo;

    /**
     * @param configuration in YAML; {@code state.folder} is the node's own
     * @param enter what runs a command where the node is
     */
    Node(Path folder, String configuration, List<String> enter) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.enter = enter;
        Files.writeString(folder.resolve("node.yaml"), "state: {folder: %s}\n%s".formatted(state(), configuration));
    }

    Path state() {
        return folder.resolve("state");
    }

    private List<String> command(String... arguments) throws IOException {
        var command = new ArrayList<>(enter);
        command.addAll(TidemarkProgram.command(folder.resolve("halt"), List.of("-Xmx256m"), arguments));
        command.addAll(List.of("--config", folder.resolve("node.yaml").toString()));
        return command;
    }

    /** To its end, which must be a good one. */
    void run(String... arguments) throws IOException, InterruptedException {
        var one = started(command(arguments));
        if (!one.waitFor(STOP_SECONDS, TimeUnit.SECONDS) || one.exitValue() != 0) {
            one.destroyForcibly();
            throw new IOException("%s did not end well:%n%s".formatted(List.of(arguments), log()));
        }
    }

    void start(String role) throws IOException {
        Files.deleteIfExists(state().resolve("endpoints.json"));
        var begun = started(command(role));
        process = begun;
        forget();
        undo = Watchdog.get()
                .remember("kill -9 %1$d; for n in {1..100}; do [[ -e /proc/%1$d ]] || break; sleep 0.05; done"
                        .formatted(begun.pid()));
    }

    private Process started(List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
    }

    /** It ends itself when it reaches the moment next. */
    void dieAt(Moment moment) throws IOException {
        tell(moment + ":1");
    }

    /** It waits when it reaches the moment next, until {@link #goOn}. */
    void holdAt(Moment moment) throws IOException {
        tell(moment + ":1:hold");
    }

    private void tell(String what) throws IOException {
        Path written = folder.resolve("halt.new");
        Files.writeString(written, what);
        Files.move(written, folder.resolve("halt"), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Returns once it waits at the moment. */
    void awaitHeld() throws IOException, InterruptedException {
        long until = System.nanoTime() + HELD_LIMIT.toNanos();
        while (!Files.exists(folder.resolve(HELD))) {
            if (System.nanoTime() > until) {
                throw new IOException("the moment was not reached within %s:%n%s".formatted(HELD_LIMIT, log()));
            }
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    /** From the moment at which it waits, or is to wait. */
    void goOn() throws IOException {
        Files.deleteIfExists(folder.resolve("halt"));
        Files.deleteIfExists(folder.resolve(HELD));
    }

    /** SIGSTOP: it does nothing any more, and nobody is told. */
    void stop() throws IOException {
        signal("STOP");
    }

    /** SIGCONT. */
    void wake() throws IOException {
        signal("CONT");
    }

    private void signal(String name) throws IOException {
        var running = process;
        if (running != null && running.isAlive()) {
            Programs.run("kill", "-" + name, Long.toString(running.pid()));
        }
    }

    /** SIGKILL, now. */
    void kill() throws InterruptedException {
        var running = process;
        if (running != null) {
            running.destroyForcibly().waitFor();
        }
    }

    String log() throws IOException {
        Path log = folder.resolve("log");
        return Files.exists(log) ? Files.readString(log) : "";
    }

    private void forget() throws IOException {
        var remembered = undo;
        if (remembered != null) {
            remembered.close();
            undo = null;
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        var running = process;
        if (running != null && running.isAlive()) {
            running.destroy();
            if (!running.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                running.destroyForcibly().waitFor();
            }
        }
        forget();
    }
}
