package io.tidemark.cli.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.block.DeltaStart;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

final class BlockPipeTest {
    private static final long PROCESS_LIMIT_SECONDS = 60;

    @TempDir
    private Path folder;

    private Path older;
    private Path newer;

    private record Answer(int exitCode, String out, String err) {}

    @BeforeEach
    void images() throws IOException {
        var bytes = new byte[3_000_000];
        new Random(1).nextBytes(bytes);
        older = Files.write(folder.resolve("older"), bytes);
        new Random(2).nextBytes(bytes);
        Arrays.fill(bytes, 1_000_000, 1_100_000, (byte) 0);
        newer = Files.write(folder.resolve("newer"), Arrays.copyOf(bytes, 3_100_001));
    }

    private static Answer run(InputStream standardInput, Object... arguments) {
        var before = System.in;
        System.setIn(standardInput);
        try {
            var out = new StringWriter();
            var err = new StringWriter();
            int exitCode = new CommandLine(new BlockCommand())
                    .setOut(new PrintWriter(out))
                    .setErr(new PrintWriter(err))
                    .execute(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
            return new Answer(exitCode, out.toString(), err.toString());
        } finally {
            System.setIn(before);
        }
    }

    private static Answer run(byte[] standardInput, Object... arguments) {
        return run(new ByteArrayInputStream(standardInput), arguments);
    }

    private byte[] fileDelta() throws IOException {
        var delta = folder.resolve("delta");
        assertThat(run(new byte[0], "diff", "--base", older, newer, "-o", delta).exitCode)
                .isZero();
        var bytes = Files.readAllBytes(delta);
        Files.delete(delta);
        return bytes;
    }

    /** What diff writes to standard output. */
    private byte[] pipedDelta() throws Exception {
        var file = Files.write(folder.resolve("delta"), fileDelta());
        var bytes = new ByteArrayOutputStream();
        try (var delta = ImageFile.read(file)) {
            var start = DeltaStart.read(delta);
            var piped = PipedDelta.begin(
                    Channels.newChannel(bytes), DeltaStart.streamed(start.algorithm(), start.base(), start.result()));
            var whole = ByteBuffer.wrap(Files.readAllBytes(file));
            piped.write(DeltaStart.LENGTH_BYTES, whole.position(DeltaStart.LENGTH_BYTES));
            piped.write(0, whole.clear().limit(DeltaStart.LENGTH_BYTES));
            piped.publish();
        }
        Files.delete(file);
        return bytes.toByteArray();
    }

    private List<String> names() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static ProcessBuilder process(Object... arguments) {
        var command = new ArrayList<String>(List.of(
                System.getProperty("java.home") + "/bin/java",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                "io.tidemark.Main",
                "block"));
        Stream.of(arguments).map(Object::toString).forEach(command::add);
        return new ProcessBuilder(command);
    }

    private static int exitCode(Process process) throws InterruptedException {
        if (!process.waitFor(PROCESS_LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("still running after %d s".formatted(PROCESS_LIMIT_SECONDS));
        }
        return process.exitValue();
    }

    @Test
    void deltaGoesFromOneProcessToAnother(@TempDir Path logs) throws Exception {
        var said = logs.resolve("diff.err").toFile();
        var applied = logs.resolve("apply.out").toFile();

        var both = ProcessBuilder.startPipeline(List.of(
                process("diff", "--base", older, newer, "-o", "-", "--json").redirectError(said),
                process("apply", "-", older, "--json").redirectOutput(applied)));

        assertThat(exitCode(both.getLast())).isZero();
        assertThat(exitCode(both.getFirst())).isZero();
        assertThat(Files.mismatch(older, newer)).isEqualTo(-1);
        assertThat(said).content().startsWith("{\"ok\":true").contains("\"delta\":\"-\"");
        assertThat(applied).content().contains("\"outcome\":\"applied\"", "\"resultMatches\":true");
        assertThat(names()).containsExactly("newer", "older");
    }

    @Test
    void standardOutputHasTheDeltaAloneAndAFileOfItIsADelta(@TempDir Path logs) throws Exception {
        var delta = folder.resolve("piped");
        var said = logs.resolve("diff.err").toFile();

        int code = exitCode(process("diff", "--base", older, newer, "-o", "-", "--json")
                .redirectOutput(delta.toFile())
                .redirectError(said)
                .start());

        assertThat(code).isZero();
        assertThat(delta).hasBinaryContent(pipedDelta());
        assertThat(said).content().startsWith("{\"ok\":true").contains("\"deltaBytes\":" + Files.size(delta));
        assertThat(run(new byte[0], "apply", delta, older).exitCode).isZero();
        assertThat(Files.mismatch(older, newer)).isEqualTo(-1);
    }

    @Test
    void brokenPipeIsAnErrorAndNoTrace() throws Exception {
        var diff = process("diff", "--base", older, newer, "-o", "-").start();
        diff.getInputStream().close();

        var said = new String(diff.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(exitCode(diff)).isEqualTo(4);
        assertThat(said).contains("standard output took", "Broken pipe").doesNotContain("Exception", "\tat ");
    }

    @Test
    void terminalIsNotFilledWithADelta() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "script, of util-linux, makes the terminal");
        var command = String.join(
                " ", process("diff", "--base", older, newer, "-o", "-").command());

        var script = new ProcessBuilder("/usr/bin/script", "-qec", command, "/dev/null").start();
        var said = new String(script.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(said).contains("standard output is a terminal");
        assertThat(exitCode(script)).isEqualTo(2);
    }

    /** The lock is the JDK's then, which nobody can release behind its channel. */
    @Test
    void withoutTheNativeLibraryADeltaIsAppliedToo() throws Exception {
        var delta = folder.resolve("delta");
        assertThat(exitCode(process("diff", "--base", older, newer, "-o", delta).start()))
                .isZero();
        var apply = process("apply", delta, older);
        apply.command().add(1, "-Dtidemark.native.disabled=true");
        var running = apply.redirectErrorStream(true).start();
        var said = new String(running.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(exitCode(running)).as(said).isZero();
        assertThat(said).contains("native.unavailable", "applied");
        assertThat(Files.mismatch(older, newer)).isEqualTo(-1);
    }

    @Test
    void fileOfADeltaMayComeThroughAPipeToo() throws Exception {
        var answer = run(fileDelta(), "apply", "-", older, "--json");

        assertThat(answer.exitCode).as(answer.err).isZero();
        assertThat(answer.out).contains("\"outcome\":\"applied\"");
        assertThat(Files.mismatch(older, newer)).isEqualTo(-1);
        assertThat(names()).containsExactly("newer", "older");
    }

    @Test
    void deltaThatWasCutShortLeavesTheImageAsItWas() throws Exception {
        var before = Files.readAllBytes(older);
        for (var whole : List.of(pipedDelta(), fileDelta())) {
            for (int length : new int[] {1, 159, 160, 161, 1_000_000, whole.length - 160, whole.length - 1}) {
                var answer = run(Arrays.copyOf(whole, length), "apply", "-", older, "--force");

                assertThat(answer.exitCode).as(answer.err).isEqualTo(3);
                assertThat(answer.err).containsAnyOf("standard input is damaged", "standard input is not a delta");
                assertThat(older).hasBinaryContent(before);
                assertThat(names()).containsExactly("newer", "older");
            }
        }
    }

    @Test
    void emptyInputIsNoDelta() throws Exception {
        var before = Files.readAllBytes(older);

        var answer = run(new byte[0], "apply", "-", older);

        assertThat(answer.exitCode).isEqualTo(3);
        assertThat(answer.err).contains("standard input ended before the first byte", "before the pipe");
        assertThat(older).hasBinaryContent(before);
        assertThat(names()).containsExactly("newer", "older");
    }

    /** An endless pipe does not fill the storage. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void noMoreIsTakenThanADeltaThatBeginsSoCanHave(boolean streamed) throws Exception {
        var endless = new InputStream() {
            private final InputStream delta = new ByteArrayInputStream(streamed ? pipedDelta() : fileDelta());

            @Override
            public int read() throws IOException {
                return Math.max(0, delta.read());
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                return delta.available() > 0 ? delta.read(bytes, offset, length) : length;
            }
        };

        var answer = run(endless, "apply", "-", older);

        assertThat(answer.exitCode).isEqualTo(3);
        assertThat(answer.err).contains("goes on past the most that this delta can have");
        assertThat(names()).containsExactly("newer", "older");
    }

    @Test
    void onlyItsOwnerMayReadTheDeltaThatWaits() throws Exception {
        var seen = new ArrayList<String>();
        var watched = new ByteArrayInputStream(pipedDelta()) {
            @Override
            public synchronized int read(byte[] bytes, int offset, int length) {
                if (available() == 0) {
                    seen.addAll(waiting());
                }
                return super.read(bytes, offset, length);
            }
        };

        var answer = run(watched, "apply", "-", older, "--dry-run");

        assertThat(answer.exitCode).as(answer.err).isZero();
        assertThat(seen).containsOnly("rw-------");
        assertThat(names()).containsExactly("newer", "older");
    }

    private List<String> waiting() {
        try (var files = Files.newDirectoryStream(folder, ".older.*.delta")) {
            var permissions = new ArrayList<String>();
            for (var file : files) {
                permissions.add(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
            }
            return permissions;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void folderWithoutRoomForTheDeltaIsNamedWithTheWayOut() throws Exception {
        var answer = run(pipedDelta(), "apply", "-", older, "--spool-folder", folder.resolve("absent"));

        assertThat(answer.exitCode).isEqualTo(4);
        assertThat(answer.err).contains("absent", "--spool-folder");
    }

    /** The image cannot grow: a limit of the process on the size of files. */
    private static List<String> withoutRoom(Path delta, Object... arguments) throws Exception {
        var command = new ArrayList<>(List.of("/bin/bash", "-c", "ulimit -f 8192; exec \"$@\"", "bash"));
        command.addAll(process(arguments).command());

        var apply = new ProcessBuilder(command).redirectInput(delta.toFile()).start();
        var said = new String(apply.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(exitCode(apply)).as(said).isEqualTo(4);
        return List.of(said.replaceAll("(?s).*finish it by tidemark block ([^\n]+).*", "$1")
                .split(" "));
    }

    @Test
    void deltaWhoseApplicationFailedHalfWayStaysAndFinishesIt() throws Exception {
        var grown = Files.write(newer, Arrays.copyOf(Files.readAllBytes(older), 20_000_000));
        var delta = Files.write(folder.resolve("delta"), pipedDelta());

        var advised = withoutRoom(delta, "apply", "-", older);

        assertThat(Path.of(advised.get(1))).hasSameBinaryContentAs(delta);
        var finished = run(new byte[0], advised.toArray());
        assertThat(finished.exitCode).as(finished.err).isZero();
        assertThat(Files.mismatch(older, grown)).isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void forcedApplicationThatFailedHalfWayIsFinishedByForce(boolean piped) throws Exception {
        Files.write(newer, Arrays.copyOf(Files.readAllBytes(older), 20_000_000));
        var delta = Files.write(folder.resolve("delta"), pipedDelta());
        var strange = Files.readAllBytes(older);
        strange[5]++;
        Files.write(older, strange);

        var advised = withoutRoom(delta, "apply", piped ? "-" : delta, older, "--force");

        var finished = run(new byte[0], advised.toArray());
        assertThat(finished.exitCode).as(finished.err).isZero();
        assertThat(older).hasBinaryContent(Arrays.copyOf(strange, 20_000_000));
    }

    @Test
    void imageMayHaveTheLongestName() throws Exception {
        var image = Files.copy(older, folder.resolve("ä".repeat(127) + "x"));

        var answer = run(pipedDelta(), "apply", "-", image);
        var made = run(new byte[0], "index", newer, "-o", folder.resolve("ö".repeat(127)));

        assertThat(answer.exitCode).as(answer.err).isZero();
        assertThat(Files.mismatch(image, newer)).isEqualTo(-1);
        assertThat(made.exitCode).as(made.err).isZero();
        assertThat(names()).hasSize(4).noneMatch(name -> name.startsWith("."));
    }

    @Test
    void lengthThatItsImageCannotGiveIsRefusedBeforeItFillsTheStorage() throws Exception {
        var forged = fileDelta();
        ByteBuffer.wrap(forged).putLong(104, Long.MAX_VALUE);
        var crc = new CRC32C();
        crc.update(forged, 0, 156);
        ByteBuffer.wrap(forged).putInt(156, (int) crc.getValue());

        var answer = run(forged, "apply", "-", older);

        assertThat(answer.exitCode).isEqualTo(3);
        assertThat(answer.err).contains("damaged at byte 104", "%d bytes".formatted(Long.MAX_VALUE));
        assertThat(names()).containsExactly("newer", "older");
    }

    /** The thread that would write runs on while a signal ends the process. */
    @Test
    void imageIsNotWrittenOnceItsDeltaWasRemovedByASignal() throws Exception {
        try (var progress = new ProgressLine(new PrintWriter(new StringWriter()), false, "receive", 0);
                var delta = SpooledDelta.receive(new ByteArrayInputStream(pipedDelta()), folder, older, progress)) {
            delta.end();

            assertThatThrownBy(delta::keep).isInstanceOf(IOException.class);
            assertThat(names()).containsExactly("newer", "older");
        }
    }

    @Test
    void signalLeavesTheDeltaOfAnImageThatIsBeingWritten() throws Exception {
        try (var progress = new ProgressLine(new PrintWriter(new StringWriter()), false, "receive", 0);
                var delta = SpooledDelta.receive(new ByteArrayInputStream(pipedDelta()), folder, older, progress)) {
            var kept = delta.keep();

            delta.end();

            assertThat(kept).hasBinaryContent(pipedDelta());
        }
    }

    @Test
    void pipeIsComparedWithAnImageOnEitherSide() throws Exception {
        var equal = run(Files.readAllBytes(older), "verify", older, "-", "--json");
        var different = run(Files.readAllBytes(older), "verify", "-", newer, "--json");

        assertThat(equal.exitCode).as(equal.err).isZero();
        assertThat(equal.out).contains("\"right\":\"standard input\"", "\"comparedBy\":\"xxh3-128\"");
        assertThat(different.exitCode).as(different.err).isEqualTo(1);
        assertThat(different.out).contains("\"left\":\"standard input\",", "\"leftBytes\":3000000,");
    }

    @Test
    void pipeIsComparedWithAnIndex() throws Exception {
        var index = folder.resolve("index");
        run(new byte[0], "index", older, "-o", index, "--hash", "sha-256", "--block-bytes", "512");
        var bytes = Files.readAllBytes(older);

        assertThat(run(bytes, "verify", "-", index).exitCode).isZero();
        bytes[2_000_000]++;
        var answer = run(bytes, "verify", index, "-");

        assertThat(answer.exitCode).isEqualTo(1);
        assertThat(answer.out).contains("different: 1 blocks of 512 bytes", "bytes 1999872 to 2000383");
    }

    /** Else what a command that failed did not say would be a good index of nothing. */
    @Test
    void emptyPipeMakesNoIndex() throws Exception {
        var answer = run(new byte[0], "index", "-", "-o", folder.resolve("none"));

        assertThat(answer.exitCode).isEqualTo(3);
        assertThat(answer.err).contains("standard input is empty");
        assertThat(folder.resolve("none")).doesNotExist();
    }

    @Test
    void emptyPipeIsAnEmptyImage() throws Exception {
        var empty = Files.createFile(folder.resolve("empty"));

        assertThat(run(new byte[0], "verify", "-", empty).exitCode).isZero();
        assertThat(run(new byte[0], "verify", older, "-").exitCode).isEqualTo(1);
    }

    @Test
    void onlyOneSideMayBeAPipe() {
        for (var arguments : List.of("verify - -", "apply - -", "diff --base - - -o -", "diff --base @ - -o -")) {
            var answer = run(new byte[0], (Object[])
                    arguments.replace("@", older.toString()).split(" "));

            assertThat(answer.exitCode).as(answer.err).isEqualTo(2);
            assertThat(answer.err).contains("- stands for");
            assertThat(answer.out).isEmpty();
        }
    }
}
