package io.tidemark.agent;

import io.tidemark.block.ChangedBlocks;
import io.tidemark.block.ChangedBlocksByDigest;
import io.tidemark.block.ChangedRun;
import io.tidemark.block.ChangedRuns;
import io.tidemark.block.RangeAlgebra;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.SourceInput;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.SyncCost;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The image being sent, as frames' worth of changed blocks. One thread. */
final class SourceImage implements SourceContent {
    private final SnapshotReader newer;
    private final @Nullable SnapshotReader older;
    private final IndexUse index;
    private final String changedRangeSource;
    private final TrackingTrust.@Nullable Answer answer;
    private final ArrayDeque<Message.Digests> digests = new ArrayDeque<>();
    private final ByteBuffer batch = ByteBuffer.allocateDirect(Message.Blocks.DATA_BYTES_MAXIMUM);
    private final ChangedRuns runs;
    /** The same, where blocks are told by digest. */
    private final @Nullable ChangedBlocksByDigest byDigest;

    private boolean inSpan;
    private long askedBytes;
    private @Nullable ChangedRun rest;

    private SourceImage(
            SnapshotReader newer,
            @Nullable SnapshotReader older,
            ChangedRuns runs,
            IndexUse index,
            TrackingTrust.@Nullable Answer answer) {
        this.newer = newer;
        this.older = older;
        this.runs = runs;
        this.byDigest = runs instanceof ChangedBlocksByDigest told ? told : null;
        this.index = index;
        this.answer = answer;
        this.changedRangeSource = answer == null ? "digests" : answer.ranges().source();
    }

    /**
     * What is read.
     *
     * @param base empty: blocks are told by the digests that {@link #use} gets
     */
    record Wanted(SnapshotId point, Optional<SnapshotId> base, long resumeBytes) {}

    /** @param cancelled asked before each read; once it is true, reading fails */
    static SourceImage open(SourceHost.Origin origin, Wanted wanted, BooleanSupplier cancelled)
            throws ProviderException, ReplicationException {
        var provider = origin.provider();
        var index = new IndexUse(origin.indexes(), origin.transfer(), wanted.point(), origin.kernel());
        SnapshotReader older = null;
        SnapshotReader newer = null;
        SourceImage opened = null;
        try {
            newer = new CancellableReader(provider.read(wanted.point()), cancelled);
            if (wanted.base().isEmpty()) {
                // Of a storage that was caught not even the holes are believed.
                var told = origin.transfer().believed() ? newer.path() : Optional.<Path>empty();
                var data = DataExtents.of(told, newer.sizeBytes());
                if (origin.transfer().comparesWholly(provider)) {
                    newer = index.watched(newer, wanted.resumeBytes(), DataExtents.of(told, newer.sizeBytes()));
                }
                var runs = new ChangedBlocksByDigest(newer, data, origin.kernel());
                opened = new SourceImage(newer, null, runs, index, null);
            } else {
                var base = wanted.base().get();
                older = new CancellableReader(provider.read(base), cancelled);
                var snapshots = new TrackingTrust.SnapshotReaders(base, older, wanted.point(), newer);
                var answer = origin.transfer().changes(provider, snapshots);
                var runs = runs(answer.ranges(), snapshots, origin.kernel(), wanted.resumeBytes(), index, cancelled);
                opened = new SourceImage(newer, older, runs, index, answer);
            }
            return opened;
        } finally {
            if (opened == null) {
                index.close();
                closeBoth(newer, older);
            }
        }
    }

    private static ChangedRuns runs(
            ChangedRanges ranges,
            TrackingTrust.SnapshotReaders snapshots,
            BlockKernel kernel,
            long resumeBytes,
            IndexUse index,
            BooleanSupplier cancelled)
            throws ProviderException {
        if (!ranges.source().equals(RangeAlgebra.WHOLE)) {
            var ahead = ReadAhead.of(ranges, snapshots.older(), snapshots.newer(), resumeBytes);
            return new ChangedBlocks(ahead, snapshots.older(), snapshots.newer(), kernel, resumeBytes);
        }
        return index.compare(ranges, snapshots, resumeBytes, cancelled);
    }

    private static void closeBoth(@Nullable SnapshotReader newer, @Nullable SnapshotReader older)
            throws ProviderException {
        try (var first = newer;
                var second = older) {
            // Closed, whichever of them is open; one that cannot be closed does not keep the other open.
        }
    }

    @Override
    public void use(Message.Digests arrived) {
        digests.add(arrived);
    }

    /** @throws ReplicationException TrackingUntrusted in place of the end, when the source has left out a change */
    @Override
    public SourceInput next(Supplier<SyncCost> soFar) throws ProviderException, ReplicationException {
        if (byDigest != null && !inSpan) {
            nextSpan(byDigest);
        }
        var extents = new ArrayList<BlockExtent>();
        batch.clear();
        while (batch.hasRemaining() && extents.size() < Message.Blocks.EXTENTS_MAXIMUM) {
            var run = rest != null ? rest : runs.next().orElse(null);
            rest = null;
            if (run == null) {
                break;
            }
            long taken = Math.min(run.lengthBytes(), run.zero() ? BlockExtent.LENGTH_BYTES_MAXIMUM : batch.remaining());
            extents.add(new BlockExtent(run.offsetBytes(), (int) taken, run.zero()));
            if (!run.zero()) {
                batch.put(batch.position(), run.data(), run.data().position(), (int) taken)
                        .position(batch.position() + (int) taken);
            }
            if (taken < run.lengthBytes()) {
                rest = after(run, taken);
            }
        }
        if (extents.isEmpty()) {
            inSpan = false;
            if (answer != null) {
                answer.verdict();
            }
            return new SourceInput.NothingLeft(cost(soFar.get()));
        }
        return new SourceInput.BlocksRead(extents, batch.flip());
    }

    /** From both snapshots. */
    @Override
    public long readSinceAsked() {
        long audited = answer == null ? 0 : answer.auditedBytes();
        long before = askedBytes;
        askedBytes = runs.readBytes() + 2 * audited;
        return askedBytes - before;
    }

    @Override
    public SyncCost cost(SyncCost soFar) {
        var counts = runs.counts();
        long audited = answer == null ? 0 : answer.auditedBytes();
        return new SyncCost(
                changedRangeSource,
                counts.namedBytes(),
                counts.readBytes() + 2 * audited,
                counts.comparedBytes() + audited,
                counts.changedBytes(),
                soFar.sentPayloadBytes(),
                soFar.sentWireBytes(),
                soFar.resumedBytes(),
                soFar.durationMillis());
    }

    private void nextSpan(ChangedBlocksByDigest told) {
        var span = digests.poll();
        if (span != null) {
            told.begin(new ChangedBlocksByDigest.SpanDigests(
                    span.offsetBytes(), span.lengthBytes(), span.digests().hasRemaining() ? span.digests() : null));
            inSpan = true;
        }
    }

    private static ChangedRun after(ChangedRun run, long taken) {
        var data = run.zero() ? run.data() : run.data().slice((int) taken, (int) (run.lengthBytes() - taken));
        return new ChangedRun(run.offsetBytes() + taken, run.lengthBytes() - taken, run.zero(), data);
    }

    @Override
    public void sent() {
        index.sent();
    }

    @Override
    public void close() throws ProviderException {
        try {
            runs.close();
        } finally {
            index.close();
            closeBoth(newer, older);
        }
    }
}
