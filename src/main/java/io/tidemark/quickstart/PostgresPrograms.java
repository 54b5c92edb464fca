package io.tidemark.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The programs of one PostgreSQL installation.
 *
 * @param folder holds {@code postgres}, {@code initdb} and, in full installations, the checking programs
 */
record PostgresPrograms(Path folder, int major) {
    /** What the quiescer supports. */
    private static final int MAJOR_MINIMUM = 15;

    private static final int MAJOR_MAXIMUM = 18;

    /** The newest that Tidemark supports, as Debian and others lay them out. */
    static Optional<PostgresPrograms> find() {
        return Stream.of("/usr/lib/postgresql", "/usr/pgsql", "/opt/postgresql")
                .map(Path::of)
                .filter(Files::isDirectory)
                .flatMap(PostgresPrograms::versions)
                .filter(found -> found.major >= MAJOR_MINIMUM && found.major <= MAJOR_MAXIMUM)
                .filter(found -> Files.isExecutable(found.folder.resolve("postgres"))
                        && Files.isExecutable(found.folder.resolve("initdb")))
                .max(Comparator.comparingInt(PostgresPrograms::major));
    }

    private static Stream<PostgresPrograms> versions(Path base) {
        try (var entries = Files.list(base)) {
            return entries
                    .filter(entry -> entry.getFileName().toString().matches("[0-9]{1,3}"))
                    .map(entry -> new PostgresPrograms(
                            entry.resolve("bin"),
                            Integer.parseInt(entry.getFileName().toString())))
                    .toList()
                    .stream();
        } catch (IOException e) {
            return Stream.empty();
        }
    }

    /** Empty where this installation came without it. */
    Optional<String> optional(String program) {
        Path file = folder.resolve(program);
        return Files.isExecutable(file) ? Optional.of(file.toString()) : Optional.empty();
    }

    String required(String program) {
        return folder.resolve(program).toString();
    }

    List<String> command(String program, List<String> arguments) {
        return Stream.concat(Stream.of(required(program)), arguments.stream()).toList();
    }
}
