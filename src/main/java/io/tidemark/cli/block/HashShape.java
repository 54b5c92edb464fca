package io.tidemark.cli.block;

import io.tidemark.nativeblock.HashAlgorithm;
import java.nio.file.Path;

/** Algorithm and block size of a comparison: an index decides, else the options, else the defaults. */
record HashShape(HashAlgorithm algorithm, int blockBytes) {

    static HashShape of(HashOptions options, LeafSource source, Path path) throws CommandFailure {
        var askedAlgorithm = options.algorithm();
        var askedBlockBytes = options.blockBytes();
        if (source.index().isEmpty()) {
            return new HashShape(
                    askedAlgorithm.orElse(HashAlgorithm.XXH3_128),
                    askedBlockBytes.orElse(HashOptions.DEFAULT_BLOCK_BYTES));
        }
        var index = source.index().get();
        var found = new HashShape(index.algorithm(), index.geometry().blockBytes());
        if (askedAlgorithm.orElse(found.algorithm) != found.algorithm
                || askedBlockBytes.orElse(found.blockBytes) != found.blockBytes) {
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    "index %s was made with --hash %s --block-bytes %d"
                            .formatted(path, HashOptions.name(found.algorithm), found.blockBytes),
                    "leave these options out, or make a new index");
        }
        return found;
    }
}
