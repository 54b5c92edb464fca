package io.tidemark.block;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * One record of a delta, checked.
 *
 * @param extents ascending, disjoint, after those of the record before
 * @param baseDigests digest in the base of each block that the base has, in order
 * @param data bytes of all blocks that are not zero, in order; a direct buffer that the next record reuses
 */
public record DeltaRecord(List<DeltaExtent> extents, ByteBuffer baseDigests, ByteBuffer data) {
    public DeltaRecord {
        extents = List.copyOf(extents);
    }
}
