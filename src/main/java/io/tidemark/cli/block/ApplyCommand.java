package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.ByteReader;
import io.tidemark.block.DeltaApplication;
import io.tidemark.block.DeltaApplication.State;
import io.tidemark.block.DeltaHeader;
import io.tidemark.block.DeltaReader;
import io.tidemark.block.ImageGeometry;
import java.io.IOException;
import java.io.InputStream;
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
    /** Storage that lasts: what is left there finishes an application that a power cut ended. */
    private static final Path FOR_DEVICES = Path.of("/var/tmp");

    @Mixin
    private ReadOptions reading = new ReadOptions();

    @Option(
            names = "--force",
            description = "Write the blocks even when the image is not the base: the result is then another image.")
    private boolean force;

    @Option(names = "--dry-run", description = "Check, say what would be written, change nothing.")
    private boolean dryRun;

    @Option(
            names = "--spool-folder",
            paramLabel = "FOLDER",
            description = {
                "Where a delta from standard input waits until all of it is checked and written;",
                "default: the image's folder, /var/tmp for a device."
            })
    private @Nullable Path spoolFolder;

    @Parameters(
            index = "0",
            paramLabel = "DELTA",
            description = "Made by tidemark block diff, or - for standard input.")
    private @Nullable Path delta;

    @Parameters(index = "1", paramLabel = "IMAGE", description = "The base; nothing else may use it meanwhile.")
    private @Nullable Path image;

    @Override
    int run() throws IOException, BlockException, CommandFailure {
        if (delta == null || image == null) {
            throw new AssertionError("required parameters");
        }
        try (var threads = Hashing.start(reading)) {
            if (ImageFile.isPipe(delta)) {
                applyPipe(threads, image);
            } else {
                applyFile(threads, delta, image);
            }
        }
        return BlockExit.OK;
    }

    private void applyFile(Hashing threads, Path delta, Path image) throws IOException, BlockException, CommandFailure {
        try (var source = ImageFile.read(delta);
                var target = openTarget(image)) {
            if (Files.isSameFile(delta, image)) {
                throw new CommandFailure(
                        BlockExit.USAGE, delta + " is delta and image at once", "name the delta first, then the image");
            }
            target.refuseWhatIsNoImage();
            var plan = check(source, target, threads);
            if (plan.write()) {
                new SecondPass(delta, image, force).run(() -> write(source, target, threads));
            }
            print(plan);
        }
    }

    /** The image is locked before anything is read: who waits for the pipe need not fear for what comes after. */
    private void applyPipe(Hashing threads, Path image) throws IOException, BlockException, CommandFailure {
        var pipe = StandardInput.open();
        try (var target = openTarget(image)) {
            target.refuseWhatIsNoImage();
            applySpooled(pipe, target, image, threads);
        }
    }

    private void applySpooled(InputStream pipe, ImageFile target, Path image, Hashing threads)
            throws IOException, BlockException, CommandFailure {
        try (var source = receive(pipe, image)) {
            var plan = check(source, target, threads);
            if (plan.write()) {
                new SecondPass(source.keep(), image, force).run(() -> write(source, target, threads));
                source.release();
            }
            print(plan);
        }
    }

    private SpooledDelta receive(InputStream pipe, Path image) throws IOException, BlockException, CommandFailure {
        try (var progress = progress("receive", 0)) {
            return SpooledDelta.receive(pipe, spoolFolder(image), image, progress);
        }
    }

    private Path spoolFolder(Path image) throws IOException {
        if (spoolFolder != null) {
            return spoolFolder;
        }
        return ImageFile.isBlockDevice(image) ? FOR_DEVICES : NewFile.folderOf(image);
    }

    private ImageFile openTarget(Path path) throws IOException, CommandFailure {
        return dryRun ? ImageFile.read(path) : ImageFile.write(path);
    }

    /** @param write whether there is anything to write */
    private record Plan(DeltaHeader header, DeltaApplication.Check found, boolean write) {}

    private Plan check(ByteReader source, ImageFile target, Hashing threads) throws IOException, BlockException {
        try (var delta = DeltaReader.open(source, threads.kernel())) {
            var header = delta.header();
            long bytes =
                    DeltaApplication.bytesToHash(header, target.name(), target.sizeBytes(), target.fixedSize(), force);
            var geometry = new ImageGeometry(bytes, header.base().blockBytes());
            try (var progress = progress("check", bytes);
                    var leaves = new HashedImage(target, geometry, header.algorithm(), threads, progress)) {
                var found = DeltaApplication.check(threads.kernel(), delta, leaves, force);
                return new Plan(header, found, !dryRun && found.state() != State.APPLIED);
            }
        }
    }

    private void write(ByteReader source, ImageFile target, Hashing threads) throws IOException, BlockException {
        try (var progress = progress("apply", source.sizeBytes());
                var delta = DeltaReader.open(new Watched(source, progress), threads.kernel())) {
            DeltaApplication.write(delta, target);
        }
    }

    private void print(Plan plan) {
        var header = plan.header();
        var found = plan.found();
        String outcome = outcome(found, plan.write());
        if (!found.resultMatches()) {
            warn("the image was not the delta's base, and is not its result now");
        }
        print(
                new ResultDocument()
                        .put("ok", true)
                        .put("delta", String.valueOf(delta))
                        .put("image", String.valueOf(image))
                        .put("outcome", outcome)
                        .put("written", plan.write())
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
