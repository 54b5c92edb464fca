package io.tidemark.cli.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

final class BlockCommandTest {
    @TempDir
    private Path folder;

    private record Answer(int exitCode, String out, String err) {}

    private static Answer run(Object... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int exitCode = new CommandLine(new BlockCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
        return new Answer(exitCode, out.toString(), err.toString());
    }

    private Path image(String name, int length, long seed) throws IOException {
        var bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return Files.write(folder.resolve(name), bytes);
    }

    private static void change(Path image, long offset, byte... bytes) throws IOException {
        try (var channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), offset);
        }
    }

    /** Names and contents, to show that nothing was changed. */
    private String everything() throws IOException {
        var text = new StringBuilder();
        try (var files = Files.walk(folder)) {
            for (var file : files.sorted().toList()) {
                text.append(file).append(' ');
                if (Files.isRegularFile(file)) {
                    text.append(Arrays.hashCode(Files.readAllBytes(file)));
                }
                text.append('\n');
            }
        }
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"xxh3-128", "sha-256"})
    void imageIsBroughtUpToDateThroughIndexAndDelta(String hash) throws Exception {
        var older = image("older", 3_000_000, 1);
        var newer = Files.copy(older, folder.resolve("newer"));
        change(newer, 1_000_000, new byte[20_000]);
        change(newer, 3_100_000, (byte) 1);
        var index = folder.resolve("older.index");
        var delta = folder.resolve("delta");

        assertThat(run("index", older, "-o", index, "--hash", hash).exitCode).isZero();
        var diff = run("diff", "--base", index, newer, "-o", delta, "--json");
        var apply = run("apply", delta, older, "--json");

        assertThat(diff.exitCode).as(diff.err).isZero();
        assertThat(diff.out).contains("\"hash\":\"" + hash + "\"");
        assertThat(apply.out).contains("\"outcome\":\"applied\"", "\"resultMatches\":true");
        assertThat(Files.mismatch(older, newer)).isEqualTo(-1);
        assertThat(run("verify", older, newer).exitCode).isZero();
        assertThat(run("apply", delta, older, "--json").out).contains("\"outcome\":\"already-applied\"");
    }

    @Test
    void directAndLimitedReadingFindTheSame() throws Exception {
        var older = image("older", 3_000_001, 1);
        var newer = Files.copy(older, folder.resolve("newer"));
        change(newer, 1_000_000, new byte[20_000]);
        run("index", newer, "-o", folder.resolve("cached"));

        var index = run("index", newer, "-o", folder.resolve("direct"), "--direct", "--json");
        var verify = run("verify", older, newer, "--direct", "--rate-limit", "1GiB", "--json");
        var diff = run("diff", "--base", older, newer, "-o", folder.resolve("delta"), "--direct", "--rate-limit", "1G");
        var apply = run("apply", folder.resolve("delta"), older, "--direct", "--rate-limit", "0.5G");

        assertThat(index.out).contains("\"read\":\"");
        assertThat(Files.mismatch(folder.resolve("cached"), folder.resolve("direct")))
                .isEqualTo(-1);
        assertThat(verify.exitCode).as(verify.err).isEqualTo(1);
        assertThat(verify.out).contains("\"comparedBy\":\"bytes\"", "\"differingBlocks\":6,");
        assertThat(diff.exitCode).as(diff.err).isZero();
        assertThat(apply.exitCode).as(apply.err).isZero();
        assertThat(run("verify", older, newer, "--hash", "sha-256").out).contains("equal", "root");
    }

    /** Hashing takes 0.36 s at the rate, and so does reading the blocks that go into the delta. */
    @Test
    void rateHoldsForChangedBlocksThatAreReadAgain() throws Exception {
        var index = folder.resolve("index");
        run("index", image("older", 3_000_000, 1), "-o", index);
        var newer = image("newer", 3_000_000, 2);
        long startNanos = System.nanoTime();

        var diff = run("diff", "--base", index, newer, "-o", folder.resolve("delta"), "--rate-limit", "8M");

        assertThat(diff.exitCode).as(diff.err).isZero();
        assertThat(Duration.ofNanos(System.nanoTime() - startNanos)).isGreaterThan(Duration.ofMillis(450));
    }

    @Test
    void pipeIsIndexedAsTheFileWithItsBytes() throws Exception {
        var before = System.in;
        for (int length : new int[] {1, 4096, 3_000_001}) {
            var image = image("image", length, 1);
            run("index", image, "-o", folder.resolve("of-file"), "--force");
            try (var pipe = Files.newInputStream(image)) {
                System.setIn(pipe);

                var answer = run("index", "-", "-o", folder.resolve("of-pipe"), "--force", "--json");

                assertThat(answer.exitCode).as(answer.err).isZero();
                assertThat(answer.out).contains("\"imageBytes\":" + length + ",");
                assertThat(Files.mismatch(folder.resolve("of-file"), folder.resolve("of-pipe")))
                        .isEqualTo(-1);
            } finally {
                System.setIn(before);
            }
        }
    }

    @Test
    void whereNoPipeCanBeUsedADashIsRefusedAndNoFileOfThatNameIsMade() throws Exception {
        var image = image("image", 100_000, 1);
        var index = folder.resolve("index");
        run("index", image, "-o", index);
        var attempts = List.of(
                run("diff", "--base", index, "-", "-o", folder.resolve("delta")),
                run("diff", "--base", "-", image, "-o", folder.resolve("delta")),
                run("apply", "-", "-"),
                run("index", image, "--update", index, "--changed", "-"),
                run("index", image, "-o", "-"));
        for (var answer : attempts) {
            assertThat(answer.exitCode).as(answer.err).isEqualTo(2);
            assertThat(answer.err).contains("- stands for a pipe", "./-");
        }
        assertThat(Path.of("-")).doesNotExist();
    }

    @Test
    void deltaAgainstAnImageIsTheSameAsAgainstItsIndex() throws Exception {
        var older = image("older", 900_001, 1);
        var newer = Files.copy(older, folder.resolve("newer"));
        change(newer, 5_000, (byte) 1, (byte) 2);
        run("index", older, "-o", folder.resolve("index"), "--block-bytes", "8k");

        run("diff", "--base", folder.resolve("index"), newer, "-o", folder.resolve("one"));
        run("diff", "--base", older, newer, "-o", folder.resolve("two"), "--block-bytes", "8KiB");

        assertThat(Files.mismatch(folder.resolve("one"), folder.resolve("two"))).isEqualTo(-1);
    }

    @Test
    void verifyNamesWhatDiffersAndSaysSoByItsExitCode() throws Exception {
        var left = image("left", 100_000, 1);
        var right = Files.copy(left, folder.resolve("right"));
        change(right, 8_192, (byte) 0, (byte) 1, (byte) 2);

        var text = run("verify", left, right);
        var json = run("verify", left, right, "--json");

        assertThat(text.exitCode).isEqualTo(1);
        assertThat(text.out).contains("different: 1 blocks of 4096 bytes", "bytes 8192 to 12287");
        assertThat(json.out)
                .contains("\"equal\":false", "\"firstRanges\":[{\"offsetBytes\":8192,\"lengthBytes\":4096}]");
    }

    @Test
    void verifyComparesAnImageWithItsIndex() throws Exception {
        var image = image("image", 100_000, 1);
        run("index", image, "-o", folder.resolve("index"), "--block-bytes", "512");

        assertThat(run("verify", folder.resolve("index"), image).exitCode).isZero();
        change(image, 99_999, (byte) 7);
        assertThat(run("verify", image, folder.resolve("index")).exitCode).isEqualTo(1);
    }

    @Test
    void verifyOfImagesOfUnequalSizeNamesBoth() throws Exception {
        var left = image("left", 100_000, 1);
        var right = image("right", 50_000, 1);

        var answer = run("verify", left, right);

        assertThat(answer.exitCode).isEqualTo(1);
        assertThat(answer.out).contains("sizes: 100000 and 50000 bytes");
    }

    @Test
    void holesAreNotReadAndHashedAsZeros() throws Exception {
        var sparse = folder.resolve("sparse");
        var full = folder.resolve("full");
        Files.write(full, new byte[100 << 20]);
        try (var channel = FileChannel.open(sparse, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), (100 << 20) - 1);
        }
        for (var image : List.of(sparse, full)) {
            change(image, 70_000_001, (byte) 1);
            change(image, 12_345_678, (byte) 2);
        }

        var answer = run("verify", sparse, full, "--json");

        assertThat(answer.exitCode).as(answer.out).isZero();
    }

    @Test
    void emptyImagesAreImages() throws Exception {
        var empty = Files.createFile(folder.resolve("empty"));
        var full = image("full", 10_000, 1);
        var delta = folder.resolve("delta");

        assertThat(run("index", empty, "-o", folder.resolve("index")).exitCode).isZero();
        assertThat(run("diff", "--base", folder.resolve("index"), full, "-o", delta).exitCode)
                .isZero();
        assertThat(run("apply", delta, empty).exitCode).isZero();

        assertThat(Files.mismatch(empty, full)).isEqualTo(-1);
    }

    @Test
    void outputThatExistsIsReplacedOnlyByForce() throws Exception {
        var image = image("image", 10_000, 1);
        var index = Files.writeString(folder.resolve("index"), "precious");

        var refused = run("index", image, "-o", index);

        assertThat(refused.exitCode).isEqualTo(3);
        assertThat(refused.err).contains("exists already", "--force");
        assertThat(index).hasContent("precious");
        assertThat(run("index", image, "-o", index, "--force").exitCode).isZero();
        assertThat(Files.size(index)).isGreaterThan(128);
    }

    @Test
    void strangerIsWrittenOnlyByForceAndTheWarningSaysWhatItIsThen() throws Exception {
        var older = image("older", 100_000, 1);
        var newer = Files.copy(older, folder.resolve("newer"));
        change(newer, 50_000, (byte) 1);
        var delta = folder.resolve("delta");
        run("diff", "--base", older, newer, "-o", delta);
        var stranger = image("stranger", 100_000, 2);
        var before = Files.readAllBytes(stranger);

        var refused = run("apply", delta, stranger);

        assertThat(refused.exitCode).isEqualTo(3);
        assertThat(refused.err).contains("is not the delta's base", "--force");
        assertThat(stranger).hasBinaryContent(before);
        var forced = run("apply", delta, stranger, "--force", "--json");
        assertThat(forced.exitCode).isZero();
        assertThat(forced.out).contains("\"outcome\":\"forced\"", "\"resultMatches\":false");
        assertThat(forced.err).contains("warning");
    }

    @Test
    void dryRunChangesNothing() throws Exception {
        var older = image("older", 100_000, 1);
        var newer = image("newer", 120_000, 2);
        var delta = folder.resolve("delta");
        run("diff", "--base", older, newer, "-o", delta);
        var before = everything();

        var answer = run("apply", delta, older, "--dry-run", "--json");

        assertThat(answer.out).contains("\"outcome\":\"would-apply\"", "\"written\":false");
        assertThat(everything()).isEqualTo(before);
    }

    @Test
    void imageLockedByAnotherIsNotWritten() throws Exception {
        var older = image("older", 10_000, 1);
        run("diff", "--base", older, image("newer", 10_000, 2), "-o", folder.resolve("delta"));
        try (var channel = FileChannel.open(older, StandardOpenOption.WRITE);
                var lock = channel.lock()) {
            assertThat(lock.isValid()).isTrue();

            var answer = run("apply", folder.resolve("delta"), older);

            assertThat(answer.exitCode).isEqualTo(3);
            assertThat(answer.err).contains("locked");
        }
    }

    @Test
    void commandWithoutSubcommandShowsUsage() {
        var answer = run();

        assertThat(answer.exitCode).isEqualTo(2);
        assertThat(answer.err).contains("index", "diff", "apply", "verify");
    }

    /** Exit code, a word of the message, arguments: {@code @} stands for the folder. */
    static Stream<Arguments> badInput() {
        return Stream.of(
                Arguments.of(2, "Missing required", "index @/image"),
                Arguments.of(2, "Missing required", "index -o @/new"),
                Arguments.of(2, "Unmatched", "index @/image -o @/new @/other"),
                Arguments.of(2, "Unknown option", "index @/image -o @/new --blocks 4096"),
                Arguments.of(2, "not a power of two", "index @/image -o @/new --block-bytes 5000"),
                Arguments.of(2, "not a power of two", "index @/image -o @/new --block-bytes 256"),
                Arguments.of(2, "not a power of two", "index @/image -o @/new --block-bytes 32M"),
                Arguments.of(2, "not a power of two", "index @/image -o @/new --block-bytes many"),
                Arguments.of(2, "not a power of two", "index @/image -o @/new --block-bytes -4096"),
                Arguments.of(2, "is not an algorithm", "index @/image -o @/new --hash md5"),
                Arguments.of(2, "not a number from 1 to 64", "index @/image -o @/new --threads 0"),
                Arguments.of(2, "not a number from 1 to 64", "index @/image -o @/new --threads 1e3"),
                Arguments.of(2, "is not a rate from 64K to 1T", "index @/image -o @/new --rate-limit 10"),
                Arguments.of(2, "is not a rate from 64K to 1T", "index @/image -o @/new --rate-limit fast"),
                Arguments.of(2, "is not a rate from 64K to 1T", "verify @/image @/other --rate-limit 2T"),
                Arguments.of(2, "--direct cannot be used with a pipe", "index - -o @/new --direct"),
                Arguments.of(2, "--rate-limit cannot be used with a pipe", "index - -o @/new --rate-limit 1M"),
                Arguments.of(2, "input and output at once", "index @/image -o @/image --force"),
                Arguments.of(2, "input and output at once", "diff --base @/index @/image -o @/index --force"),
                Arguments.of(2, "delta and image at once", "apply @/delta @/delta"),
                Arguments.of(3, "index is an index of tidemark, and no image", "index @/index -o @/new"),
                Arguments.of(3, "index is an index of tidemark, and no image", "diff --base @/image @/index -o @/new"),
                Arguments.of(3, "delta is a delta of tidemark, and no image", "diff --base @/image @/delta -o @/new"),
                Arguments.of(3, "delta is a delta of tidemark, and no image", "diff --base @/delta @/image -o @/new"),
                Arguments.of(3, "delta is a delta of tidemark, and no image", "verify @/image @/delta"),
                Arguments.of(3, "index is an index of tidemark, and no image", "apply @/delta @/index --force"),
                Arguments.of(3, "does not exist", "index @/absent -o @/new"),
                Arguments.of(3, "is a directory", "index @ -o @/new"),
                Arguments.of(3, "no regular file", "index /dev/null -o @/new"),
                Arguments.of(3, "is no directory", "index @/image -o @/absent/new"),
                Arguments.of(3, "exists and is no regular file", "index @/image -o /dev/null --force"),
                Arguments.of(3, "exists already", "index @/image -o @/other"),
                Arguments.of(3, "was made with", "diff --base @/index @/image -o @/new --hash sha-256"),
                Arguments.of(3, "was made with", "diff --base @/index @/image -o @/new --block-bytes 8192"),
                Arguments.of(3, "is damaged", "diff --base @/broken-index @/image -o @/new"),
                Arguments.of(3, "is damaged", "diff --base @/short-index @/image -o @/new"),
                Arguments.of(3, "is damaged", "verify @/broken-index @/image"),
                Arguments.of(3, "is not a delta", "apply @/image @/other"),
                Arguments.of(3, "is not a delta", "apply @/index @/other"),
                Arguments.of(3, "is not a delta", "apply @/empty @/other"),
                Arguments.of(3, "is damaged", "apply @/broken-delta @/image"),
                Arguments.of(3, "is damaged", "apply @/broken-delta @/image --force"),
                Arguments.of(3, "is damaged", "apply @/short-delta @/image"),
                Arguments.of(3, "does not exist", "apply @/delta @/absent"),
                Arguments.of(3, "bytes; the delta goes from", "apply @/delta @/empty"),
                Arguments.of(3, "is not the delta's base", "apply @/delta @/stranger"),
                Arguments.of(3, "neither the base's nor the result's", "apply @/delta @/strange-block"),
                Arguments.of(3, "does not exist", "verify @/image @/absent"),
                Arguments.of(3, "cannot be compared", "verify @/index @/sha-index"));
    }

    @ParameterizedTest
    @MethodSource
    void badInput(int exitCode, String message, String arguments) throws Exception {
        var image = image("image", 100_000, 1);
        var other = Files.copy(image, folder.resolve("other"));
        change(other, 40_000, (byte) 1);
        Files.createFile(folder.resolve("empty"));
        image("stranger", 100_000, 9);
        change(Files.copy(image, folder.resolve("strange-block")), 40_001, (byte) 0x5A, (byte) 0x5B);
        var index = folder.resolve("index");
        var delta = folder.resolve("delta");
        run("index", image, "-o", index);
        run("index", image, "-o", folder.resolve("sha-index"), "--hash", "sha-256");
        run("diff", "--base", image, other, "-o", delta);
        change(Files.copy(index, folder.resolve("broken-index")), 200, (byte) 1, (byte) 1, (byte) 1);
        change(Files.copy(delta, folder.resolve("broken-delta")), 300, (byte) 1, (byte) 1, (byte) 1);
        Files.write(folder.resolve("short-index"), Arrays.copyOf(Files.readAllBytes(index), 300));
        Files.write(folder.resolve("short-delta"), Arrays.copyOf(Files.readAllBytes(delta), 300));
        var before = everything();

        var answer = run((Object[]) arguments.replace("@", folder.toString()).split(" "));

        assertThat(answer.err).contains(message);
        assertThat(answer.exitCode).isEqualTo(exitCode);
        assertThat(everything()).isEqualTo(before);
    }

    @Test
    void errorsAreJsonWhenAskedFor() {
        var answer = run("verify", folder.resolve("a\"b"), folder, "--json");

        assertThat(answer.exitCode).isEqualTo(3);
        assertThat(answer.out)
                .startsWith("{\"ok\":false,\"error\":{\"message\":\"")
                .contains("a\\\"b does not exist");
    }

    @Test
    void progressShowsBarRateAndTimeLeft() {
        assertThat(ProgressLine.line("index", 1L << 30, 4L << 30, 0.5))
                .isEqualTo("index    [#######-----------------------]  25% 1.0 GiB of 4.0 GiB, 2.0 GiB/s, 2 s left");
        assertThat(ProgressLine.line("index", 1L << 30, 0, 0.5)).isEqualTo("index    1.0 GiB, 2.0 GiB/s");
    }

    @Test
    void sizesAreReadAsPeopleWriteThem() {
        assertThat(Sizes.parse("4096")).isEqualTo(4096);
        assertThat(Sizes.parse("64k")).isEqualTo(65_536);
        assertThat(Sizes.parse("64KiB")).isEqualTo(65_536);
        assertThat(Sizes.parse("1 MiB")).isEqualTo(1 << 20);
        assertThat(Sizes.parse("1G")).isEqualTo(-1);
        assertThat(Sizes.parse("")).isEqualTo(-1);
    }
}
