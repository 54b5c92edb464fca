package io.tidemark.system.ground;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A server of somebody else's that a test runs, up from its first answer; it ends with the test, also a killed one. */
final class ServerProcess {
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(60);
    private static final long ASK_EVERY_MILLIS = 20;
    /** Ports tried: that somebody takes one between the look and the start is rare, and three times over is no accident. */
    private static final int PORTS_MAXIMUM = 3;
    /** As the C library says {@code EADDRINUSE}, and every server here passes on. */
    private static final String TAKEN = "Address already in use";

    private final Process process;
    private final String name;
    private final Duration startTime;
    private final Watchdog.Undo undo;

    private ServerProcess(Process process, String name, Duration startTime, Watchdog.Undo undo) {
        this.process = process;
        this.name = name;
        this.startTime = startTime;
        this.undo = undo;
    }

    /** Fails as long as the server does not serve yet. */
    @FunctionalInterface
    interface Question {
        void ask() throws Exception;
    }

    /** Starts a server that listens on a port. */
    @FunctionalInterface
    interface Starting<T> {
        T at(int port) throws IOException;
    }

    /** The server found its port taken, and ended. */
    private static final class PortTaken extends IOException {
        private static final long serialVersionUID = 1;

        PortTaken(String message) {
            super(message);
        }
    }

    /**
     * On a port that nobody had a moment before; where somebody was faster, on another one.
     *
     * @param starting by {@link #start}
     * @throws IOException what it throws, of a taken port the third time
     */
    static <T> T onFreePort(Starting<T> starting) throws IOException {
        for (int tried = 1; ; tried++) {
            try {
                return starting.at(freePort());
            } catch (PortTaken e) {
                if (tried == PORTS_MAXIMUM) {
                    throw e;
                }
            }
        }
    }

    /**
     * @param name for people, and of its log
     * @param lastSignal tells it to end at once, with its children, should the test be killed: {@code QUIT}
     * @throws IOException with all that it said, where it ended, or did not answer within a minute
     */
    static ServerProcess start(String name, List<String> command, String lastSignal, Question question)
            throws IOException {
        var log = Files.createTempFile(name, ".log");
        long started = System.nanoTime();
        var process = new ProcessBuilder(command)
                .directory(Path.of("/").toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        var undo = Watchdog.get()
                .remember("kill -%s %d; sleep 1; kill -KILL %d; rm -f '%s'"
                        .formatted(lastSignal, process.pid(), process.pid(), log));
        try {
            while (!answers(question)) {
                boolean late = System.nanoTime() - started > START_LIMIT.toNanos();
                if (!process.isAlive() || late) {
                    process.destroyForcibly();
                    undo.close();
                    String said = Files.readString(log);
                    String failure = "server %s did not start: %s".formatted(name, said);
                    throw said.contains(TAKEN) ? new PortTaken(failure) : new IOException(failure);
                }
                TimeUnit.MILLISECONDS.sleep(ASK_EVERY_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
            throw new IOException("interrupted while %s started".formatted(name), e);
        } finally {
            Files.delete(log);
        }
        return new ServerProcess(process, name, Duration.ofNanos(System.nanoTime() - started), undo);
    }

    private static boolean answers(Question question) throws InterruptedException {
        try {
            question.ask();
            return true;
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            // Whatever the reason, it does not serve yet; what it said tells more.
            return false;
        }
    }

    /** For a program that must not run as root. */
    static List<String> asUser(String user, String... command) {
        var all = new ArrayList<>(
                List.of("setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "--reset-env"));
        all.addAll(List.of(command));
        return all;
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    long pid() {
        return process.pid();
    }

    /** From the start of the program to the first answer, recovery included. */
    Duration startTime() {
        return startTime;
    }

    /** Ends it, where it still runs, and awaits that. Does nothing the second time. */
    void stop(String signal) throws IOException {
        if (process.isAlive()) {
            Programs.run("kill", "-" + signal, Long.toString(process.pid()));
        }
        try {
            if (!process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new IOException("server %s did not stop within %s".formatted(name, STOP_LIMIT));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
        }
        undo.close();
    }
}
