package io.tidemark.nativeblock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The private copy of library and guard: nobody else's to read, gone with its process, swept after a kill. */
final class NativeFilesTest {
    @BeforeEach
    void needsTheLibrary() {
        assumeTrue(
                BlockKernels.unavailableReason().isEmpty(),
                () -> "no native library: " + BlockKernels.unavailableReason().orElse(""));
    }

    /** Run in a process of its own: extracts, prints where to, and ends as asked. */
    static final class Extractor {
        private Extractor() {}

        public static void main(String[] arguments) throws IOException {
            System.out.println(NativeFiles.extracted(Path.of(arguments[0])).library());
            if (arguments[1].equals("killed")) {
                Runtime.getRuntime().halt(9);
            }
        }
    }

    private static Path extractInAnotherProcess(Path parent, String end) throws Exception {
        var process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Extractor.class.getName(),
                        parent.toString(),
                        end)
                .start();
        var printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return Path.of(printed.strip());
    }

    @Test
    void copyIsPrivateAndExecutable(@TempDir Path parent) throws IOException {
        var files = NativeFiles.extracted(parent);

        var folder = files.library().getParent();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwx------");
        assertThat(files.library()).isRegularFile();
        assertThat(files.thawGuard()).isExecutable();
    }

    @Test
    void copyGoesWithItsProcess(@TempDir Path parent) throws Exception {
        var library = extractInAnotherProcess(parent, "orderly");

        assertThat(library.toString()).endsWith(NativeFiles.LIBRARY);
        assertThat(parent).isEmptyDirectory();
    }

    @Test
    void copyOfAKilledProcessIsSweptOnceItIsOldEnough(@TempDir Path parent) throws Exception {
        var library = extractInAnotherProcess(parent, "killed");
        NativeFiles.extracted(parent);
        assertThat(library).as("too young to be called abandoned").exists();
        Files.setLastModifiedTime(
                library.resolveSibling("in-use"), FileTime.from(Instant.now().minus(Duration.ofHours(1))));

        NativeFiles.extracted(parent);

        assertThat(library).doesNotExist();
    }

    @Test
    void libraryIsFoundInAnOperatorsFolder(@TempDir Path folder) throws IOException {
        var nested = Files.createDirectory(folder.resolve(NativeFiles.platform()));
        Files.createFile(nested.resolve(NativeFiles.LIBRARY));

        assertThat(NativeFiles.inDirectory(nested).library()).hasParent(nested);
        assertThat(NativeFiles.inDirectory(folder).library()).hasParent(nested);
    }

    /** A library with every function of ours but another ABI number is refused: it would read our arguments wrongly. */
    @Test
    void libraryOfAnotherAbiIsRefused(@TempDir Path folder) throws IOException {
        assumeTrue(LoopFileSystem.succeeds("sh", "-c", "command -v gcc"), "no gcc on this machine");
        var functions = Arrays.stream(TidemarkBlockLibrary.class.getMethods())
                .map(method -> method.getName())
                .filter(name -> name.startsWith("tidemark_"))
                .map(name -> "long " + name + "(void) { return 999; }\n")
                .collect(Collectors.joining());
        var source = Files.writeString(folder.resolve("other.c"), functions);
        var library = folder.resolve("other.so");
        LoopFileSystem.run("gcc", "-shared", "-fPIC", "-o", library.toString(), source.toString());

        assertThatExceptionOfType(UnsatisfiedLinkError.class)
                .isThrownBy(() -> NativeBlockKernel.load(library))
                .withMessageContaining("ABI 999");
    }
}
