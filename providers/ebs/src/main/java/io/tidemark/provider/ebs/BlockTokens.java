package io.tidemark.provider.ebs;

import io.tidemark.provider.ebs.DirectCalls.Block;
import io.tidemark.provider.ebs.DirectCalls.PageExpired;
import io.tidemark.spi.ProviderException;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which blocks of a snapshot are written, and the tokens to read them by: one page of the list at a time, for a volume of
 * 64 TiB has 134 million of them. A block that the list passes over was never written and reads as zeros.
 */
final class BlockTokens {
    private final String snapshot;
    private final DirectCalls calls;
    private final NavigableMap<Integer, Block> page = new TreeMap<>();
    /** What the page speaks of: from the first to before the end. */
    private int from;

    private int end;

    BlockTokens(String snapshot, DirectCalls calls) {
        this.snapshot = snapshot;
        this.calls = calls;
    }

    synchronized Optional<Block> find(int index) throws ProviderException, PageExpired {
        if (index < from || index >= end) {
            var listed = calls.list(snapshot, index, Optional.empty());
            page.clear();
            listed.blocks().forEach(block -> page.put(block.index(), block));
            from = index;
            end = listed.next().isPresent() && !page.isEmpty() ? page.lastKey() + 1 : Integer.MAX_VALUE;
        }
        return Optional.ofNullable(page.get(index));
    }

    /** They no longer serve. */
    synchronized void forget() {
        page.clear();
        from = 0;
        end = 0;
    }
}
