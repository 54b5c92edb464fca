package io.tidemark.quickstart;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs other programs for the demo: no shell, marked with the demo's folder, each in a session of its own. */
final class Programs {
    /** Formatting and filling a database take seconds; what takes this long hangs. */
    private static final Duration RUN_LIMIT = Duration.ofMinutes(2);

    private static final List<Path> FOLDERS = Stream.of(
                    "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin")
            .map(Path::of)
            .toList();
    private static final int SHOWN_LINES = 6;

    private final DemoFolder demo;
    private final Cleanup cleanup;

    Programs(DemoFolder demo, Cleanup cleanup) {
        this.demo = demo;
        this.cleanup = cleanup;
    }

    static Optional<Path> find(String program) {
        return FOLDERS.stream()
                .map(folder -> folder.resolve(program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Runs to the end; returns what it printed, both streams. */
    String run(List<String> command) throws QuickstartException {
        return run(Optional.empty(), command);
    }

    /** @param as whom to run as; empty: as ourselves */
    String run(Optional<Account> as, List<String> command) throws QuickstartException {
        Path output = demo.file("output-" + System.nanoTime());
        try {
            var process = start(as, command, output);
            boolean ended = process.waitFor(RUN_LIMIT.toSeconds(), TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly();
            }
            String text = Files.readString(output, StandardCharsets.UTF_8).strip();
            if (!ended || process.exitValue() != 0) {
                String why =
                        ended ? "exit " + process.exitValue() : "no end after %d s".formatted(RUN_LIMIT.toSeconds());
                throw new QuickstartException("%s failed (%s): %s"
                        .formatted(Path.of(command.getFirst()).getFileName(), why, lastLines(text)));
            }
            return text;
        } catch (IOException e) {
            throw new QuickstartException("%s could not be run: %s".formatted(command.getFirst(), e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QuickstartException("interrupted", e);
        } finally {
            output.toFile().delete();
        }
    }

    /** Starts and goes on. What it prints goes to the file. */
    Process start(Optional<Account> as, List<String> command, Path output) throws QuickstartException {
        List<String> whole = new ArrayList<>();
        // Away from the terminal: its Ctrl-C is ours to answer, in our order.
        find("setsid").ifPresent(setsid -> whole.add(setsid.toString()));
        as.ifPresent(account -> whole.addAll(account.prefix()));
        whole.addAll(command);
        var builder = new ProcessBuilder(whole)
                .directory(demo.path().toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().put(DemoFolder.ENVIRONMENT, demo.path().toString());
        builder.environment().put("LC_ALL", "C.UTF-8");
        builder.environment().put("TZ", "UTC");
        return cleanup.unlessEnding(() -> {
            try {
                return builder.start();
            } catch (IOException e) {
                throw new QuickstartException(
                        "%s could not be started: %s".formatted(command.getFirst(), e.getMessage()), e);
            }
        });
    }

    static String lastLines(String text) {
        var lines = text.lines().toList();
        return String.join("\n  ", lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size()));
    }

    /** Another user of this host, to give up root's rights to. */
    record Account(String name, int userId, int groupId) {

        /** From {@code /etc/passwd}: the first of the names that exists. */
        static Optional<Account> find(List<String> names) throws QuickstartException {
            try {
                var lines = Files.readAllLines(Path.of("/etc/passwd"));
                return names.stream()
                        .flatMap(name -> lines.stream().filter(line -> line.startsWith(name + ":")))
                        .map(line -> line.split(":", -1))
                        .map(field -> new Account(field[0], Integer.parseInt(field[2]), Integer.parseInt(field[3])))
                        .findFirst();
            } catch (IOException e) {
                throw new QuickstartException("/etc/passwd cannot be read: " + e.getMessage(), e);
            }
        }

        List<String> prefix() {
            return List.of(
                    Programs.find("setpriv").map(Path::toString).orElse("setpriv"),
                    "--reuid=" + userId,
                    "--regid=" + groupId,
                    "--clear-groups",
                    "--");
        }
    }
}
