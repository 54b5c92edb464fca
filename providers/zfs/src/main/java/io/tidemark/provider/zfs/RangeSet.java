package io.tidemark.provider.zfs;

import io.tidemark.spi.BlockRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Ranges in any order, overlapping or not, that become a list in order. Memory is bounded: past that, all is one
 * range.
 */
final class RangeSet {
    /** A volume of 64 GiB in blocks of 16 KiB that alternate has half as many. */
    private static final int RANGES_MAXIMUM = 4 << 20;

    private final ArrayList<Piece> pieces = new ArrayList<>();
    private boolean everything;

    private record Piece(long from, long end) {}

    void add(long fromBytes, long endBytes) {
        if (everything) {
            return;
        }
        if (!pieces.isEmpty() && pieces.getLast().end == fromBytes) {
            pieces.set(pieces.size() - 1, new Piece(pieces.getLast().from, endBytes));
        } else if (pieces.size() == RANGES_MAXIMUM) {
            addEverything();
        } else {
            pieces.add(new Piece(fromBytes, endBytes));
        }
    }

    /** Nothing is known to be as it was. */
    void addEverything() {
        everything = true;
        pieces.clear();
    }

    boolean isEverything() {
        return everything;
    }

    /** Disjoint and in order, whole blocks, none past the size. */
    List<BlockRange> ranges(int blockBytes, long sizeBytes) {
        if (everything) {
            return sizeBytes == 0 ? List.of() : List.of(new BlockRange(0, sizeBytes));
        }
        pieces.sort(Comparator.comparingLong(Piece::from));
        var ranges = new ArrayList<BlockRange>();
        for (var piece : pieces) {
            long from = piece.from - piece.from % blockBytes;
            long end = piece.end >= sizeBytes ? sizeBytes : Math.min(sizeBytes, up(piece.end, blockBytes));
            if (from >= end) {
                continue;
            }
            if (!ranges.isEmpty() && ranges.getLast().endBytes() >= from) {
                var last = ranges.removeLast();
                from = last.offsetBytes();
                end = Math.max(end, last.endBytes());
            }
            ranges.add(new BlockRange(from, end - from));
        }
        return ranges;
    }

    private static long up(long bytes, int blockBytes) {
        return Math.ceilDiv(bytes, blockBytes) * blockBytes;
    }
}
