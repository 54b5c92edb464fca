package io.tidemark.cli.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.block.BlockError;
import io.tidemark.block.BlockException;
import io.tidemark.block.ImageGeometry;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Another file of the same size takes the name of an image that is open. */
final class ReplacedImageTest {
    private static final int LENGTH = 100_000;

    @TempDir
    private Path folder;

    private Path image(String name, int content) throws IOException {
        var bytes = new byte[LENGTH];
        Arrays.fill(bytes, (byte) content);
        return Files.write(folder.resolve(name), bytes);
    }

    private static void replace(Path image, Path by) throws IOException {
        Files.move(by, image, StandardCopyOption.REPLACE_EXISTING);
    }

    private static ProgressLine progress() {
        return new ProgressLine(new PrintWriter(new StringWriter()), false, "test", LENGTH);
    }

    @Test
    void replacedImageIsNotHashedAsIfItWereTheOneThatWasOpened() throws Exception {
        var path = image("image", 1);
        try (var image = ImageFile.read(path);
                var hashing = Hashing.start(new ReadOptions());
                var progress = progress();
                var hashed = new HashedImage(
                        image, new ImageGeometry(LENGTH, 4096), HashAlgorithm.XXH3_128, hashing, progress)) {
            replace(path, image("other", 2));

            var refused = catchThrowableOfType(BlockException.class, hashed::nextSpan);

            assertThat(refused.error()).isEqualTo(new BlockError.ImageChanged(path.toString(), 0));
        }
    }

    @Test
    void anImageStaysLockedWhenItIsReadByItsName() throws Exception {
        var path = image("image", 1);
        try (var image = ImageFile.write(path);
                var hashing = Hashing.start(new ReadOptions());
                var progress = progress();
                var hashed = new HashedImage(
                        image, new ImageGeometry(LENGTH, 4096), HashAlgorithm.XXH3_128, hashing, progress)) {
            hashed.nextSpan();
            assertThat(Files.readAllBytes(path)).hasSize(LENGTH);

            var refused = catchThrowableOfType(CommandFailure.class, () -> ImageFile.write(path));

            assertThat(refused).hasMessageContaining("locked by another process");
        }
        ImageFile.write(path).close();
    }

    @Test
    void replacedImageIsNotComparedAsIfItWereTheOneThatWasOpened() throws Exception {
        var path = image("image", 1);
        try (var left = ImageFile.read(image("left", 1));
                var right = ImageFile.read(path);
                var hashing = Hashing.start(new ReadOptions());
                var progress = progress()) {
            replace(path, image("other", 1));
            var comparison = new ImageComparison(left, right, 4096, hashing, 10);

            var refused = catchThrowableOfType(BlockException.class, () -> comparison.run(progress));

            assertThat(refused.error()).isEqualTo(new BlockError.ImageChanged(path.toString(), 0));
        }
    }

    @Test
    void holesAreNotPunchedIntoTheFileThatTookTheName() throws Exception {
        assumeTrue(BlockKernels.hostCalls().isPresent(), "no native library, so no holes");
        var path = image("image", 1);
        var opened = Files.createLink(folder.resolve("opened"), path);
        try (var image = ImageFile.write(path)) {
            replace(path, image("other", 2));

            image.writeZeroes(0, LENGTH);
        }

        assertThat(path).hasSameBinaryContentAs(image("expected", 2));
        assertThat(opened).hasSameBinaryContentAs(image("zeros", 0));
    }
}
