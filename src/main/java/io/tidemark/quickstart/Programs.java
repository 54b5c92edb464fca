package io.tidemark.quickstart;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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

    /** As {@link #find}, and before that in the folders of {@code PATH}: for what people install for themselves. */
    static Optional<Path> findOnPath(String program) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1))
                .filter(folder -> folder.startsWith("/"))
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst()
                .or(() -> find(program));
    }

    /** Runs to the end; returns what it printed, both streams. */
    String run(List<String> command) throws QuickstartException {
        return run(Optional.empty(), command);
    }

    /** @param as whom to run as; empty: as ourselves */
    String run(Optional<Account> as, List<String> command) throws QuickstartException {
        return run(as, command, RUN_LIMIT);
    }

    String run(Optional<Account> as, List<String> command, Duration limit) throws QuickstartException {
        Path output = demo.file("output-" + System.nanoTime());
        try {
            var process = start(as, command, output);
            boolean ended = process.waitFor(limit.toSeconds(), TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly();
            }
            String text = Files.readString(output, StandardCharsets.UTF_8).strip();
            if (!ended || process.exitValue() != 0) {
                String why = ended ? "exit " + process.exitValue() : "no end after %d s".formatted(limit.toSeconds());
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

        /** Whom a database may run as: its own user, or the one without any rights. */
        static Account ofDatabase() throws QuickstartException {
            return find(List.of("postgres", "nobody"))
                    .orElseThrow(() -> new QuickstartException("neither user postgres nor nobody exists here"));
        }

        /** Gives it the folder, closed to others. */
        Path own(Path folder) throws QuickstartException {
            try {
                Files.setAttribute(folder, "unix:uid", userId);
                Files.setAttribute(folder, "unix:gid", groupId);
                Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
                return folder;
            } catch (IOException e) {
                throw new QuickstartException(
                        "%s could not be given to %s: %s".formatted(folder, name, e.getMessage()), e);
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
