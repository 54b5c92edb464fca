package io.tidemark.cli.block;

import io.tidemark.block.BlockException;
import io.tidemark.block.LeafComparison;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "verify",
        description = {
            "Compares two images, or an image with an index, by the digests of their blocks.",
            "Exit code 0 when they are equal, 1 when they differ."
        })
final class VerifyCommand extends BlockSubcommand {
    /** Ranges named in JSON: enough to act on, bounded for an image that differs everywhere. */
    private static final int RANGES_IN_JSON = 1_000;

    private static final int RANGES_IN_TEXT = 10;

    @Mixin
    private HashOptions hashing = new HashOptions();

    @Parameters(index = "0", paramLabel = "A", description = "An image file, a block device, or an index.")
    private @Nullable Path left;

    @Parameters(index = "1", paramLabel = "B", description = "What it should be equal to.")
    private @Nullable Path right;

    @Override
    int run() throws IOException, BlockException, CommandFailure {
        if (left == null || right == null) {
            throw new AssertionError("required parameters");
        }
        try (var threads = Hashing.start(hashing.threads());
                var a = LeafSource.open(left);
                var b = LeafSource.open(right)) {
            var shape = a.index().isPresent() ? HashShape.of(hashing, a, left) : HashShape.of(hashing, b, right);
            LeafComparison.Outcome found;
            boolean leftIsLarger = b.index().isPresent() || (a.index().isEmpty() && a.imageBytes() >= b.imageBytes());
            try (var progress = progress("verify", Math.max(a.imageBytes(), b.imageBytes()));
                    var quiet = silence();
                    var leftLeaves =
                            a.leaves(shape.algorithm(), shape.blockBytes(), threads, leftIsLarger ? progress : quiet);
                    var rightLeaves =
                            b.leaves(shape.algorithm(), shape.blockBytes(), threads, leftIsLarger ? quiet : progress)) {
                found = LeafComparison.run(threads.kernel(), leftLeaves, rightLeaves, RANGES_IN_JSON);
            }
            boolean equal = a.imageBytes() == b.imageBytes() && found.differingBlocks() == 0;
            print(a, b, shape, found, equal);
            return equal ? BlockExit.OK : BlockExit.DIFFERS;
        }
    }

    private void print(LeafSource a, LeafSource b, HashShape shape, LeafComparison.Outcome found, boolean equal) {
        var document = new ResultDocument()
                .put("ok", true)
                .put("equal", equal)
                .put("left", a.file().name())
                .put("right", b.file().name())
                .put("leftBytes", a.imageBytes())
                .put("rightBytes", b.imageBytes())
                .put("leftRoot", found.leftRoot().hex())
                .put("rightRoot", found.rightRoot().hex())
                .put("hash", HashOptions.name(shape.algorithm()))
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
        var lines = new ArrayList<String>();
        if (equal) {
            lines.add("equal: %s, root %s (%s)"
                    .formatted(
                            Sizes.text(a.imageBytes()), found.leftRoot().hex(), HashOptions.name(shape.algorithm())));
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
    }
}
