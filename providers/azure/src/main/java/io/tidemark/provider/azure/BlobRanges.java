package io.tidemark.provider.azure;

import io.tidemark.provider.azure.BlobCalls.Refused;
import io.tidemark.provider.azure.Leases.Lease;
import io.tidemark.provider.azure.PageListXml.Range;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.function.Consumer;

/** Ranges as the page blob lists them, page by page; what was cleared is changed too. One thread. */
final class BlobRanges implements ChangedRanges {
    private static final int PAGE_BYTES = 512;
    /** Signatures that are refused as soon as they are given are of no use. */
    private static final int RENEWALS_MAXIMUM = 3;

    private static final int LISTS_MAXIMUM = 1_000_000;

    private final BlobCalls calls;
    private final List<Lease> leases;
    private final long sizeBytes;
    private final Consumer<BlobRanges> onClose;
    private final Queue<Range> listed = new ArrayDeque<>();
    private Optional<String> marker = Optional.empty();
    private Optional<BlockRange> rest;
    private boolean ended;
    private boolean closed;
    private long from;
    private int lists;

    /**
     * @param leases of the snapshot, and of an older one where what has changed is asked for
     * @param sizeBytes how far the lists are listened to
     * @param rest what is named after them
     */
    BlobRanges(
            BlobCalls calls,
            List<Lease> leases,
            long sizeBytes,
            Optional<BlockRange> rest,
            Consumer<BlobRanges> onClose) {
        this.calls = calls;
        this.leases = List.copyOf(leases);
        this.sizeBytes = sizeBytes;
        this.rest = rest;
        this.onClose = onClose;
    }

    @Override
    public int granularityBytes() {
        return PAGE_BYTES;
    }

    @Override
    public Confidence confidence() {
        return Confidence.COARSE;
    }

    @Override
    public String source() {
        return "azure-page-list";
    }

    @Override
    public Optional<BlockRange> next() throws ProviderException {
        var first = peek();
        if (first.isEmpty()) {
            var last = rest;
            rest = Optional.empty();
            return last;
        }
        listed.remove();
        long end = first.get().endBytes();
        for (var more = peek(); more.isPresent() && more.get().startBytes() == end; more = peek()) {
            end = more.get().endBytes();
            listed.remove();
        }
        return Optional.of(
                new BlockRange(first.get().startBytes(), end - first.get().startBytes()));
    }

    private Optional<Range> peek() throws ProviderException {
        while (listed.isEmpty() && !ended) {
            fill();
        }
        return Optional.ofNullable(listed.peek());
    }

    private void fill() throws ProviderException {
        if (closed || ++lists > LISTS_MAXIMUM) {
            throw new ProviderException(new ProviderError.Unexpected(
                    "the list of pages", closed ? "it is closed" : "%d of them and none the last".formatted(lists)));
        }
        var page = page();
        for (var each : page.ranges()) {
            if (each.startBytes() < from) {
                throw new ProviderException(new ProviderError.Unexpected(
                        "the list of pages", "a range from %d on after byte %d".formatted(each.startBytes(), from)));
            }
            from = each.endBytes();
            // A whole one lists no cleared ranges; were there some, they hold nothing.
            boolean isWanted = leases.size() > 1 || !each.clear();
            if (isWanted && each.startBytes() < sizeBytes) {
                listed.add(new Range(each.startBytes(), Math.min(each.endBytes(), sizeBytes), each.clear()));
            }
        }
        marker = page.next();
        ended = marker.isEmpty();
    }

    private PageListXml page() throws ProviderException {
        for (int renewals = 0; ; renewals++) {
            var address = leases.getFirst().address();
            var previous = leases.size() > 1 ? Optional.of(leases.getLast().address()) : Optional.<java.net.URI>empty();
            try {
                return calls.ranges(address, previous, marker);
            } catch (Refused e) {
                if (renewals == RENEWALS_MAXIMUM) {
                    throw new ProviderException(
                            new ProviderError.Denied(
                                    "the list of pages", leases.getFirst().lacking()),
                            e);
                }
                leases.getFirst().renew(address);
                if (previous.isPresent()) {
                    leases.getLast().renew(previous.get());
                }
            }
        }
    }

    @Override
    public void close() throws ProviderException {
        if (closed) {
            return;
        }
        closed = true;
        onClose.accept(this);
        BlobReader.releaseAll(leases);
    }
}
