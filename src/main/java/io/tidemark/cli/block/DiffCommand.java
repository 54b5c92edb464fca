package io.tidemark.cli.block;

import io.tidemark.block.BlockError;
import io.tidemark.block.BlockException;
import io.tidemark.block.DeltaMaker;
import io.tidemark.block.DeltaStart;
import io.tidemark.block.DeltaWriter;
import io.tidemark.block.ImageGeometry;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "diff",
        description = {
            "Writes the blocks of an image that its base does not have to a delta.",
            "Applying the delta to the base gives the image."
        })
final class DiffCommand extends BlockSubcommand {
    @Mixin
    private HashOptions hashing = new HashOptions();

    @Option(
            names = "--base",
            required = true,
            paramLabel = "INDEX|IMAGE",
            description = "The older image, or the index that was made of it.")
    private @Nullable Path base;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "DELTA",
            description = {
                "The delta to write, or - for standard output:",
                "everything else then goes to standard error, with --json too."
            })
    private @Nullable Path output;

    @Option(names = "--force", description = "Replace the delta if it exists.")
    private boolean force;

    @Parameters(paramLabel = "IMAGE", description = "The newer image, that nothing writes to.")
    private @Nullable Path image;

    @Override
    int run() throws IOException, BlockException, CommandFailure {
        if (output == null || image == null || base == null) {
            throw new AssertionError("required parameters");
        }
        if (writesToStandardOutput()) {
            PipedDelta.refuseTerminal();
        }
        try (var threads = Hashing.start(hashing.reading());
                var older = LeafSource.open(base);
                var newer = ImageFile.readImage(image)) {
            var shape = HashShape.of(hashing, older, base);
            var baseGeometry = new ImageGeometry(older.imageBytes(), shape.blockBytes());
            var geometry = new ImageGeometry(newer.sizeBytes(), shape.blockBytes());
            try (var target = writesToStandardOutput()
                    ? PipedDelta.toStandardOutput(shape.algorithm(), baseGeometry, geometry)
                    : NewFile.create(output, force, image, base)) {
                DeltaMaker.Made made;
                long deltaBytes;
                try (var progress = progress("diff", geometry.sizeBytes() + older.bytesToHash());
                        var baseLeaves = older.leaves(shape.algorithm(), shape.blockBytes(), threads, progress);
                        var leaves = new HashedImage(newer, geometry, shape.algorithm(), threads, progress);
                        var delta =
                                new DeltaWriter(target, threads.kernel(), shape.algorithm(), baseGeometry, geometry)) {
                    made = new DeltaMaker(threads.kernel(), baseLeaves, leaves, threads.paced(newer), delta).make();
                    deltaBytes = delta.fileBytes() + (writesToStandardOutput() ? DeltaStart.LENGTH_BYTES : 0);
                }
                checkBase(older, made);
                target.publish();
                print(new Written(
                        shape,
                        baseGeometry,
                        geometry,
                        made,
                        deltaBytes,
                        threads.served().text()));
            }
        }
        return BlockExit.OK;
    }

    @Override
    boolean writesToStandardOutput() {
        return output != null && ImageFile.isPipe(output);
    }

    /** @param read how the image was read */
    private record Written(
            HashShape shape,
            ImageGeometry base,
            ImageGeometry result,
            DeltaMaker.Made made,
            long deltaBytes,
            String read) {}

    private void print(Written written) {
        var made = written.made();
        long changed = made.dataBlocks() + made.zeroBlocks();
        print(
                new ResultDocument()
                        .put("ok", true)
                        .put("base", String.valueOf(base))
                        .put("image", String.valueOf(image))
                        .put("delta", String.valueOf(output))
                        .put("baseBytes", written.base().sizeBytes())
                        .put("imageBytes", written.result().sizeBytes())
                        .put("blockBytes", written.shape().blockBytes())
                        .put("hash", HashOptions.name(written.shape().algorithm()))
                        .put("changedBlocks", changed)
                        .put("zeroBlocks", made.zeroBlocks())
                        .put("deltaBytes", written.deltaBytes())
                        .put("baseRoot", made.baseRoot().hex())
                        .put("root", made.resultRoot().hex())
                        .put("read", written.read())
                        .putSeconds("seconds", seconds()),
                "%d of %d blocks changed, %d of them to zero; delta %s, %s"
                        .formatted(
                                changed,
                                written.result().blockCount(),
                                made.zeroBlocks(),
                                output,
                                Sizes.text(written.deltaBytes())));
    }

    /** An index whose leaves do not give its own root is damaged in a way that no checksum showed. */
    private static void checkBase(LeafSource older, DeltaMaker.Made made) throws BlockException {
        var index = older.index();
        if (index.isPresent() && !index.get().root().equals(made.baseRoot())) {
            throw new BlockException(
                    new BlockError.Damaged(older.file().name(), 0, "its digests do not give its root"));
        }
    }
}
