package io.tidemark.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/** The quickstarts that were left running, so that {@code --stop} finds them. One file each, named as its folder. */
final class Running {
    private final Path register;

    private Running(Path register) {
        this.register = register;
    }

    /** A folder of this user alone. */
    static Running ofThisUser() throws QuickstartException {
        boolean root = System.getProperty("user.name", "").equals("root");
        Path register = root
                ? Path.of("/run/tidemark-quickstart")
                : Optional.ofNullable(System.getenv("XDG_RUNTIME_DIR"))
                        .map(Path::of)
                        .orElse(Path.of(System.getProperty("user.home", "/"), ".cache"))
                        .resolve("tidemark-quickstart");
        try {
            Files.createDirectories(
                    register, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            return new Running(register);
        } catch (IOException e) {
            throw new QuickstartException("folder %s could not be made: %s".formatted(register, e.getMessage()), e);
        }
    }

    void add(DemoFolder demo) throws QuickstartException {
        try {
            Files.writeString(
                    register.resolve(demo.path().getFileName().toString()),
                    demo.path().toString());
        } catch (IOException e) {
            throw new QuickstartException("could not note what was left running: " + e.getMessage(), e);
        }
    }

    List<DemoFolder> all() throws QuickstartException {
        try (var files = Files.list(register)) {
            return files.sorted()
                    .map(file -> new DemoFolder(Path.of(read(file))))
                    .toList();
        } catch (IOException e) {
            throw new QuickstartException("cannot tell what was left running: " + e.getMessage(), e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return "/";
        }
    }

    void remove(DemoFolder demo) throws QuickstartException {
        try {
            Files.deleteIfExists(register.resolve(demo.path().getFileName().toString()));
        } catch (IOException e) {
            throw new QuickstartException("could not forget %s: %s".formatted(demo.path(), e.getMessage()), e);
        }
    }
}
