package io.tidemark.system.readme;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.system.ground.Ground;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Runs every command block of the README, in order, in one shell, from the top of the repository. Two lines are not run
 * as they stand: {@code ./tidemark test}, which runs this test, and {@code ./tidemark quickstart}, which leaves its
 * sites running and gets {@code --once}.
 */
@Tag("system-image")
class ReadmeTest {
    private static final Path ROOT = Ground.repository();
    private static final Pattern BLOCK = Pattern.compile("^```sh\\n(.*?)^```", Pattern.DOTALL | Pattern.MULTILINE);
    private static final Pattern TEST_LINE = Pattern.compile("(?m)^\\./tidemark test( *#.*)?$");
    private static final Pattern QUICKSTART_LINE = Pattern.compile("(?m)^\\./tidemark quickstart( *#.*)?$");
    private static final Duration LIMIT = Duration.ofMinutes(10);

    @Test
    void everyCommandBlockRuns() throws Exception {
        var script = new StringBuilder("set -euo pipefail\n");
        for (var block : blocks()) {
            String runnable = TEST_LINE.matcher(block).replaceAll("");
            runnable = QUICKSTART_LINE.matcher(runnable).replaceAll("./tidemark quickstart --once");
            script.append(runnable).append('\n');
        }
        Path output = Files.createTempFile("readme", ".log");
        try {
            var shell = new ProcessBuilder("bash", "-c", script.toString())
                    .directory(ROOT.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            boolean ended = shell.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            if (!ended) {
                shell.destroy();
            }

            assertThat(ended)
                    .as("within %s:%n%s", LIMIT, Files.readString(output))
                    .isTrue();
            assertThat(shell.exitValue()).as(Files.readString(output)).isZero();
        } finally {
            Files.delete(output);
        }
    }

    @Test
    void theTestCommandIsWhatCiRuns() throws IOException {
        assertThat(blocks()).anyMatch(block -> TEST_LINE.matcher(block).find());
        assertThat(Files.readString(ROOT.resolve(".ci/run"))).contains("./tidemark test");
    }

    private static List<String> blocks() throws IOException {
        var blocks = new ArrayList<String>();
        var matcher = BLOCK.matcher(Files.readString(ROOT.resolve("README.md")));
        while (matcher.find()) {
            blocks.add(matcher.group(1));
        }
        assertThat(blocks).as("command blocks").isNotEmpty();
        return blocks;
    }
}
