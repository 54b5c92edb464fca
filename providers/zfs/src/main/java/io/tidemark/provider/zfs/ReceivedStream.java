package io.tidemark.provider.zfs;

import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.provider.zfs.ZfsRecord.Beginning;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotStreams.Incoming;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What is fed to {@code zfs receive} as it comes, all but its last record, with which ZFS makes the snapshot. The
 * program is started by the first record, which tells whether the stream is what it has to be.
 */
final class ReceivedStream implements Incoming, StreamGate.Way {
    private final SnapshotId snapshot;
    private final Optional<SnapshotId> older;
    private final ArrivalPlaces places;
    private final Consumer<ReceivedStream> closed;
    private final StreamGate gate = new StreamGate(this);
    /** Its provider's end closes a stream from another thread. */
    private volatile Optional<Under> under = Optional.empty();

    private volatile Optional<ProviderException> failure = Optional.empty();
    private boolean finished;

    private record Under(ArrivalPlaces.Place place, CommandStream program) {}

    ReceivedStream(
            SnapshotId snapshot,
            Optional<RecoveryPointId> older,
            ArrivalPlaces places,
            Consumer<ReceivedStream> closed) {
        this.snapshot = snapshot;
        this.older = older.map(point -> new SnapshotId(snapshot.volume(), point));
        this.places = places;
        this.closed = closed;
    }

    SnapshotId snapshot() {
        return snapshot;
    }

    boolean uses(SnapshotId other) {
        return older.filter(other::equals).isPresent() || snapshot.equals(other);
    }

    @Override
    public void write(ByteBuffer from) throws ProviderException {
        refuseAfterFailure();
        try {
            gate.write(from);
        } catch (IOException e) {
            throw failed(ZfsErrors.corrupt(snapshot, String.valueOf(e.getMessage())));
        } catch (ProviderException e) {
            throw failed(e);
        }
    }

    private void refuseAfterFailure() throws ProviderException {
        if (finished) {
            throw new IllegalStateException("the stream of " + snapshot + " has been ended");
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
    }

    /** What has come is of no use any more. */
    private ProviderException failed(ProviderException e) {
        failure = Optional.of(e);
        under.ifPresent(each -> each.program().close());
        return e;
    }

    @Override
    public void begin(Beginning beginning) throws IOException, ProviderException {
        var place = places.choose(snapshot, older, beginning);
        var program = places.start(place);
        under = Optional.of(new Under(place, program));
        if (failure.isPresent()) {
            program.close();
            throw failure.get();
        }
    }

    @Override
    public void take(byte[] bytes, int offset, int length) throws ProviderException {
        var to = under.orElseThrow();
        try {
            to.program().write(bytes, offset, length);
        } catch (IOException e) {
            var refused = places.explained(snapshot, to.place(), ended(to));
            refused.addSuppressed(e);
            throw refused;
        }
    }

    private static Outcome ended(Under under) throws ProviderException {
        try {
            return under.program().finish();
        } catch (CommandException e) {
            throw ZfsErrors.of("zfs receive", e);
        }
    }

    @Override
    public Snapshot finish() throws ProviderException {
        refuseAfterFailure();
        finished = true;
        try {
            var last = gate.last();
            var to = under.orElseThrow();
            places.announce(to.place());
            take(last, 0, last.length);
            var outcome = ended(to);
            if (!outcome.succeeded()) {
                throw places.explained(snapshot, to.place(), outcome);
            }
            return places.arrived(snapshot, to.place());
        } catch (IOException e) {
            throw failed(ZfsErrors.corrupt(snapshot, String.valueOf(e.getMessage())));
        } catch (ProviderException e) {
            throw failed(e);
        }
    }

    /** Without its last record ZFS makes no snapshot, and takes away what has come. */
    @Override
    public void close() {
        if (failure.isEmpty()) {
            failure = Optional.of(new ProviderException(
                    new ProviderError.Unexpected("receiving snapshot " + snapshot, "its stream was closed")));
        }
        under.ifPresent(each -> each.program().close());
        closed.accept(this);
    }
}
