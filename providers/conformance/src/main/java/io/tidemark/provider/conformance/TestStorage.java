package io.tidemark.provider.conformance;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** A file system of a test's own: on a loop device where it needs a kind that the host does not have. */
public final class TestStorage implements AutoCloseable {
    private static final String SPACE = "1G";

    private final Path base;
    private final Path root;
    private final Optional<Path> mountPoint;
    private final CommandRunner commands = new CommandRunner();

    private TestStorage(Path base, Path root, Optional<Path> mountPoint) {
        this.base = base;
        this.root = root;
        this.mountPoint = mountPoint;
    }

    /** A plain folder on whatever holds the host's temporary files. */
    public static TestStorage plain() throws Exception {
        return in(Files.createTempDirectory("tidemark-storage-"));
    }

    /** A folder on the host's tmpfs. */
    public static TestStorage inMemory() throws Exception {
        return in(Files.createTempDirectory(Path.of("/dev/shm"), "tidemark-storage-"));
    }

    private static TestStorage in(Path base) {
        return new TestStorage(base, base, Optional.empty());
    }

    /** Skips where the host lacks something, and says so; fails as root where {@code CI=true}, which has to have it. */
    public static void needs(boolean met, String lacking) {
        if (!met) {
            System.err.println("SKIPPED: " + lacking);
        }
        boolean mayLack = !"true".equals(System.getenv("CI")) || !"root".equals(System.getProperty("user.name"));
        Assertions.assertTrue(met || mayLack, lacking);
        Assumptions.assumeTrue(met, lacking);
    }

    /**
     * Skips, as {@link #needs}, where the host cannot make one.
     *
     * @param options for its making
     */
    public static TestStorage mounted(String kind, String... options) throws Exception {
        var commands = new CommandRunner();
        needs("root".equals(System.getProperty("user.name")), kind + " on a loop device needs root");
        needs(commands.find("mkfs." + kind).isPresent(), "mkfs." + kind + " is not installed");
        var base = Files.createTempDirectory("tidemark-storage-");
        var image = base.resolve("disk.img");
        var mountPoint = Files.createDirectory(base.resolve("mount"));
        var storage = new TestStorage(base, mountPoint, Optional.of(mountPoint));
        storage.must("truncate", "-s", SPACE, image.toString());
        var make = new ArrayList<>(List.of("mkfs." + kind, "-q"));
        make.addAll(List.of(options));
        make.add(image.toString());
        storage.must(make.toArray(String[]::new));
        storage.must("mount", "-o", "loop", image.toString(), mountPoint.toString());
        return storage;
    }

    /** Outside the file system under test; deleted with it. */
    public Path base() {
        return base;
    }

    public Path freshFolder() throws IOException {
        return Files.createTempDirectory(root, "folder-");
    }

    public String must(String... argv) throws Exception {
        var outcome = commands.run(Command.of(argv));
        if (!outcome.succeeded()) {
            throw new AssertionError(List.of(argv) + ": " + outcome.evidence());
        }
        return outcome.stdout();
    }

    @Override
    public void close() throws Exception {
        if (mountPoint.isPresent()) {
            must("umount", mountPoint.get().toString());
        }
        must("rm", "-rf", base.toString());
    }
}
