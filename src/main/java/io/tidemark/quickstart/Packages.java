package io.tidemark.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Sees to it that the programs the demo needs are there; installs them on Debian as root, naming them first. */
final class Packages {
    private static final Duration INSTALL_LIMIT = Duration.ofMinutes(10);

    private final Narrator narrator;
    private final boolean mayInstall;

    Packages(Narrator narrator, boolean mayInstall) {
        this.narrator = narrator;
        this.mayInstall = mayInstall;
    }

    /**
     * @param ownDatabase whether a PostgreSQL is to be installed where none is; one that cannot be is told, not refused,
     *     as Maven Central has one too
     * @throws QuickstartException when something else is missing and may or can not be installed: with the line to run
     */
    void need(boolean ownDatabase) throws QuickstartException {
        if (ownDatabase && PostgresPrograms.find().isEmpty()) {
            try {
                install(Stream.concat(missing().stream(), Stream.of("postgresql"))
                        .toList());
            } catch (QuickstartException e) {
                narrator.say("PostgreSQL is not installed here and will be fetched: %s", e.reason());
            }
        }
        List<String> missing = new ArrayList<>(missing());
        if (!ownDatabase || PostgresPrograms.find().isEmpty()) {
            missing.addAll(missingToFetch());
        }
        if (!missing.isEmpty()) {
            install(missing);
        }
    }

    private void install(List<String> missing) throws QuickstartException {
        String line = "apt-get install -y --no-install-recommends " + String.join(" ", missing);
        if (!Files.isReadable(Path.of("/etc/debian_version"))) {
            throw new QuickstartException(
                    "missing here (names of Debian's packages): " + String.join(" ", missing),
                    "install what this system calls them; on Debian: " + line);
        }
        if (!mayInstall) {
            throw new QuickstartException("missing: " + String.join(" ", missing), "run: " + line);
        }
        narrator.step("Installing " + String.join(" ", missing));
        run(List.of("apt-get", "update", "-qq"));
        run(List.of(line.split(" ")));
    }

    private static List<String> missing() {
        List<String> missing = new ArrayList<>();
        if (Programs.find("losetup").isEmpty() || Programs.find("mount").isEmpty()) {
            missing.add("mount");
        }
        if (Programs.find("setsid").isEmpty() || Programs.find("setpriv").isEmpty()) {
            missing.add("util-linux");
        }
        if (Programs.find("mkfs.ext4").isEmpty()) {
            missing.add("e2fsprogs");
        }
        if (Programs.find("mkfs.btrfs").isEmpty()) {
            missing.add("btrfs-progs");
        }
        return missing;
    }

    /** What fetching and unpacking a PostgreSQL takes. */
    private static List<String> missingToFetch() {
        List<String> missing = new ArrayList<>();
        if (Programs.findOnPath("mvn").isEmpty()) {
            missing.add("maven");
        }
        if (Programs.find("xz").isEmpty()) {
            missing.add("xz-utils");
        }
        return missing;
    }

    private static void run(List<String> command) throws QuickstartException {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("DEBIAN_FRONTEND", "noninteractive");
        try {
            Path output = Files.createTempFile("tidemark-apt", ".log");
            try {
                var process = builder.redirectOutput(output.toFile()).start();
                if (!process.waitFor(INSTALL_LIMIT.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
                    process.destroy();
                    throw new QuickstartException("%s failed: %s"
                            .formatted(String.join(" ", command), Programs.lastLines(Files.readString(output))));
                }
            } finally {
                Files.delete(output);
            }
        } catch (IOException e) {
            throw new QuickstartException("apt-get could not be run: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QuickstartException("interrupted", e);
        }
    }
}
