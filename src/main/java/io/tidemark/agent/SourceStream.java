package io.tidemark.agent;

import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.SourceInput;
import io.tidemark.replication.protocol.BlockExtent;
import io.tidemark.replication.protocol.IngestTotals;
import io.tidemark.replication.protocol.Message;
import io.tidemark.replication.protocol.SyncCost;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotStreams;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * A snapshot as its storage's own stream, in frames of 256 KiB. A storage cannot begin its stream in the middle: what
 * the target has already is read again here, not sent, and must have the checksums that the target names.
 */
final class SourceStream implements SourceContent {
    private static final int FRAME_BYTES = Message.Blocks.DATA_BYTES_MAXIMUM;

    private final SnapshotStreams.Outgoing stream;
    private final String format;
    private final BooleanSupplier cancelled;
    private final ByteBuffer frame = ByteBuffer.allocateDirect(FRAME_BYTES);
    private long readBytes;
    private long askedBytes;
    private long sentBytes;
    private boolean ended;

    private SourceStream(SnapshotStreams.Outgoing stream, String format, BooleanSupplier cancelled) {
        this.stream = stream;
        this.format = format;
        this.cancelled = cancelled;
    }

    /**
     * @param resume what the target has of it
     * @param cancelled asked before each read; once it is true, reading fails
     * @throws ReplicationException StreamChanged when it does not begin as the target's does
     */
    static SourceStream open(
            SnapshotStreams streams,
            Optional<RecoveryPointId> base,
            SnapshotId snapshot,
            IngestTotals resume,
            BooleanSupplier cancelled)
            throws ProviderException, ReplicationException {
        var opened = new SourceStream(streams.send(base, snapshot), streams.format(), cancelled);
        boolean passed = false;
        try {
            opened.pass(resume, snapshot);
            passed = true;
            return opened;
        } finally {
            if (!passed) {
                opened.close();
            }
        }
    }

    private void pass(IngestTotals resume, SnapshotId snapshot) throws ProviderException, ReplicationException {
        var totals = IngestTotals.NOTHING;
        while (totals.throughBytes() < resume.throughBytes() && fill()) {
            totals = totals.plus(new Message.Blocks(extent(totals.throughBytes()), frame));
        }
        if (!totals.equals(resume)) {
            throw new ReplicationException(
                    new ReplicationError.StreamChanged(snapshot.volume(), format, resume.throughBytes()));
        }
        sentBytes = totals.throughBytes();
    }

    private List<BlockExtent> extent(long from) {
        return List.of(new BlockExtent(from, frame.remaining(), false));
    }

    /** @return false at the end, with nothing in the frame */
    private boolean fill() throws ProviderException {
        frame.clear();
        while (!ended && frame.hasRemaining()) {
            if (cancelled.getAsBoolean()) {
                throw CancellableReader.ended();
            }
            ended = stream.read(frame) < 0;
        }
        frame.flip();
        readBytes += frame.remaining();
        return frame.hasRemaining();
    }

    @Override
    public void use(Message.Digests arrived) {
        throw new IllegalStateException("nothing of a stream is told by digest");
    }

    @Override
    public SourceInput next(Supplier<SyncCost> soFar) throws ProviderException {
        if (!fill()) {
            return new SourceInput.NothingLeft(cost(soFar.get()));
        }
        var extents = extent(sentBytes);
        sentBytes += frame.remaining();
        return new SourceInput.BlocksRead(extents, frame);
    }

    @Override
    public long readSinceAsked() {
        long before = askedBytes;
        askedBytes = readBytes;
        return askedBytes - before;
    }

    /** What changed, and what was read for it, nobody tells: both are the stream's length. */
    @Override
    public SyncCost cost(SyncCost soFar) {
        return new SyncCost(
                format + "-stream",
                0,
                readBytes,
                0,
                sentBytes,
                soFar.sentPayloadBytes(),
                soFar.sentWireBytes(),
                soFar.resumedBytes(),
                soFar.durationMillis());
    }

    @Override
    public void sent() {}

    @Override
    public void close() throws ProviderException {
        stream.close();
    }
}
