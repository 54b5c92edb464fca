package io.tidemark.provider.conformance;

import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ChangedRanges;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotReader;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Sends every call of a provider, its readers, writers and cursors through one method. */
abstract class InterceptedProvider implements StorageProvider {

    /** A call that answers something. */
    @FunctionalInterface
    interface Action<T> {
        T run() throws ProviderException;
    }

    private final StorageProvider inner;

    InterceptedProvider(StorageProvider inner) {
        this.inner = inner;
    }

    /** Runs the action, or does not, or fails after it. */
    abstract <T> T intercept(ProviderCall call, Object subject, Action<T> action) throws ProviderException;

    /** As {@link Action}, for calls that answer nothing. */
    @FunctionalInterface
    private interface Effect {
        void run() throws ProviderException;

        default Boolean done() throws ProviderException {
            run();
            return Boolean.TRUE;
        }
    }

    private void interceptEffect(ProviderCall call, Object subject, Effect effect) throws ProviderException {
        intercept(call, subject, effect::done);
    }

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public List<Volume> volumes() throws ProviderException {
        return intercept(ProviderCall.VOLUMES, "", inner::volumes);
    }

    @Override
    public Volume volume(VolumeId volume) throws ProviderException {
        return intercept(ProviderCall.VOLUME, volume, () -> inner.volume(volume));
    }

    @Override
    public Volume create(VolumeId volume, long sizeBytes) throws ProviderException {
        return intercept(ProviderCall.CREATE, volume, () -> inner.create(volume, sizeBytes));
    }

    @Override
    public Step<Volume> startCreate(VolumeId volume, long sizeBytes) throws ProviderException {
        return intercept(ProviderCall.CREATE, volume, () -> inner.startCreate(volume, sizeBytes));
    }

    @Override
    public void remove(VolumeId volume) throws ProviderException {
        interceptEffect(ProviderCall.REMOVE, volume, () -> inner.remove(volume));
    }

    @Override
    public CutForecast forecast(List<VolumeId> volumes) throws ProviderException {
        return intercept(ProviderCall.FORECAST, volumes, () -> inner.forecast(volumes));
    }

    @Override
    public void prepare(CutRequest request) throws ProviderException {
        interceptEffect(ProviderCall.PREPARE, request, () -> inner.prepare(request));
    }

    @Override
    public Cut cut(CutRequest request) throws ProviderException {
        return intercept(ProviderCall.CUT, request, () -> inner.cut(request));
    }

    @Override
    public Readiness readiness(SnapshotId snapshot) throws ProviderException {
        return intercept(ProviderCall.READINESS, snapshot, () -> inner.readiness(snapshot));
    }

    @Override
    public SnapshotPage snapshots(SnapshotQuery query) throws ProviderException {
        return intercept(ProviderCall.SNAPSHOTS, query, () -> inner.snapshots(query));
    }

    @Override
    public SnapshotReader read(SnapshotId snapshot) throws ProviderException {
        return intercept(ProviderCall.READ, snapshot, () -> new Reader(snapshot, inner.read(snapshot)));
    }

    @Override
    public ChangedRanges changedRanges(SnapshotId older, SnapshotId newer) throws ProviderException {
        return intercept(
                ProviderCall.CHANGED_RANGES,
                older + " " + newer,
                () -> new Ranges(newer, inner.changedRanges(older, newer)));
    }

    @Override
    public ChangedRanges allocatedRanges(SnapshotId snapshot) throws ProviderException {
        return intercept(
                ProviderCall.ALLOCATED_RANGES, snapshot, () -> new Ranges(snapshot, inner.allocatedRanges(snapshot)));
    }

    @Override
    public Step<Volume> clone(CloneRequest request) throws ProviderException {
        return intercept(ProviderCall.CLONE, request, () -> inner.clone(request));
    }

    @Override
    public Step<Volume> rollback(SnapshotId snapshot) throws ProviderException {
        return intercept(ProviderCall.ROLLBACK, snapshot, () -> inner.rollback(snapshot));
    }

    @Override
    public void refuseWhileOpen(VolumeId volume) throws ProviderException {
        inner.refuseWhileOpen(volume);
    }

    @Override
    public VolumeWriter write(VolumeId volume) throws ProviderException {
        return intercept(ProviderCall.WRITE, volume, () -> new Writer(volume, inner.write(volume)));
    }

    @Override
    public void hold(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        interceptEffect(ProviderCall.HOLD, snapshot + " " + owner, () -> inner.hold(snapshot, owner));
    }

    @Override
    public void release(SnapshotId snapshot, HoldOwner owner) throws ProviderException {
        interceptEffect(ProviderCall.RELEASE, snapshot + " " + owner, () -> inner.release(snapshot, owner));
    }

    @Override
    public Step<Boolean> delete(SnapshotId snapshot) throws ProviderException {
        return intercept(ProviderCall.DELETE, snapshot, () -> inner.delete(snapshot));
    }

    @Override
    public Step<?> resume(Handle handle) throws ProviderException {
        return intercept(ProviderCall.RESUME, handle, () -> inner.resume(handle));
    }

    @Override
    public void close() {
        inner.close();
    }

    private final class Reader implements SnapshotReader {
        private final SnapshotId snapshot;
        private final SnapshotReader reader;

        Reader(SnapshotId snapshot, SnapshotReader reader) {
            this.snapshot = snapshot;
            this.reader = reader;
        }

        @Override
        public long sizeBytes() {
            return reader.sizeBytes();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
            interceptEffect(ProviderCall.READ_BYTES, snapshot, () -> reader.read(offsetBytes, target));
        }

        @Override
        public Optional<Path> path() {
            return reader.path();
        }

        @Override
        public void close() throws ProviderException {
            reader.close();
        }
    }

    private final class Ranges implements ChangedRanges {
        private final SnapshotId snapshot;
        private final ChangedRanges ranges;

        Ranges(SnapshotId snapshot, ChangedRanges ranges) {
            this.snapshot = snapshot;
            this.ranges = ranges;
        }

        @Override
        public int granularityBytes() {
            return ranges.granularityBytes();
        }

        @Override
        public Confidence confidence() {
            return ranges.confidence();
        }

        @Override
        public String source() {
            return ranges.source();
        }

        @Override
        public Optional<BlockRange> next() throws ProviderException {
            return intercept(ProviderCall.NEXT_RANGE, snapshot, ranges::next);
        }

        @Override
        public void close() throws ProviderException {
            ranges.close();
        }
    }

    private final class Writer implements VolumeWriter {
        private final VolumeId volume;
        private final VolumeWriter writer;

        Writer(VolumeId volume, VolumeWriter writer) {
            this.volume = volume;
            this.writer = writer;
        }

        @Override
        public long sizeBytes() {
            return writer.sizeBytes();
        }

        @Override
        public void write(long offsetBytes, ByteBuffer source) throws ProviderException {
            interceptEffect(ProviderCall.WRITE_BYTES, volume, () -> writer.write(offsetBytes, source));
        }

        @Override
        public void writeZeroes(BlockRange range) throws ProviderException {
            interceptEffect(ProviderCall.WRITE_ZEROES, volume, () -> writer.writeZeroes(range));
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
            interceptEffect(ProviderCall.WRITER_READ_BYTES, volume, () -> writer.read(offsetBytes, target));
        }

        @Override
        public void flush() throws ProviderException {
            interceptEffect(ProviderCall.FLUSH, volume, writer::flush);
        }

        @Override
        public boolean flushesBesideWrites() {
            return writer.flushesBesideWrites();
        }

        @Override
        public void close() throws ProviderException {
            writer.close();
        }
    }
}
