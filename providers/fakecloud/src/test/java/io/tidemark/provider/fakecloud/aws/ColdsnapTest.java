package io.tidemark.provider.fakecloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.FaultScript;
import io.tidemark.provider.fakecloud.Loudly;
import io.tidemark.provider.fakecloud.SparseBlocks;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * coldsnap (awslabs), AWS's own tool for EBS direct, writes to the fake and reads from it. It is taken from the variable
 * {@code TIDEMARK_COLDSNAP}, else from the path of commands.
 */
class ColdsnapTest extends ModelChecked {
    private static final int BLOCK = SparseBlocks.BLOCK_BYTES;
    /** Its own pauses between attempts are 2 s and longer. */
    private static final int SECONDS_MAXIMUM = 120;

    private static final long GIB = 1L << 30;

    @TempDir
    Path folder;

    private String coldsnap = "";

    @BeforeEach
    void isInstalled() {
        var found = find();
        Loudly.needs(
                found.isPresent(), "coldsnap is not installed: cargo install coldsnap --locked, or TIDEMARK_COLDSNAP");
        coldsnap = found.orElseThrow();
    }

    private static Optional<String> find() {
        var named = Optional.ofNullable(System.getenv("TIDEMARK_COLDSNAP"));
        var onPath = Stream.of(System.getenv("PATH").split(File.pathSeparator)).map(each -> Path.of(each, "coldsnap"));
        return Stream.concat(named.stream().map(Path::of), onPath)
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst();
    }

    @Test
    void whatItUploadsItDownloadsAgain() throws Exception {
        var image = image(5 * BLOCK + 1000);

        var snapshot = run("upload", "--no-progress", "--wait", "--tag", "Key=a,Value=b", image);
        var read = folder.resolve("read");
        run("download", "--no-progress", snapshot, read.toString());

        assertThat(aws.snapshot(snapshot).tags()).isEqualTo(Map.of("a", "b"));
        assertThat(aws.state(aws.snapshot(snapshot))).isEqualTo("completed");
        assertThat(Files.size(read)).isEqualTo(GIB);
        assertThat(head(read, 7 * BLOCK)).isEqualTo(Arrays.copyOf(Files.readAllBytes(Path.of(image)), 7 * BLOCK));
    }

    @Test
    void ofASnapshotOnAParentOnlyWhatDiffersIsChanged() throws Exception {
        var image = image(6 * BLOCK);
        var parent = run("upload", "--no-progress", image);
        var bytes = Files.readAllBytes(Path.of(image));
        bytes[3 * BLOCK + 7]++;
        Files.write(Path.of(image), bytes);

        var child = run("upload", "--no-progress", "--parent-snapshot-id", parent, image);

        var older = aws.snapshot(parent).content;
        var newer = aws.snapshot(child).content;
        assertThat(newer.keySet()).allMatch(index -> (older.get(index) != newer.get(index)) == (index == 3));
        assertThat(newer).hasSize(6);
    }

    @Test
    void zerosThatItOmitsAreNotInTheSnapshot() throws Exception {
        var image = image(4 * BLOCK);
        var bytes = Files.readAllBytes(Path.of(image));
        Arrays.fill(bytes, BLOCK, 2 * BLOCK, (byte) 0);
        Files.write(Path.of(image), bytes);

        var snapshot = run("upload", "--no-progress", "--omit-zero-blocks", image);

        assertThat(aws.snapshot(snapshot).content.keySet()).containsExactly(0, 2, 3);
    }

    @Test
    void itAsksAgainAfterWhatIsThrottledOrBroken() throws Exception {
        aws.faults(FaultScript.none()
                .on("PutSnapshotBlock", 2, Fault.THROTTLE)
                .on("PutSnapshotBlock", 4, Fault.CUT_AFTER)
                .on("GetSnapshotBlock", 1, Fault.ERROR_BEFORE)
                .on("ListSnapshotBlocks", 1, Fault.EMPTY_PAGE));
        var image = image(5 * BLOCK);

        var snapshot = run("upload", "--no-progress", image);
        var read = folder.resolve("read");
        run("download", "--no-progress", snapshot, read.toString());

        assertThat(head(read, 5 * BLOCK)).isEqualTo(Files.readAllBytes(Path.of(image)));
        assertThat(seen("PutSnapshotBlock")).isEqualTo(7);
        assertThat(seen("GetSnapshotBlock")).isEqualTo(6);
        assertThat(seen("ListSnapshotBlocks")).isEqualTo(2);
    }

    private long seen(String operation) {
        return Objects.requireNonNull(aws.calls().get(operation), operation).seen();
    }

    private String image(int bytes) throws IOException {
        var content = new byte[bytes];
        new Random(1).nextBytes(content);
        return Files.write(folder.resolve("image"), content).toString();
    }

    private static byte[] head(Path file, int bytes) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return in.readNBytes(bytes);
        }
    }

    /** @return what it says on standard output; an upload says the snapshot's id */
    private String run(String... words) throws IOException, InterruptedException {
        var command =
                new ArrayList<>(List.of(coldsnap, "--endpoint", aws.endpoint().toString(), "--region", "eu-central-1"));
        command.addAll(List.of(words));
        var said = folder.resolve("said");
        var complained = folder.resolve("complained");
        var builder = new ProcessBuilder(command).redirectOutput(said.toFile()).redirectError(complained.toFile());
        builder.environment()
                .putAll(Map.of(
                        "AWS_ACCESS_KEY_ID", "fake",
                        "AWS_SECRET_ACCESS_KEY", "fake",
                        "AWS_EC2_METADATA_DISABLED", "true"));
        var process = builder.start();
        boolean ended = process.waitFor(SECONDS_MAXIMUM, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly().waitFor();
        }
        assertThat(ended).as("ends within %d s: %s", SECONDS_MAXIMUM, words[0]).isTrue();
        assertThat(process.exitValue())
                .as("%s: %s", words[0], Files.readString(complained))
                .isZero();
        return Files.readString(said).strip();
    }
}
