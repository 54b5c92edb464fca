package io.tidemark.nativeblock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What c/build.sh does on machines that lack something: it goes on, and names the package. */
final class BuildScriptTest {
    private static final Path SCRIPT = Path.of("c", "build.sh").toAbsolutePath();

    private static String build(Path output, Map<String, String> environment) throws Exception {
        var builder = new ProcessBuilder("sh", SCRIPT.toString(), output.toString()).redirectErrorStream(true);
        builder.environment().putAll(environment);
        var process = builder.start();
        var printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        return printed.strip();
    }

    /** A compiler that works but for files that include this header. */
    private static Path compilerWithout(String header, Path folder) throws IOException {
        assumeTrue(LoopFileSystem.succeeds("sh", "-c", "command -v gcc"), "no gcc on this machine");
        var compiler =
                Files.writeString(folder.resolve("cc-without-" + header.replace('/', '-')), """
                #!/bin/sh
                source=$(cat)
                case "$source" in *%s*) exit 1 ;; esac
                printf '%%s\\n' "$source" | gcc "$@"
                """.formatted(header));
        return Files.setPosixFilePermissions(compiler, PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void withoutACompilerTheBuildGoesOnAndNamesThePackage(@TempDir Path output) throws Exception {
        var printed = build(output, Map.of("CC", "no-such-compiler"));

        assertThat(printed).hasLineCount(1).contains("apt-get install gcc").contains("the Java kernel serves");
        assertThat(output).isEmptyDirectory();
    }

    @Test
    void withoutXxhashTheBuildGoesOnAndNamesThePackage(@TempDir Path output, @TempDir Path tools) throws Exception {
        var printed =
                build(output, Map.of("CC", compilerWithout("xxhash.h", tools).toString()));

        assertThat(printed).hasLineCount(1).contains("libxxhash-dev");
        assertThat(output).isEmptyDirectory();
    }

    @Test
    void skippingRemovesWhatAnEarlierBuildLeft(@TempDir Path output) throws Exception {
        var earlier = Files.createDirectories(output.resolve(NativeFiles.platform()));
        Files.createFile(earlier.resolve(NativeFiles.LIBRARY));
        Files.createFile(earlier.resolve(NativeFiles.THAW_GUARD));

        var printed = build(output, Map.of("TIDEMARK_NATIVE_SKIP", "true"));

        assertThat(printed).contains("tidemark.native.skip");
        assertThat(earlier).isEmptyDirectory();
    }
}
