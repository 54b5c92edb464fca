package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.aws.FakeAws;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The fake against coldsnap, a client of EBS direct by others (Amazon's, in Rust): a file becomes a snapshot, block by block
 * with checksums, and a file again. Where {@code coldsnap} is on the path: building it takes 4 minutes of two processors.
 */
@Timeout(120)
class ColdsnapTest {
    private static final long FILE_BYTES = 1L << 30;
    private static final int BLOCK = 512 << 10;
    private static final int BLOCKS_WRITTEN = 40;
    private static final int LIMIT_SECONDS = 60;

    @TempDir
    private Path folder;

    @Test
    void fileBecomesASnapshotAndTheSameFileAgain() throws Exception {
        var program = program();
        var file = folder.resolve("disk");
        write(file);
        try (var cloud = FakeAws.start()) {
            String snapshot = run(program, cloud, "upload", "--no-progress", "--omit-zero-blocks", file.toString())
                    .strip();
            assertThat(snapshot).startsWith("snap-");
            cloud.clock().advance(Duration.ofHours(1));
            run(program, cloud, "wait", snapshot);
            var back = folder.resolve("back");
            run(program, cloud, "download", "--no-progress", snapshot, back.toString());

            assertThat(Files.mismatch(file, back)).isEqualTo(-1);
            assertThat(cloud.violations()).isEmpty();
        }
    }

    private static String program() {
        for (var place : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            var program = Path.of(place, "coldsnap");
            if (Files.isExecutable(program)) {
                return program.toString();
            }
        }
        System.err.println("SKIPPED coldsnap: not on the path (cargo install coldsnap --locked --debug)");
        Assumptions.abort("coldsnap is not on the path");
        throw new AssertionError();
    }

    /** Sparse, with blocks here and there. */
    private static void write(Path file) throws IOException {
        var random = new Random(7);
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (int count = 0; count < BLOCKS_WRITTEN; count++) {
                byte[] bytes = new byte[BLOCK];
                random.nextBytes(bytes);
                channel.write(ByteBuffer.wrap(bytes), random.nextLong(FILE_BYTES / BLOCK) * BLOCK);
            }
            channel.write(ByteBuffer.wrap(new byte[] {1}), FILE_BYTES - 1);
        }
    }

    private String run(String program, FakeAws cloud, String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(
                program, "--region", "eu-west-1", "--endpoint", cloud.endpoint().toString()));
        command.addAll(List.of(arguments));
        var output = folder.resolve("output");
        var builder = new ProcessBuilder(command)
                .redirectOutput(output.toFile())
                .redirectError(folder.resolve("errors").toFile());
        builder.environment().put("AWS_ACCESS_KEY_ID", "test");
        builder.environment().put("AWS_SECRET_ACCESS_KEY", "test");
        builder.environment().put("AWS_EC2_METADATA_DISABLED", "true");
        var process = builder.start();
        boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly().waitFor();
        }
        assertThat(ended ? process.exitValue() : -1)
                .as(String.join(" ", command) + ": " + Files.readString(folder.resolve("errors")))
                .isZero();
        return Files.readString(output);
    }
}
