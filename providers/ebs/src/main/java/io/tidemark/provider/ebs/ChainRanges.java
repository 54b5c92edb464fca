package io.tidemark.provider.ebs;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import java.util.BitSet;
import java.util.Optional;

/** Blocks of a set as ranges. Memory: a bit a block, 16 MiB for the largest volume there is, of 64 TiB. */
final class ChainRanges implements ChangedRanges {
    private final BitSet blocks;
    private final long sizeBytes;
    private int from;

    ChainRanges(BitSet blocks, long sizeBytes) {
        this.blocks = blocks;
        this.sizeBytes = sizeBytes;
    }

    /** Adds what the ranges name, and closes them. */
    static void add(ChangedRanges ranges, BitSet blocks) throws ProviderException {
        try (ranges) {
            for (var next = ranges.next(); next.isPresent(); next = ranges.next()) {
                var range = next.get();
                blocks.set(
                        Math.toIntExact(range.offsetBytes() / DirectCalls.BLOCK_BYTES),
                        Math.toIntExact((range.endBytes() - 1) / DirectCalls.BLOCK_BYTES) + 1);
            }
        }
    }

    @Override
    public int granularityBytes() {
        return DirectCalls.BLOCK_BYTES;
    }

    @Override
    public Confidence confidence() {
        return Confidence.COARSE;
    }

    @Override
    public String source() {
        return "ebs-chain";
    }

    @Override
    public Optional<BlockRange> next() {
        int first = blocks.nextSetBit(from);
        long offset = (long) first * DirectCalls.BLOCK_BYTES;
        if (first < 0 || offset >= sizeBytes) {
            from = Integer.MAX_VALUE;
            return Optional.empty();
        }
        from = blocks.nextClearBit(first);
        return Optional.of(new BlockRange(offset, Math.min((long) from * DirectCalls.BLOCK_BYTES, sizeBytes) - offset));
    }

    @Override
    public void close() {
        from = Integer.MAX_VALUE;
    }
}
