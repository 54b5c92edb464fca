package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.BlockIndexWriter;
import io.tidemark.block.Digest;
import io.tidemark.block.ImageGeometry;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.nativeblock.HashAlgorithm;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "index",
        description = {
            "Writes the digest of every block of an image to a file, about 1/256 of its size,",
            "against which diff finds what changed later."
        })
final class IndexCommand extends BlockSubcommand {
    private static final Path PIPE = Path.of("-");

    @Mixin
    private HashOptions hashing = new HashOptions();

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FILE",
            description = "The index to write.")
    private @Nullable Path output;

    @Option(names = "--force", description = "Replace the index if it exists.")
    private boolean force;

    @Parameters(
            paramLabel = "IMAGE",
            description = "An image file or block device that nothing writes to, or - for standard input.")
    private @Nullable Path image;

    @Override
    int run() throws IOException, BlockException, CommandFailure {
        if (output == null || image == null) {
            throw new AssertionError("required parameters");
        }
        var algorithm = hashing.algorithm().orElse(HashAlgorithm.XXH3_128);
        int blockBytes = hashing.blockBytes().orElse(HashOptions.DEFAULT_BLOCK_BYTES);
        if (image.equals(PIPE)) {
            return indexPipe(output, algorithm, blockBytes);
        }
        try (var threads = Hashing.start(hashing.reading());
                var source = ImageFile.read(image);
                var file = NewFile.create(output, force, image)) {
            var geometry = new ImageGeometry(source.sizeBytes(), blockBytes);
            var writer = new BlockIndexWriter(file, threads.kernel(), algorithm, geometry);
            Digest root;
            long holeBytes;
            try (var progress = progress("index", geometry.sizeBytes());
                    var leaves = new HashedImage(source, geometry, algorithm, threads, progress)) {
                for (var span = leaves.nextSpan(); span.hasRemaining(); span = leaves.nextSpan()) {
                    writer.append(span);
                }
                root = writer.finish();
                holeBytes = leaves.holeBytes();
            }
            file.publish();
            print(new Made(
                    geometry,
                    algorithm,
                    root,
                    holeBytes,
                    writer.fileBytes(),
                    threads.served().text()));
        }
        return BlockExit.OK;
    }

    private int indexPipe(Path target, HashAlgorithm algorithm, int blockBytes) throws IOException, CommandFailure {
        hashing.reading().refuseForPipe();
        var kernel = BlockKernels.best();
        try (var file = NewFile.create(target, force);
                var progress = progress("index", 0);
                var piped = PipedImage.read(System.in, kernel, algorithm, blockBytes, progress)) {
            var geometry = new ImageGeometry(piped.sizeBytes(), blockBytes);
            var writer = new BlockIndexWriter(file, kernel, algorithm, geometry);
            piped.appendTo(writer, algorithm, geometry);
            var root = writer.finish();
            file.publish();
            print(new Made(geometry, algorithm, root, 0, writer.fileBytes(), "pipe"));
        }
        return BlockExit.OK;
    }

    /** @param read how the image was read */
    private record Made(
            ImageGeometry geometry,
            HashAlgorithm algorithm,
            Digest root,
            long holeBytes,
            long indexBytes,
            String read) {}

    private void print(Made made) {
        var geometry = made.geometry();
        print(
                new ResultDocument()
                        .put("ok", true)
                        .put("image", String.valueOf(image))
                        .put("imageBytes", geometry.sizeBytes())
                        .put("holeBytes", made.holeBytes())
                        .put("blockBytes", geometry.blockBytes())
                        .put("blocks", geometry.blockCount())
                        .put("hash", HashOptions.name(made.algorithm()))
                        .put("root", made.root().hex())
                        .put("index", String.valueOf(output))
                        .put("indexBytes", made.indexBytes())
                        .put("kernel", BlockKernels.best().name())
                        .put("read", made.read())
                        .putSeconds("seconds", seconds()),
                "indexed %s: %s in %d blocks of %d bytes, %s/s"
                        .formatted(
                                image,
                                Sizes.text(geometry.sizeBytes()),
                                geometry.blockCount(),
                                geometry.blockBytes(),
                                Sizes.text((long) (geometry.sizeBytes() / seconds()))),
                "root %s (%s), index %s, %s"
                        .formatted(
                                made.root().hex(),
                                HashOptions.name(made.algorithm()),
                                output,
                                Sizes.text(made.indexBytes())));
    }
}
