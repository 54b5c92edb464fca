package io.tidemark.system.ground;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/**
 * The programs of one PostgreSQL.
 *
 * @param folder holds {@code postgres} and {@code initdb}; Debian's holds the checking programs too
 */
public record PostgresBinaries(Path folder) {
    private static final Path INSTALLED = Path.of("/usr/lib/postgresql");

    /** Skips or fails, as {@link Ground#lacking}, where no server is installed. */
    static void requireInstalled() {
        if (!Files.isDirectory(INSTALLED)) {
            Ground.lacking("PostgreSQL is not installed: apt-get install postgresql");
        }
    }

    /** Debian's, the newest installed version. */
    public static PostgresBinaries installed() throws IOException {
        try (var versions = Files.list(INSTALLED)) {
            return new PostgresBinaries(versions.max(Comparator.comparing(
                            path -> Integer.parseInt(path.getFileName().toString())))
                    .orElseThrow(() -> new IOException("no PostgreSQL below " + INSTALLED))
                    .resolve("bin"));
        }
    }

    /**
     * The one of this version that the build fetched from Maven Central; it holds {@code postgres}, {@code initdb} and
     * {@code pg_ctl} alone.
     *
     * @param place where it is unpacked to; others must be able to enter
     */
    public static PostgresBinaries unpack(String version, Path place) throws IOException {
        Path fetched = Path.of(System.getProperty("tidemark.postgres.binaries", "target/postgres-binaries"), version);
        if (!Files.isDirectory(fetched)) {
            Ground.lacking("the build fetched no PostgreSQL %s to %s".formatted(version, fetched.toAbsolutePath()));
        }
        Path folder = Files.createDirectory(place.resolve("postgresql-" + version));
        try (var archives = Files.newDirectoryStream(fetched, "*.txz")) {
            for (var archive : archives) {
                Programs.run(
                        "tar", "-xJf", archive.toAbsolutePath().toString(), "--no-same-owner", "-C", folder.toString());
            }
        }
        return new PostgresBinaries(folder.resolve("bin"));
    }

    boolean has(String program) {
        return Files.isExecutable(folder.resolve(program));
    }

    String program(String name) {
        return folder.resolve(name).toString();
    }
}
