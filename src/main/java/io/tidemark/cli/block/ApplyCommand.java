package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.ByteReader;
import io.tidemark.block.DeltaApplication;
import io.tidemark.block.DeltaApplication.State;
import io.tidemark.block.DeltaHeader;
import io.tidemark.block.DeltaReader;
import io.tidemark.block.ImageGeometry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "apply",
        description = {
            "Writes a delta's blocks to its base, in place. First checks all of the delta and of the image,",
            "and changes nothing unless the result is certain. Run again, it finishes what was interrupted."
        })
final class ApplyCommand extends BlockSubcommand {
    @Mixin
    private ReadOptions reading = new ReadOptions();

    @Option(
            names = "--force",
            description = "Write the blocks even when the image is not the base: the result is then another image.")
    private boolean force;

    @Option(names = "--dry-run", description = "Check, say what would be written, change nothing.")
    private boolean dryRun;

    @Parameters(index = "0", paramLabel = "DELTA", description = "Made by tidemark block diff.")
    private @Nullable Path delta;

    @Parameters(index = "1", paramLabel = "IMAGE", description = "The base; nothing else may use it meanwhile.")
    private @Nullable Path image;

    @Override
    int run() throws IOException, BlockException, CommandFailure {
        if (delta == null || image == null) {
            throw new AssertionError("required parameters");
        }
        try (var threads = Hashing.start(reading);
                var source = ImageFile.read(delta);
                var target = openTarget(image)) {
            if (Files.isSameFile(delta, image)) {
                throw new CommandFailure(
                        BlockExit.USAGE, delta + " is delta and image at once", "name the delta first, then the image");
            }
            DeltaHeader header;
            DeltaApplication.Check found;
            try (var reader = DeltaReader.open(source, threads.kernel())) {
                header = reader.header();
                found = check(reader, target, threads);
            }
            boolean write = !dryRun && found.state() != State.APPLIED;
            if (write) {
                try (var progress = progress("apply", source.sizeBytes());
                        var reader = DeltaReader.open(new Watched(source, progress), threads.kernel())) {
                    DeltaApplication.write(reader, target);
                }
            }
            print(header, found, write);
        }
        return BlockExit.OK;
    }

    private ImageFile openTarget(Path path) throws IOException, CommandFailure {
        return dryRun ? ImageFile.read(path) : ImageFile.write(path);
    }

    private DeltaApplication.Check check(DeltaReader reader, ImageFile target, Hashing threads)
            throws IOException, BlockException {
        var header = reader.header();
        long bytes = DeltaApplication.bytesToHash(header, target.name(), target.sizeBytes(), target.fixedSize(), force);
        var geometry = new ImageGeometry(bytes, header.base().blockBytes());
        try (var progress = progress("check", bytes);
                var leaves = new HashedImage(target, geometry, header.algorithm(), threads, progress)) {
            return DeltaApplication.check(threads.kernel(), reader, leaves, force);
        }
    }

    private void print(DeltaHeader header, DeltaApplication.Check found, boolean written) {
        String outcome = outcome(found, written);
        if (!found.resultMatches()) {
            warn("the image was not the delta's base, and is not its result now");
        }
        print(
                new ResultDocument()
                        .put("ok", true)
                        .put("delta", String.valueOf(delta))
                        .put("image", String.valueOf(image))
                        .put("outcome", outcome)
                        .put("written", written)
                        .put("dataBlocks", found.dataBlocks())
                        .put("zeroBlocks", found.zeroBlocks())
                        .put("blockBytes", header.result().blockBytes())
                        .put("imageBytes", header.result().sizeBytes())
                        .put("resultMatches", found.resultMatches())
                        .put("resultRoot", header.resultRoot().hex())
                        .putSeconds("seconds", seconds()),
                "%s: %d blocks with data, %d zero blocks; result root %s"
                        .formatted(
                                outcome,
                                found.dataBlocks(),
                                found.zeroBlocks(),
                                header.resultRoot().hex()));
    }

    private static String outcome(DeltaApplication.Check found, boolean written) {
        return switch (found.state()) {
            case APPLIED -> "already-applied";
            case BASE -> written ? "applied" : "would-apply";
            case PARTLY_APPLIED -> written ? "finished" : "would-finish";
            case OTHER -> written ? "forced" : "would-force";
        };
    }

    /** A delta that tells how far it was read. */
    private record Watched(ByteReader file, ProgressLine progress) implements ByteReader {
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
            progress.at(offsetBytes);
            file.read(offsetBytes, target);
        }
    }
}
