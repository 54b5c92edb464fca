package io.tidemark.provider.image;

import io.tidemark.spi.BlockRange;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Optional;
import java.util.TreeMap;

/**
 * 4 KiB blocks of an image, marked in any order and told in ascending ranges. Memory follows what is marked: 8 KiB for
 * each 256 MiB of image in which anything is.
 */
final class BlockSet {
    static final int BLOCK_BYTES = 4_096;
    private static final int PIECE_BLOCKS = 1 << 16;

    /** 128 MiB of memory: an image of 4 TiB changed all over. Past it the caller takes another way. */
    private static final int PIECES_MAXIMUM = 16_384;

    private final TreeMap<Long, BitSet> pieces = new TreeMap<>();

    /** @throws IOException when the set grows past its limit */
    void mark(long offsetBytes, long endBytes) throws IOException {
        if (endBytes <= offsetBytes) {
            return;
        }
        long block = offsetBytes / BLOCK_BYTES;
        long endBlock = (endBytes - 1) / BLOCK_BYTES + 1;
        while (block < endBlock) {
            long piece = block / PIECE_BLOCKS;
            long pieceEnd = Math.min(endBlock, (piece + 1) * PIECE_BLOCKS);
            var bits = pieces.computeIfAbsent(piece, index -> new BitSet());
            if (pieces.size() > PIECES_MAXIMUM) {
                throw new IOException("more than %d pieces of 256 MiB changed".formatted(PIECES_MAXIMUM));
            }
            bits.set((int) (block - piece * PIECE_BLOCKS), (int) (pieceEnd - piece * PIECE_BLOCKS));
            block = pieceEnd;
        }
    }

    /** Streams the marked ranges below {@code sizeBytes}; uses the set up. */
    Ranges ranges(long sizeBytes) {
        return new Ranges(sizeBytes);
    }

    final class Ranges {
        private final long sizeBytes;
        private final ArrayDeque<Long> left = new ArrayDeque<>(pieces.keySet());
        private int within;

        private Ranges(long sizeBytes) {
            this.sizeBytes = sizeBytes;
        }

        /** Ranges end at the borders of pieces, so that a range is never longer than one; else they are merged. */
        Optional<BlockRange> next() {
            while (!left.isEmpty()) {
                long piece = left.getFirst();
                var bits = pieces.get(piece);
                int start = bits == null ? -1 : bits.nextSetBit(within);
                if (bits == null || start < 0) {
                    left.removeFirst();
                    pieces.remove(piece);
                    within = 0;
                    continue;
                }
                within = bits.nextClearBit(start);
                long offset = (piece * PIECE_BLOCKS + start) * BLOCK_BYTES;
                long end = Math.min(sizeBytes, (piece * PIECE_BLOCKS + within) * BLOCK_BYTES);
                if (end > offset) {
                    return Optional.of(new BlockRange(offset, end - offset));
                }
            }
            return Optional.empty();
        }
    }
}
