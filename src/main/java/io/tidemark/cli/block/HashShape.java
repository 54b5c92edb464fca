package io.tidemark.cli.block;

import io.tidemark.block.BlockIndex;
import io.tidemark.nativeblock.HashAlgorithm;
import java.nio.file.Path;

/** Algorithm and block size of a comparison: an index decides, else the options, else the defaults. */
record HashShape(HashAlgorithm algorithm, int blockBytes) {

    static HashShape of(HashOptions options, LeafSource source, Path path) throws CommandFailure {
        if (source.index().isEmpty()) {
            return new HashShape(
                    options.algorithm().orElse(HashAlgorithm.XXH3_128),
                    options.blockBytes().orElse(HashOptions.DEFAULT_BLOCK_BYTES));
        }
        return of(options, source.index().get(), path);
    }

    /** The index's, which the options may repeat. */
    static HashShape of(HashOptions options, BlockIndex index, Path path) throws CommandFailure {
        var found = new HashShape(index.algorithm(), index.geometry().blockBytes());
        if (options.algorithm().orElse(found.algorithm) != found.algorithm
                || options.blockBytes().orElse(found.blockBytes) != found.blockBytes) {
            throw new CommandFailure(
                    BlockExit.BAD_INPUT,
                    "index %s was made with --hash %s --block-bytes %d"
                            .formatted(path, HashOptions.name(found.algorithm), found.blockBytes),
                    "leave these options out, or make a new index");
        }
        return found;
    }
}
