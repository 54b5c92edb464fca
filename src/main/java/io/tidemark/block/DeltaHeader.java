package io.tidemark.block;

import io.tidemark.nativeblock.HashAlgorithm;

/**
 * What a delta leads from and to.
 *
 * @param base geometry of the image it was made against; both have the same block size
 * @param baseRoot root of the base's checksum tree
 * @param resultRoot root of the image that applying it gives
 */
public record DeltaHeader(
        HashAlgorithm algorithm, ImageGeometry base, ImageGeometry result, Digest baseRoot, Digest resultRoot) {

    public DeltaHeader {
        if (base.blockBytes() != result.blockBytes()) {
            throw new IllegalArgumentException(
                    "block sizes differ: %d and %d".formatted(base.blockBytes(), result.blockBytes()));
        }
        if (baseRoot.algorithm() != algorithm || resultRoot.algorithm() != algorithm) {
            throw new IllegalArgumentException("roots are not of algorithm " + algorithm);
        }
    }
}
