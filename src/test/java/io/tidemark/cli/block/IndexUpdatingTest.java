package io.tidemark.cli.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tidemark.block.BlockIndexUpdate;
import io.tidemark.block.DeltaReader;
import io.tidemark.block.ImageWriter;
import io.tidemark.nativeblock.BlockKernels;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** {@code block index --update}: an index follows its image at the cost of the change. */
final class IndexUpdatingTest {
    /** Over an index's first chunk of 65,536 digests of blocks of 512 bytes; the last block is short. */
    private static final int LENGTH = 40_000_001;

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

    private Path path(String name) {
        return folder.resolve(name);
    }

    private static void change(Path image, long offset, byte... bytes) throws IOException {
        try (var channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), offset);
        }
    }

    /** An image, its index, the image as it is later, and the delta between them. */
    @BeforeEach
    void imageThatChanged() throws IOException {
        var bytes = new byte[LENGTH];
        new Random(1).nextBytes(bytes);
        Files.write(path("older"), bytes);
        Files.copy(path("older"), path("newer"));
        change(path("newer"), 0, (byte) 1, (byte) 2);
        change(path("newer"), 20_000_000, new byte[10_000]);
        change(path("newer"), 33_554_000, new byte[2_000]);
        change(path("newer"), LENGTH - 1, (byte) 77, (byte) 0);
        try (var channel = FileChannel.open(path("newer"), StandardOpenOption.WRITE)) {
            channel.truncate(LENGTH);
        }
        make("xxh3-128");
    }

    private void make(String hash) {
        run("index", path("older"), "-o", path("index"), "--block-bytes", "512", "--hash", hash, "--force");
        run("index", path("newer"), "-o", path("anew"), "--block-bytes", "512", "--hash", hash, "--force");
        var diff = run("diff", "--base", path("index"), path("newer"), "-o", path("delta"), "--force");
        assertThat(diff.exitCode).as(diff.err).isZero();
    }

    private Answer update() {
        return run("index", path("newer"), "--update", path("index"), "--changed", path("delta"), "--json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"xxh3-128", "sha-256"})
    void updatedIndexIsTheOneThatWouldBeMadeAnew(String hash) throws Exception {
        make(hash);

        var answer = update();

        assertThat(answer.exitCode).as(answer.err).isZero();
        assertThat(answer.out).contains("\"outcome\":\"updated\"", "\"hash\":\"" + hash + "\"", "\"hashedBlocks\":28,");
        assertThat(path("index")).hasSameBinaryContentAs(path("anew"));
        assertThat(path("index.journal")).doesNotExist();
        assertThat(update().out).contains("\"outcome\":\"already-up-to-date\"", "\"hashedBlocks\":0,");
    }

    @Test
    void onlyWhatTheDeltaNamesIsRead() throws Exception {
        // Damage that nobody may notice: no block there is named.
        change(path("newer"), 10_000_000, (byte) 1, (byte) 2, (byte) 3);

        assertThat(update().exitCode).isZero();

        assertThat(path("index")).hasSameBinaryContentAs(path("anew"));
    }

    /** Stops writing after so many calls, as a killed process does. */
    private record Dying(ImageWriter file, AtomicInteger writesLeft) implements ImageWriter {
        private void dieWhenDue() throws IOException {
            if (writesLeft.getAndDecrement() <= 0) {
                throw new IOException("killed");
            }
        }

        @Override
        public String name() {
            return file.name();
        }

        @Override
        public long sizeBytes() {
            return file.sizeBytes();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws IOException {
            file.read(offsetBytes, target);
        }

        @Override
        public void write(long offsetBytes, ByteBuffer source) throws IOException {
            dieWhenDue();
            file.write(offsetBytes, source);
        }

        @Override
        public boolean fixedSize() {
            return false;
        }

        @Override
        public void resize(long sizeBytes) throws IOException {
            dieWhenDue();
            file.resize(sizeBytes);
        }

        @Override
        public void writeZeroes(long offsetBytes, long lengthBytes) throws IOException {
            dieWhenDue();
            file.writeZeroes(offsetBytes, lengthBytes);
        }

        @Override
        public void flush() throws IOException {
            dieWhenDue();
            file.flush();
        }
    }

    private void updateKilledAfter(int writes) throws Exception {
        var left = new AtomicInteger(writes);
        try (var image = ImageFile.read(path("newer"));
                var index = ImageFile.write(path("index"));
                var journal = ImageFile.journal(path("index.journal"));
                var threads = Hashing.start(new ReadOptions());
                var delta = DeltaReader.open(ImageFile.read(path("delta")), BlockKernels.best())) {
            var progress = new ProgressLine(new PrintWriter(new StringWriter()), false, "test", 0);
            var update = BlockIndexUpdate.begin(BlockKernels.best(), new Dying(index, left), new Dying(journal, left));
            new ChangedImage(image, update.index(), threads, progress).putInto(update, delta);
            update.finish(root -> {});
        }
    }

    @Test
    void updateKilledAtAnyWriteIsFinishedByRunningItAgain() throws Exception {
        var before = Files.copy(path("index"), path("before"));
        int refused = 0;
        boolean died = true;
        for (int writes = 0; died; writes++) {
            Files.copy(before, path("index"), StandardCopyOption.REPLACE_EXISTING);
            Files.deleteIfExists(path("index.journal"));
            int most = writes;
            died = catchThrowable(() -> updateKilledAfter(most)) instanceof IOException;

            var verify = run("verify", path("index"), path("newer"));
            var again = update();

            if (verify.exitCode == 3) {
                refused++;
                assertThat(verify.err).contains("between two states", "--update");
            }
            assertThat(again.exitCode)
                    .as("after %d writes: %s", writes, again.err)
                    .isZero();
            assertThat(path("index")).hasSameBinaryContentAs(path("anew"));
            assertThat(path("index.journal")).doesNotExist();
        }
        assertThat(refused).isPositive();
    }

    @Test
    void indexThatAnotherProcessUpdatesIsLeftAlone() throws Exception {
        var before = Files.readAllBytes(path("index"));
        try (var channel = FileChannel.open(path("index"), StandardOpenOption.WRITE);
                var lock = channel.lock()) {
            assertThat(lock.isValid()).isTrue();

            assertThat(update().err).contains("locked by another process");
        }
        assertThat(path("index")).hasBinaryContent(before);
    }

    @Test
    void imageThatDoesNotHoldTheDeltasResultIsRefused() throws Exception {
        change(path("newer"), 20_000_000, (byte) 9);
        var before = Files.readAllBytes(path("index"));

        var answer = update();

        assertThat(answer.exitCode).isEqualTo(3);
        assertThat(answer.err).contains("newer does not hold the delta's result", "apply the delta to the image first");
        assertThat(path("index")).hasBinaryContent(before);
        assertThat(path("index.journal")).doesNotExist();
    }

    /** Exit code, a part of the message, arguments: {@code @} stands for the folder. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            2 | mutually exclusive | @/newer --update @/index --changed @/delta -o @/new
            2 | Missing required | @/newer --update @/index --changed @/delta --force
            2 | Missing required | @/newer --update @/index
            2 | Missing required | @/newer --changed @/delta
            2 | cannot be used with a pipe | - --update @/index --changed @/delta
            2 | are not three files | @/newer --update @/index --changed @/index
            2 | are not three files | @/newer --update @/newer --changed @/delta
            3 | does not exist | @/newer --update @/absent --changed @/delta
            3 | is not a block-hash index | @/newer --update @/older --changed @/delta
            3 | is not a delta | @/newer --update @/index --changed @/older
            3 | is damaged | @/newer --update @/index --changed @/broken-delta
            3 | is damaged | @/newer --update @/broken-index --changed @/delta
            3 | was made with | @/newer --update @/index --changed @/delta --hash sha-256
            3 | was made with | @/newer --update @/index --changed @/delta --block-bytes 4096
            3 | cannot be compared | @/newer --update @/sha-index --changed @/delta
            3 | is of an image of 100 bytes | @/newer --update @/small-index --changed @/delta
            3 | to one of 40000101 | @/newer --update @/index --changed @/growing-delta
            3 | has 100 bytes | @/small --update @/index --changed @/delta
            3 | is not the index of the delta's base | @/newer --update @/other-index --changed @/delta
            """)
    void whatDoesNotGoTogetherIsRefusedAndNothingIsChanged(int exitCode, String message, String arguments)
            throws Exception {
        Files.write(path("small"), new byte[100]);
        Files.copy(path("newer"), path("longer"));
        change(path("longer"), LENGTH, new byte[100]);
        Files.copy(path("older"), path("other"));
        change(path("other"), 5, (byte) 5, (byte) 6);
        run("index", path("older"), "-o", path("sha-index"), "--block-bytes", "512", "--hash", "sha-256");
        run("index", path("small"), "-o", path("small-index"), "--block-bytes", "512");
        run("index", path("other"), "-o", path("other-index"), "--block-bytes", "512");
        run("diff", "--base", path("index"), path("longer"), "-o", path("growing-delta"));
        change(Files.copy(path("delta"), path("broken-delta")), 300, (byte) 1, (byte) 1, (byte) 1);
        change(Files.copy(path("index"), path("broken-index")), 200, (byte) 1, (byte) 1, (byte) 1);
        var before = everything();

        var answer = run((Object[])
                ("index " + arguments).replace("@", folder.toString()).split(" "));

        assertThat(answer.err).contains(message);
        assertThat(answer.exitCode).isEqualTo(exitCode);
        assertThat(everything()).isEqualTo(before);
    }

    private String everything() throws IOException {
        var text = new StringBuilder();
        try (var files = Files.list(folder)) {
            for (var file : files.sorted().toList()) {
                text.append(file)
                        .append(' ')
                        .append(Arrays.hashCode(Files.readAllBytes(file)))
                        .append('\n');
            }
        }
        return text.toString();
    }
}
