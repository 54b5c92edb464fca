package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.LeafComparison;
import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "verify",
        description = {
            "Compares two images byte by byte, or an image with an index by the digests of its blocks; with --hash",
            "two images by digests too, which prints their roots, and an image from standard input in any case.",
            "Exit code 0 when they are equal, 1 when they differ."
        })
final class VerifyCommand extends BlockSubcommand {
    /** Ranges named in JSON: enough to act on, bounded for an image that differs everywhere. */
    private static final int RANGES_IN_JSON = 1_000;

    private static final int RANGES_IN_TEXT = 10;

    @Mixin
    private HashOptions hashing = new HashOptions();

    @Parameters(
            index = "0",
            paramLabel = "A",
            description = "An image file, a block device, an index, or - for an image on standard input.")
    private @Nullable Path left;

    @Parameters(index = "1", paramLabel = "B", description = "What it should be equal to.")
    private @Nullable Path right;

    @Override
    int run() throws IOException, BlockException, CommandFailure {
        if (left == null || right == null) {
            throw new AssertionError("required parameters");
        }
        try (var threads = Hashing.start(hashing.reading())) {
            if (ImageFile.isPipe(left) && ImageFile.isPipe(right)) {
                throw new CommandFailure(
                        BlockExit.USAGE,
                        "- stands for standard input, which is one thing only",
                        "name a file or device in place of one of the two");
            }
            if (ImageFile.isPipe(left)) {
                return comparePipe(threads, right, true);
            }
            return ImageFile.isPipe(right) ? comparePipe(threads, left, false) : compareFiles(threads, left, right);
        }
    }

    private int compareFiles(Hashing threads, Path left, Path right)
            throws IOException, BlockException, CommandFailure {
        try (var a = LeafSource.open(left);
                var b = LeafSource.open(right)) {
            var shape = a.index().isPresent() ? HashShape.of(hashing, a, left) : HashShape.of(hashing, b, right);
            boolean byDigests =
                    hashing.hashAsked() || a.index().isPresent() || b.index().isPresent();
            var found = byDigests ? digests(threads, a, b, shape) : bytes(threads, a, b, shape);
            return print(Side.of(a), Side.of(b), shape, found);
        }
    }

    /** Its size is known at its end, and by then its bytes are gone: digests are compared. */
    private int comparePipe(Hashing threads, Path path, boolean pipeIsLeft)
            throws IOException, BlockException, CommandFailure {
        try (var file = LeafSource.open(path)) {
            var shape = HashShape.of(hashing, file, path);
            try (var piped = receive(threads, shape);
                    var progress = progress("verify", file.bytesToHash());
                    var pipeLeaves = piped.leaves(shape.algorithm(), shape.blockBytes());
                    var leaves = file.leaves(shape.algorithm(), shape.blockBytes(), threads, progress)) {
                var outcome = LeafComparison.run(
                        threads.kernel(),
                        pipeIsLeft ? pipeLeaves : leaves,
                        pipeIsLeft ? leaves : pipeLeaves,
                        RANGES_IN_JSON);
                var pipe = new Side(StandardInput.NAME, piped.sizeBytes());
                var other = Side.of(file);
                return print(pipeIsLeft ? pipe : other, pipeIsLeft ? other : pipe, shape, Found.of(outcome, threads));
            }
        }
    }

    private PipedImage receive(Hashing threads, HashShape shape) throws IOException, CommandFailure {
        try (var progress = progress("receive", 0)) {
            return PipedImage.read(
                    StandardInput.open(), threads.kernel(), shape.algorithm(), shape.blockBytes(), progress);
        }
    }

    private record Side(String name, long imageBytes) {
        static Side of(LeafSource source) {
            return new Side(source.file().name(), source.imageBytes());
        }
    }

    /** @param roots present when digests were compared */
    private record Found(
            long differingBlocks, List<BlockRange> firstRanges, Optional<LeafComparison.Outcome> roots, String read) {
        static Found of(LeafComparison.Outcome outcome, Hashing threads) {
            return new Found(
                    outcome.differingBlocks(),
                    outcome.firstRanges(),
                    Optional.of(outcome),
                    threads.served().text());
        }
    }

    private Found digests(Hashing threads, LeafSource a, LeafSource b, HashShape shape)
            throws IOException, BlockException {
        try (var progress = progress("verify", a.bytesToHash() + b.bytesToHash());
                var leftLeaves = a.leaves(shape.algorithm(), shape.blockBytes(), threads, progress);
                var rightLeaves = b.leaves(shape.algorithm(), shape.blockBytes(), threads, progress)) {
            return Found.of(LeafComparison.run(threads.kernel(), leftLeaves, rightLeaves, RANGES_IN_JSON), threads);
        }
    }

    private Found bytes(Hashing threads, LeafSource a, LeafSource b, HashShape shape)
            throws IOException, BlockException {
        try (var progress = progress("verify", Math.min(a.imageBytes(), b.imageBytes()))) {
            var differing =
                    new ImageComparison(a.file(), b.file(), shape.blockBytes(), threads, RANGES_IN_JSON).run(progress);
            return new Found(
                    differing.differingBlocks(),
                    differing.ranges(),
                    Optional.empty(),
                    threads.served().text());
        }
    }

    /** Returns the exit code. */
    private int print(Side a, Side b, HashShape shape, Found found) {
        boolean equal = a.imageBytes() == b.imageBytes() && found.differingBlocks() == 0;
        var document = new ResultDocument()
                .put("ok", true)
                .put("equal", equal)
                .put("left", a.name())
                .put("right", b.name())
                .put("leftBytes", a.imageBytes())
                .put("rightBytes", b.imageBytes())
                .put("comparedBy", found.roots().isPresent() ? HashOptions.name(shape.algorithm()) : "bytes")
                .put("read", found.read())
                .put("blockBytes", shape.blockBytes())
                .put("differingBlocks", found.differingBlocks())
                .put(
                        "firstRanges",
                        found.firstRanges().stream()
                                .map(range -> new ResultDocument()
                                        .put("offsetBytes", range.offsetBytes())
                                        .put("lengthBytes", range.lengthBytes()))
                                .toList())
                .putSeconds("seconds", seconds());
        found.roots()
                .ifPresent(roots -> document.put("leftRoot", roots.leftRoot().hex())
                        .put("rightRoot", roots.rightRoot().hex())
                        .put("hash", HashOptions.name(shape.algorithm())));
        var lines = new ArrayList<String>();
        if (equal) {
            lines.add("equal: %s, %s"
                    .formatted(
                            Sizes.text(a.imageBytes()),
                            found.roots()
                                    .map(roots -> "root %s (%s)"
                                            .formatted(roots.leftRoot().hex(), HashOptions.name(shape.algorithm())))
                                    .orElse("byte by byte")));
        } else {
            lines.add("different: %d blocks of %d bytes".formatted(found.differingBlocks(), shape.blockBytes()));
            if (a.imageBytes() != b.imageBytes()) {
                lines.add("  sizes: %d and %d bytes".formatted(a.imageBytes(), b.imageBytes()));
            }
            found.firstRanges().stream()
                    .limit(RANGES_IN_TEXT)
                    .forEach(range ->
                            lines.add("  bytes %d to %d".formatted(range.offsetBytes(), range.endBytes() - 1)));
            if (found.firstRanges().size() > RANGES_IN_TEXT) {
                lines.add("  and more; --json names the first " + RANGES_IN_JSON);
            }
        }
        print(document, lines.toArray(new String[0]));
        return equal ? BlockExit.OK : BlockExit.DIFFERS;
    }
}
