package io.tidemark.quickstart;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Sees to it that nothing is left behind: a small shell process waits at a pipe from us and cleans up at its end, which
 * comes when we are done, when we fail, on Ctrl-C, and on kill -9. There is one way to clean up, so every run tests it.
 */
final class Cleanup implements AutoCloseable {
    private static final String SCRIPT = "/quickstart/watchdog.sh";
    /** Graceful stops, forced stops and unmounting, each with its own limit in the script, stay below. */
    private static final Duration END_LIMIT = Duration.ofMinutes(1);

    private final ReentrantLock lock = new ReentrantLock();
    private final List<AutoCloseable> own = new ArrayList<>();
    private final Process watchdog;
    private boolean ended;
    private boolean clean;

    private Cleanup(Process watchdog) {
        this.watchdog = watchdog;
    }

    /** Something that can be done, or not. */
    interface Action<T> {
        T run() throws QuickstartException;
    }

    static Cleanup of(DemoFolder demo) throws QuickstartException {
        try (InputStream script = Cleanup.class.getResourceAsStream(SCRIPT)) {
            if (script == null) {
                throw new AssertionError(SCRIPT + " is not in the jar");
            }
            List<String> command = new ArrayList<>();
            Programs.find("setsid").ifPresent(setsid -> command.add(setsid.toString()));
            command.addAll(List.of("/bin/sh", "-c", new String(script.readAllBytes(), StandardCharsets.UTF_8)));
            var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
            builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).directory(new java.io.File("/"));
            builder.environment().remove(DemoFolder.ENVIRONMENT);
            var cleanup = new Cleanup(builder.start());
            cleanup.tell(demo.path().toString());
            return cleanup;
        } catch (IOException e) {
            throw new QuickstartException("the process that cleans up could not be started: " + e.getMessage(), e);
        }
    }

    /** For what lives in this process; closed first, newest first. */
    void add(AutoCloseable resource) throws QuickstartException {
        unlessEnding(() -> own.add(resource));
    }

    /** Does what leaves something behind; not begun once cleaning up has, and cleaning up waits for its end. */
    <T> T unlessEnding(Action<T> action) throws QuickstartException {
        lock.lock();
        try {
            if (ended) {
                throw new QuickstartException("stopped");
            }
            return action.run();
        } finally {
            lock.unlock();
        }
    }

    /** Leaves sites, mounts and files as they are when this is closed. */
    void keepEverything() throws QuickstartException {
        unlessEnding(() -> {
            try {
                tell("keep");
                return true;
            } catch (IOException e) {
                throw new QuickstartException("the process that cleans up is gone: " + e.getMessage(), e);
            }
        });
    }

    private void tell(String line) throws IOException {
        OutputStream to = watchdog.getOutputStream();
        to.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        to.flush();
    }

    /** Cleans up once; whoever calls later waits for that. */
    boolean end() {
        lock.lock();
        try {
            if (!ended) {
                ended = true;
                own.reversed().forEach(Cleanup::closeQuietly);
                clean = awaitWatchdog();
            }
            return clean;
        } finally {
            lock.unlock();
        }
    }

    /** What lives in this process ends with it; a failure to close it changes nothing for what is left behind. */
    private static void closeQuietly(AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception e) {
            System.err.println(
                    "tidemark: " + Optional.ofNullable(e.getMessage()).orElse(e.toString()));
        }
    }

    private boolean awaitWatchdog() {
        try {
            watchdog.getOutputStream().close();
            return watchdog.waitFor(END_LIMIT.toSeconds(), TimeUnit.SECONDS) && watchdog.exitValue() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        end();
    }
}
