package io.tidemark.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.regex.Pattern;

/**
 * Where everything of one quickstart lies. Its name is unique, and every process, mount and loop device that is made
 * can be told by it; so cleaning up needs nothing else.
 */
record DemoFolder(Path path) {
    static final String PREFIX = "tidemark-quickstart-";
    /** In the environment of every process that is started here. */
    static final String ENVIRONMENT = "TIDEMARK_QUICKSTART_FOLDER";

    private static final String MARKER = ".tidemark-quickstart";
    /** Shell and mount table read the path back without quoting. */
    private static final Pattern PLAIN = Pattern.compile("/[A-Za-z0-9/._-]+");
    /** Images, logs and a database of 100 MiB, twice, with room. */
    private static final long FREE_MINIMUM_BYTES = 3L << 30;

    /** @param parent an existing folder on a file system with room */
    static DemoFolder make(Path parent) throws QuickstartException {
        try {
            var real = parent.toRealPath();
            if (!PLAIN.matcher(real.toString()).matches()) {
                throw new QuickstartException(
                        "folder %s has unusual characters in its path".formatted(real), "name another with --in");
            }
            long free = Files.getFileStore(real).getUsableSpace();
            if (free < FREE_MINIMUM_BYTES) {
                throw new QuickstartException(
                        "%s has %d MiB free, %d needed".formatted(real, free >> 20, FREE_MINIMUM_BYTES >> 20),
                        "name a folder with room with --in");
            }
            var folder = new DemoFolder(Files.createTempDirectory(real, PREFIX));
            // The database's own user must get through.
            Files.setPosixFilePermissions(folder.path, PosixFilePermissions.fromString("rwx--x--x"));
            Files.createFile(folder.path.resolve(MARKER));
            return folder;
        } catch (IOException e) {
            throw new QuickstartException("no folder for the demo in %s: %s".formatted(parent, e), e);
        }
    }

    boolean isOne() {
        return Files.exists(path.resolve(MARKER));
    }

    /** Makes it when it is not there. */
    Path folder(String name) throws QuickstartException {
        try {
            return Files.createDirectories(path.resolve(name));
        } catch (IOException e) {
            throw new QuickstartException("folder %s could not be made: %s".formatted(name, e), e);
        }
    }

    Path file(String name) {
        return path.resolve(name);
    }
}
