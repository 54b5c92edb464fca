package io.tidemark.provider.azure;

import io.tidemark.provider.azure.Leases.Lease;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/** Bytes and ranges of snapshots; ends every signature that it was given. */
final class AzureReading {
    /**
     * "Restrictions of incremental snapshots": where the size of a disk crossed 4 TB between two of its snapshots, what
     * changed cannot be got. Which 4 TB is not said: sizes from 4,095 GiB to 4 TiB are taken to be on
     * either side.
     */
    private static final long CROSSED_FROM_BYTES = 4L << 40;

    private static final long CROSSED_TO_BYTES = 4_095L << 30;

    private final AzureFinder finder;
    private final BlobCalls calls;
    private final Leases leases;
    private final Semaphore permits;
    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();

    AzureReading(AzureFinder finder, BlobCalls calls, Leases leases, AzureConfig config) {
        this.finder = finder;
        this.calls = calls;
        this.leases = leases;
        this.permits = new Semaphore(config.parallelReads());
    }

    SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        var found = exported(snapshot);
        var reader = new BlobReader(snapshot, found.sizeBytes(), calls, leases.acquire(found), permits, open::remove);
        open.add(reader);
        return reader;
    }

    private CloudSnapshot exported(SnapshotId snapshot) throws ProviderException {
        var found = finder.readable(snapshot);
        if (found.network().isClosed()) {
            throw new ProviderException(new ProviderError.Denied(
                    snapshot.toString(),
                    "to be exported, and networkAccessPolicy of %s is DenyAll: change it to AllowAll or AllowPrivate"
                            .formatted(found.id())));
        }
        return found;
    }

    ChangedRanges allocated(SnapshotId snapshot) throws ProviderException {
        var found = exported(snapshot);
        return opened(found.sizeBytes(), Optional.empty(), List.of(found));
    }

    /** In either order: what differs is the same, and Azure is asked for it from the one that was cut first. */
    ChangedRanges changed(SnapshotId left, SnapshotId right) throws ProviderException {
        var one = exported(left);
        var other = exported(right);
        boolean inOrder = !other.createdAt().isBefore(one.createdAt());
        var older = inOrder ? one : other;
        var newer = inOrder ? other : one;
        long smaller = Math.min(older.sizeBytes(), newer.sizeBytes());
        long larger = Math.max(older.sizeBytes(), newer.sizeBytes());
        boolean hasCrossed = smaller < larger && smaller <= CROSSED_FROM_BYTES && larger >= CROSSED_TO_BYTES;
        if (hasCrossed || older.family().isEmpty() || !older.family().equals(newer.family())) {
            return new WholeRange(larger);
        }
        var rest = larger > smaller
                ? Optional.of(new BlockRange(smaller, larger - smaller))
                : Optional.<BlockRange>empty();
        return opened(smaller, rest, List.of(newer, older));
    }

    private ChangedRanges opened(long sizeBytes, Optional<BlockRange> rest, List<CloudSnapshot> of)
            throws ProviderException {
        var taken = new ArrayList<Lease>();
        boolean isOpen = false;
        try {
            for (var each : of) {
                taken.add(leases.acquire(each));
            }
            var ranges = new BlobRanges(calls, taken, sizeBytes, rest, open::remove);
            open.add(ranges);
            isOpen = true;
            return ranges;
        } finally {
            if (!isOpen) {
                BlobReader.releaseAll(taken);
            }
        }
    }

    /** What fails to be ended ends by itself, after {@link AccessCalls#DURATION}; the rest is ended all the same. */
    void close() {
        for (var each : List.copyOf(open)) {
            try {
                each.close();
            } catch (Exception left) {
                open.remove(each);
            }
        }
    }

    /** Of two that Azure cannot tell apart: all may differ. */
    private static final class WholeRange implements ChangedRanges {
        private Optional<BlockRange> whole;

        WholeRange(long sizeBytes) {
            whole = Optional.of(new BlockRange(0, sizeBytes));
        }

        @Override
        public int granularityBytes() {
            return 512;
        }

        @Override
        public Confidence confidence() {
            return Confidence.UNTRUSTED;
        }

        @Override
        public String source() {
            return "full";
        }

        @Override
        public Optional<BlockRange> next() {
            var next = whole;
            whole = Optional.empty();
            return next;
        }

        @Override
        public void close() {
            whole = Optional.empty();
        }
    }
}
