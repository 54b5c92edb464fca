package io.tidemark.provider.fakecloud.azure;

import io.tidemark.provider.fakecloud.SparseBlocks;
import io.tidemark.provider.fakecloud.azure.AzureState.Blob;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Ranges of pages of 512 bytes, in order, those that hold something among those that hold nothing any more. */
final class PageList {
    private static final int PAGE_BYTES = 512;
    private static final byte[] NOTHING = new byte[SparseBlocks.BLOCK_BYTES];

    private final int maximum;
    private final List<Range> ranges = new ArrayList<>();
    private long next = -1;

    private record Range(boolean clear, long start, long end) {}

    PageList(int maximum) {
        this.maximum = maximum;
    }

    /** @param previous none: all that is held, else what differs from it */
    void add(Blob blob, @Nullable Blob previous, long from) {
        if (maximum == 0) {
            next = from;
            return;
        }
        var indexes = new TreeSet<>(blob.content().keySet());
        if (previous != null) {
            indexes.addAll(previous.content().keySet());
        }
        for (int index : indexes.tailSet((int) (from / SparseBlocks.BLOCK_BYTES), true)) {
            var now = blob.content().getOrDefault(index, NOTHING);
            var before = previous == null ? NOTHING : previous.content().getOrDefault(index, NOTHING);
            if (now == before) {
                continue;
            }
            for (int at = 0; at < SparseBlocks.BLOCK_BYTES; at += PAGE_BYTES) {
                long offset = (long) index * SparseBlocks.BLOCK_BYTES + at;
                if (offset >= from && !isSame(now, before, at)) {
                    add(isSame(now, NOTHING, at), offset);
                    if (next >= 0) {
                        return;
                    }
                }
            }
        }
    }

    private static boolean isSame(byte[] left, byte[] right, int at) {
        return Arrays.equals(left, at, at + PAGE_BYTES, right, at, at + PAGE_BYTES);
    }

    private void add(boolean clear, long offset) {
        var last = ranges.isEmpty() ? null : ranges.getLast();
        if (last != null && last.clear() == clear && last.end() == offset - 1) {
            ranges.set(ranges.size() - 1, new Range(clear, last.start(), offset + PAGE_BYTES - 1));
        } else if (ranges.size() == maximum) {
            next = offset;
        } else {
            ranges.add(new Range(clear, offset, offset + PAGE_BYTES - 1));
        }
    }

    String xml(long from) {
        var xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"utf-8\"?><PageList>");
        for (var each : ranges) {
            var name = each.clear() ? "ClearRange" : "PageRange";
            xml.append("<%s><Start>%d</Start><End>%d</End></%s>".formatted(name, each.start(), each.end(), name));
        }
        if (next >= 0) {
            xml.append("<NextMarker>%d</NextMarker>".formatted(Math.max(from, next)));
        }
        return xml.append("</PageList>").toString();
    }
}
