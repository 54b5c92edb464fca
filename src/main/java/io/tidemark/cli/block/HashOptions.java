package io.tidemark.cli.block;

import io.tidemark.block.ImageGeometry;
import io.tidemark.nativeblock.HashAlgorithm;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How images are cut into blocks and hashed, and how they are read. */
final class HashOptions {
    static final int DEFAULT_BLOCK_BYTES = 4096;

    @Option(
            names = "--hash",
            paramLabel = "ALGORITHM",
            description = "xxh3-128 (default; finds accidents) or sha-256 (where an adversary may choose blocks).")
    private @Nullable String hash;

    @Option(
            names = "--block-bytes",
            paramLabel = "SIZE",
            description = "Power of two from 512 to 16M; default 4096. Smaller finds less, larger keeps less.")
    private @Nullable String blockBytes;

    @Mixin
    private ReadOptions reading = new ReadOptions();

    /** Empty when not given: then an index on the command line decides. */
    Optional<HashAlgorithm> algorithm() throws CommandFailure {
        if (hash == null) {
            return Optional.empty();
        }
        return Optional.of(
                switch (hash.toLowerCase(Locale.ROOT)) {
                    case "xxh3-128" -> HashAlgorithm.XXH3_128;
                    case "sha-256" -> HashAlgorithm.SHA_256;
                    default ->
                        throw new CommandFailure(
                                BlockExit.USAGE,
                                "--hash %s is not an algorithm".formatted(hash),
                                "use xxh3-128 or sha-256");
                });
    }

    /** Empty when not given: then an index on the command line decides. */
    Optional<Integer> blockBytes() throws CommandFailure {
        if (blockBytes == null) {
            return Optional.empty();
        }
        long bytes = Sizes.parse(blockBytes);
        if (!ImageGeometry.validBlockBytes(bytes)) {
            throw new CommandFailure(
                    BlockExit.USAGE,
                    "--block-bytes %s is not a power of two from %d to %d"
                            .formatted(
                                    blockBytes, ImageGeometry.MINIMUM_BLOCK_BYTES, ImageGeometry.MAXIMUM_BLOCK_BYTES),
                    "use 4096, or 64k where the index must be small");
        }
        return Optional.of((int) bytes);
    }

    ReadOptions reading() {
        return reading;
    }

    /** Whether somebody asked for digests rather than for any comparison. */
    boolean hashAsked() {
        return hash != null;
    }

    static String name(HashAlgorithm algorithm) {
        return switch (algorithm) {
            case XXH3_128 -> "xxh3-128";
            case SHA_256 -> "sha-256";
        };
    }
}
