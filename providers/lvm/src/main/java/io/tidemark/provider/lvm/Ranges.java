package io.tidemark.provider.lvm;

import io.tidemark.spi.BlockRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Lists of ranges. */
final class Ranges {
    private Ranges() {}

    /** Whatever is in one of the lists, in order, and nothing past the end. */
    static List<BlockRange> joined(List<List<BlockRange>> lists, long endBytes) {
        var all = lists.stream()
                .flatMap(List::stream)
                .filter(range -> range.offsetBytes() < endBytes)
                .sorted(Comparator.comparingLong(BlockRange::offsetBytes))
                .toList();
        var joined = new ArrayList<BlockRange>();
        for (var range : all) {
            long end = Math.min(range.endBytes(), endBytes);
            if (!joined.isEmpty() && range.offsetBytes() <= joined.getLast().endBytes()) {
                var last = joined.removeLast();
                joined.add(new BlockRange(last.offsetBytes(), Math.max(last.endBytes(), end) - last.offsetBytes()));
            } else {
                joined.add(new BlockRange(range.offsetBytes(), end - range.offsetBytes()));
            }
        }
        return joined;
    }
}
