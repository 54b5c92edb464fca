package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.BlockIndexWriter;
import io.tidemark.block.Digest;
import io.tidemark.block.ImageGeometry;
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

    @Parameters(paramLabel = "IMAGE", description = "An image file or block device that nothing writes to.")
    private @Nullable Path image;

    @Override
    int run() throws IOException, BlockException, CommandFailure {
        if (output == null || image == null) {
            throw new AssertionError("required parameters");
        }
        var algorithm = hashing.algorithm().orElse(HashAlgorithm.XXH3_128);
        int blockBytes = hashing.blockBytes().orElse(HashOptions.DEFAULT_BLOCK_BYTES);
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
            print(
                    new ResultDocument()
                            .put("ok", true)
                            .put("image", image.toString())
                            .put("imageBytes", geometry.sizeBytes())
                            .put("holeBytes", holeBytes)
                            .put("blockBytes", blockBytes)
                            .put("blocks", geometry.blockCount())
                            .put("hash", HashOptions.name(algorithm))
                            .put("root", root.hex())
                            .put("index", output.toString())
                            .put("indexBytes", writer.fileBytes())
                            .put("kernel", threads.kernel().name())
                            .put("read", threads.served().text())
                            .putSeconds("seconds", seconds()),
                    "indexed %s: %s in %d blocks of %d bytes, %s/s"
                            .formatted(
                                    image,
                                    Sizes.text(geometry.sizeBytes()),
                                    geometry.blockCount(),
                                    blockBytes,
                                    Sizes.text((long) (geometry.sizeBytes() / seconds()))),
                    "root %s (%s), index %s, %s"
                            .formatted(
                                    root.hex(), HashOptions.name(algorithm), output, Sizes.text(writer.fileBytes())));
        }
        return BlockExit.OK;
    }
}
