package io.tidemark.provider.ebs;

import io.tidemark.provider.ebs.DirectCalls.Block;
import io.tidemark.provider.ebs.DirectCalls.PageExpired;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;

/** Blocks as Amazon lists them, page by page; a list whose page token has expired goes on behind the last block that was heard of. */
final class DirectRanges implements ChangedRanges {
    /** A page token serves for an hour; one page after another cannot expire for long without end. */
    private static final int EXPIRIES_MAXIMUM = 100;

    private final Pages pages;
    private final long sizeBytes;
    /** Past the end of the smaller of two snapshots. */
    private Optional<BlockRange> rest;

    private final Queue<Integer> listed = new ArrayDeque<>();
    private Optional<String> next = Optional.empty();
    private boolean begun;
    private int from;
    private int expiries;

    private interface Pages {
        Heard page(int from, Optional<String> next) throws ProviderException, PageExpired;
    }

    private record Heard(List<Integer> indexes, Optional<String> next) {}

    private DirectRanges(long sizeBytes, Optional<BlockRange> rest, Pages pages) {
        this.sizeBytes = sizeBytes;
        this.rest = rest;
        this.pages = pages;
    }

    /** In either order: what differs is the same, and Amazon is asked for it from the one that was cut first. */
    static DirectRanges changed(DirectCalls calls, CloudSnapshot left, CloudSnapshot right) {
        boolean inOrder = !right.startedAt().isBefore(left.startedAt());
        var older = inOrder ? left.id() : right.id();
        var newer = inOrder ? right.id() : left.id();
        long smaller = Math.min(left.sizeBytes(), right.sizeBytes());
        long larger = Math.max(left.sizeBytes(), right.sizeBytes());
        var rest = larger > smaller
                ? Optional.of(new BlockRange(smaller, larger - smaller))
                : Optional.<BlockRange>empty();
        return changed(calls, older, newer, smaller, rest);
    }

    /** Of two by Amazon's names and of one size. */
    static DirectRanges changed(DirectCalls calls, String older, String newer, long sizeBytes) {
        return changed(calls, older, newer, sizeBytes, Optional.empty());
    }

    private static DirectRanges changed(
            DirectCalls calls, String older, String newer, long sizeBytes, Optional<BlockRange> rest) {
        return new DirectRanges(sizeBytes, rest, (from, next) -> {
            var page = calls.changed(older, newer, from, next);
            return new Heard(page.indexes(), page.next());
        });
    }

    static DirectRanges written(DirectCalls calls, CloudSnapshot snapshot) {
        return written(calls, snapshot.id(), snapshot.sizeBytes());
    }

    static DirectRanges written(DirectCalls calls, String snapshot, long sizeBytes) {
        return new DirectRanges(sizeBytes, Optional.empty(), (from, next) -> {
            var page = calls.list(snapshot, from, next);
            return new Heard(page.blocks().stream().map(Block::index).toList(), page.next());
        });
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
        return "ebs-direct";
    }

    @Override
    public Optional<BlockRange> next() throws ProviderException {
        var first = take();
        if (first.isEmpty()) {
            return takeRest();
        }
        int end = first.get() + 1;
        while (peek().equals(Optional.of(end))) {
            listed.remove();
            end++;
        }
        long offset = (long) first.get() * DirectCalls.BLOCK_BYTES;
        if (offset >= sizeBytes) {
            return takeRest();
        }
        return Optional.of(new BlockRange(offset, Math.min((long) end * DirectCalls.BLOCK_BYTES, sizeBytes) - offset));
    }

    private Optional<BlockRange> takeRest() {
        var last = rest;
        rest = Optional.empty();
        return last;
    }

    private Optional<Integer> take() throws ProviderException {
        var first = peek();
        listed.poll();
        return first;
    }

    private Optional<Integer> peek() throws ProviderException {
        while (listed.isEmpty() && (!begun || next.isPresent())) {
            fill();
        }
        return Optional.ofNullable(listed.peek());
    }

    private void fill() throws ProviderException {
        try {
            var heard = pages.page(from, next);
            begun = true;
            next = heard.next();
            for (int index : heard.indexes()) {
                if (index < from) {
                    throw new ProviderException(new ProviderError.Unexpected(
                            "a list of blocks", "block %d after block %d".formatted(index, from - 1)));
                }
                listed.add(index);
                from = index + 1;
            }
        } catch (PageExpired e) {
            if (++expiries > EXPIRIES_MAXIMUM) {
                throw new ProviderException(
                        new ProviderError.Unexpected("a list of blocks", "INVALID_PAGE_TOKEN, again and again"), e);
            }
            begun = false;
            next = Optional.empty();
        }
    }

    @Override
    public void close() {
        listed.clear();
        next = Optional.empty();
        rest = Optional.empty();
        begun = true;
    }
}
