package io.tidemark.agent;

import io.tidemark.block.BlockException;
import io.tidemark.block.BlockIndexUpdate;
import io.tidemark.block.ChangedRuns;
import io.tidemark.block.DataPlaces;
import io.tidemark.block.Digest;
import io.tidemark.block.RangeAlgebra;
import io.tidemark.domain.LinkId;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one synchronisation has of its link's index: the older snapshot's to compare with, and the newer one's for next
 * time, made of what is read anyway. Only {@link #sent} makes it count; until then the older one's stays. Nothing that
 * goes wrong with an index fails the synchronisation.
 */
final class IndexUse implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(IndexUse.class);

    /** An update that writes more than this part of an index is dropped: made anew next time, it costs less. */
    private static final int JOURNAL_SHARE = 2;

    private final SentIndexes indexes;
    private final LinkId link;
    private final SnapshotId newerId;
    private final long epoch;
    private final BlockKernel kernel;
    private long newerBytes;
    private @Nullable IndexBuild build;
    private @Nullable StoredIndex stored;
    /** Gone where what is put would not be all that changed. */
    private @Nullable BlockIndexUpdate update;

    IndexUse(SentIndexes indexes, TrackingTrust.Transfer transfer, SnapshotId newerId, BlockKernel kernel) {
        this.indexes = indexes;
        this.link = transfer.link();
        this.epoch = transfer.epoch();
        this.newerId = newerId;
        this.kernel = kernel;
    }

    /**
     * The snapshot to read, where all of it will be but holes: by way of a new index, if one is kept. None is of an image
     * that is mostly holes: it has 16 bytes for each block of them too, and reading the data costs less.
     *
     * @param data of {@code newer}, for the index alone
     */
    SnapshotReader watched(SnapshotReader newer, long resumeBytes, DataPlaces data) {
        newerBytes = newer.sizeBytes();
        if (resumeBytes == 0 && DataExtents.mostlyData(newer.path(), newerBytes)) {
            build = indexes.build(link, newerBytes, data).orElse(null);
        }
        return build == null ? newer : build.watched(newer);
    }

    /**
     * Both snapshots compared wholly: by the older one's index where there is one, which leaves the older one unread.
     *
     * @param ranges that may differ; closed here, or with what is returned
     * @param cancelled ends reading
     */
    ChangedRuns compare(
            ChangedRanges ranges, TrackingTrust.SnapshotReaders snapshots, long resumeBytes, BooleanSupplier cancelled)
            throws ProviderException {
        var older = snapshots.older();
        var newer = snapshots.newer();
        newerBytes = newer.sizeBytes();
        var wanted = new SentIndexes.Wanted(link, snapshots.olderId(), older.sizeBytes(), epoch);
        // Where the volume grew, index and snapshot have different blocks at the old one's end.
        Optional<StoredIndex> found = Optional.empty();
        boolean looked = false;
        try {
            boolean comparable = newerBytes == older.sizeBytes() && DataExtents.mostlyData(newer.path(), newerBytes);
            found = comparable ? indexes.open(wanted, cancelled) : found;
            looked = true;
        } finally {
            if (!looked) {
                ranges.close();
            }
        }
        if (found.isEmpty()) {
            // Of a storage that is not believed not even the holes are.
            var data = ranges instanceof DataRanges ? DataExtents.of(newer.path(), newerBytes) : DataPlaces.EVERYWHERE;
            return new SegmentComparison(ranges, older, watched(newer, resumeBytes, data), kernel, resumeBytes);
        }
        ranges.close();
        var index = found.get();
        stored = index;
        update = resumeBytes == 0 ? index.update() : null;
        return new StoredIndexComparison(
                newer,
                index.index(),
                kernel,
                resumeBytes,
                this::put,
                (offset, reason) -> {
                    LOG.warn(
                            "block_index.unreadable link={} effect=\"both snapshots are read from byte {} on\""
                                    + " reason=\"{}\"",
                            link,
                            offset,
                            reason.getMessage());
                    update = null;
                    return new SegmentComparison(RangeAlgebra.whole(newerBytes), older, newer, kernel, offset);
                },
                cancelled);
    }

    private void put(long firstBlock, ByteBuffer digests) {
        var open = update;
        if (open == null || stored == null) {
            return;
        }
        try {
            open.put(firstBlock, digests);
            if (open.journalBytes() > stored.index().sizeBytes() / JOURNAL_SHARE) {
                update = null;
            }
        } catch (IOException | UncheckedIOException e) {
            LOG.warn("block_index.not_updated link={} reason=\"{}\"", link, e.getMessage());
            update = null;
        }
    }

    /** The target has all of the newer snapshot, which was read to its end. */
    void sent() {
        try {
            if (build != null) {
                indexes.publish(binding(build.finish()));
            } else if (update != null) {
                update.finish(root -> indexes.write(binding(root)));
            } else {
                indexes.forget(link);
            }
        } catch (IOException | BlockException | UncheckedIOException e) {
            LOG.warn("block_index.not_kept link={} reason=\"{}\"", link, e.getMessage());
            indexes.forget(link);
        }
    }

    private IndexBinding binding(Digest root) {
        return new IndexBinding(link, newerId, newerBytes, epoch, root);
    }

    /** What was not made to count goes; the older snapshot's index stays. */
    @Override
    public void close() {
        try (var second = stored) {
            if (build != null) {
                build.close();
                indexes.discardBuild(link);
            }
        } catch (IOException e) {
            LOG.warn("block_index.not_closed link={} reason=\"{}\"", link, e.getMessage());
        }
    }
}
