package io.tidemark.provider.zfs;

import io.tidemark.spi.BlockRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Ranges in any order, overlapping or not, that become a list in order. Memory is bounded: past that, those become
 * one that have the smallest gaps between them, so that more is named than changed, and never less.
 */
final class RangeSet {
    /** Some 20 MB; a volume of 8 GiB in blocks of 16 KiB that alternate has as many. */
    static final int RANGES_MAXIMUM = 1 << 18;

    /** Between two ranges that become one, where there are too many; doubled until there are half as many. */
    private static final long GAP_BYTES = 1 << 20;

    private final ArrayList<Piece> pieces = new ArrayList<>();
    private boolean everything;

    private record Piece(long from, long end) {}

    void add(long fromBytes, long endBytes) {
        if (everything) {
            return;
        }
        if (!pieces.isEmpty() && pieces.getLast().end == fromBytes) {
            pieces.set(pieces.size() - 1, new Piece(pieces.getLast().from, endBytes));
        } else {
            if (pieces.size() == RANGES_MAXIMUM) {
                coarsen();
            }
            pieces.add(new Piece(fromBytes, endBytes));
        }
    }

    private void coarsen() {
        pieces.sort(Comparator.comparingLong(Piece::from));
        for (long gapBytes = GAP_BYTES; pieces.size() > RANGES_MAXIMUM / 2; gapBytes *= 2) {
            merge(gapBytes);
        }
    }

    /** @param gapBytes between pieces that become one; they are in order */
    private void merge(long gapBytes) {
        int last = 0;
        for (int next = 1; next < pieces.size(); next++) {
            var before = pieces.get(last);
            var piece = pieces.get(next);
            if (piece.from - before.end <= gapBytes) {
                pieces.set(last, new Piece(before.from, Math.max(before.end, piece.end)));
            } else {
                pieces.set(++last, piece);
            }
        }
        pieces.subList(last + 1, pieces.size()).clear();
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
