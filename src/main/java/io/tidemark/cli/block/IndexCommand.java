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
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "index",
        description = {
            "Writes the digest of every block of an image to a file, about 1/256 of its size,",
            "against which diff finds what changed later. With --update, an older index of the",
            "image is brought up to date: only the blocks that the delta names are read."
        })
final class IndexCommand extends BlockSubcommand {
    @Mixin
    private HashOptions hashing = new HashOptions();

    @ArgGroup(exclusive = true, multiplicity = "1")
    private @Nullable Written written;

    /** An index is made, or brought up to date. */
    private static final class Written {
        @ArgGroup(exclusive = false)
        private @Nullable Anew anew;

        @ArgGroup(exclusive = false)
        private @Nullable Update update;
    }

    private static final class Anew {
        @Option(
                names = {"-o", "--output"},
                required = true,
                paramLabel = "FILE",
                description = "The index to write.")
        private @Nullable Path output;

        @Option(names = "--force", description = "Replace the index if it exists.")
        private boolean force;
    }

    private static final class Update {
        @Option(
                names = "--update",
                required = true,
                paramLabel = "INDEX",
                description = "The image's index from before it changed; updated in place.")
        private @Nullable Path index;

        @Option(
                names = "--changed",
                required = true,
                paramLabel = "DELTA",
                description = "The delta that was made against this index, and that the image has now.")
        private @Nullable Path delta;
    }

    @Parameters(
            paramLabel = "IMAGE",
            description = "An image file or block device that nothing writes to, or - for standard input.")
    private @Nullable Path image;

    @Override
    int run() throws IOException, BlockException, CommandFailure {
        if (image == null || written == null) {
            throw new AssertionError("required parameters");
        }
        var update = written.update;
        if (update != null && update.index != null && update.delta != null) {
            if (ImageFile.isPipe(image)) {
                throw new CommandFailure(
                        BlockExit.USAGE,
                        "--update cannot be used with a pipe",
                        "name the image: only what changed of it is read");
            }
            var files = new IndexUpdating.Operands(image, update.index, update.delta);
            return new IndexUpdating(this, hashing, files).run();
        }
        var anew = written.anew;
        if (anew == null || anew.output == null) {
            throw new AssertionError("required parameters");
        }
        return make(anew.output, anew.force, image);
    }

    private int make(Path output, boolean force, Path image) throws IOException, BlockException, CommandFailure {
        var algorithm = hashing.algorithm().orElse(HashAlgorithm.XXH3_128);
        int blockBytes = hashing.blockBytes().orElse(HashOptions.DEFAULT_BLOCK_BYTES);
        if (ImageFile.isPipe(image)) {
            return indexPipe(output, force, algorithm, blockBytes);
        }
        try (var threads = Hashing.start(hashing.reading());
                var source = ImageFile.readImage(image);
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
                    output,
                    geometry,
                    algorithm,
                    root,
                    holeBytes,
                    writer.fileBytes(),
                    threads.served().text()));
        }
        return BlockExit.OK;
    }

    private int indexPipe(Path target, boolean force, HashAlgorithm algorithm, int blockBytes)
            throws IOException, CommandFailure {
        hashing.reading().refuseForPipe();
        var pipe = StandardInput.open();
        var kernel = BlockKernels.best();
        try (var file = NewFile.create(target, force);
                var progress = progress("index", 0);
                var piped = PipedImage.read(pipe, kernel, algorithm, blockBytes, progress)) {
            if (piped.sizeBytes() == 0) {
                throw new CommandFailure(
                        BlockExit.BAD_INPUT, "standard input is empty", "see what the command before the pipe said");
            }
            var geometry = new ImageGeometry(piped.sizeBytes(), blockBytes);
            var writer = new BlockIndexWriter(file, kernel, algorithm, geometry);
            piped.appendTo(writer, algorithm, geometry);
            var root = writer.finish();
            file.publish();
            print(new Made(target, geometry, algorithm, root, 0, writer.fileBytes(), "pipe"));
        }
        return BlockExit.OK;
    }

    /** @param read how the image was read */
    private record Made(
            Path output,
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
                        .put("index", made.output().toString())
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
                                made.output(),
                                Sizes.text(made.indexBytes())));
    }
}
