package io.tidemark.provider.zfs;

import io.tidemark.provider.zfs.VolumeCatalog.VolumeEntry;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotStreams.Incoming;
import io.tidemark.spi.SnapshotStreams.Outgoing;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Snapshots of file systems on their way out and in, by {@code zfs send} and {@code zfs receive}. Guarded by itself. */
final class ZfsStreams {
    /** Never changes: what is spooled or under way between two sites has it. */
    static final String FORMAT = "zfs";

    private final ZfsCommands commands;
    private final Listing listing;
    private final ArrivalPlaces places;
    private final Set<SentStream> sent = new HashSet<>();
    private final Set<ReceivedStream> received = new HashSet<>();

    ZfsStreams(ZfsCommands commands, Listing listing, ArrivalPlaces places) {
        this.commands = commands;
        this.listing = listing;
        this.places = places;
    }

    synchronized Outgoing send(Optional<RecoveryPointId> older, SnapshotId newer) throws ProviderException {
        var catalog = listing.list();
        var to = catalog.get(newer);
        withFiles(catalog.get(newer.volume()));
        var used = new HashSet<>(Set.of(newer));
        Optional<String> from = Optional.empty();
        if (older.isPresent()) {
            var base = catalog.get(new SnapshotId(newer.volume(), older.get()));
            if (base.id().equals(newer) || !catalog.history(to.on()).contains(base.on())) {
                throw new ProviderException(new ProviderError.Conflict(
                        "snapshot " + newer,
                        "it does not come after %s: send it whole, or upon another one".formatted(base.id())));
            }
            used.add(base.id());
            from = Optional.of(base.on().name());
        }
        var program = commands.sendFiles(from, to.on().name());
        var stream = new SentStream(
                newer, used, program, () -> listing.list().find(newer).isPresent(), this::closed);
        sent.add(stream);
        return stream;
    }

    static VolumeEntry withFiles(VolumeEntry volume) throws ProviderException {
        if (!volume.on().isFileSystem()) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.id().toString(),
                    "is blocks, not a file system: it is replicated block by block, not as a stream"));
        }
        return volume;
    }

    synchronized Incoming receive(Optional<RecoveryPointId> older, SnapshotId newer) throws ProviderException {
        refuseWhileReceiving(newer.volume());
        var catalog = listing.list();
        if (places.sweep(catalog)) {
            catalog = listing.list();
        }
        withFiles(catalog.get(newer.volume()));
        if (catalog.find(newer).isPresent()) {
            throw new ProviderException(new ProviderError.Conflict("snapshot " + newer, "it is here already"));
        }
        ArrivalPlaces.refuseTakenName(catalog, newer);
        if (older.isPresent()) {
            catalog.get(new SnapshotId(newer.volume(), older.get()));
        }
        var stream = new ReceivedStream(newer, older, places, this::closed);
        received.add(stream);
        return stream;
    }

    private synchronized void closed(SentStream stream) {
        sent.remove(stream);
    }

    private synchronized void closed(ReceivedStream stream) {
        received.remove(stream);
    }

    /** @throws ProviderException Busy */
    synchronized void refuseWhileUsed(SnapshotId snapshot) throws ProviderException {
        if (sent.stream().anyMatch(each -> each.uses(snapshot))) {
            throw ZfsErrors.busy("snapshot " + snapshot, "a stream of it that is being sent");
        }
        if (received.stream().anyMatch(each -> each.uses(snapshot))) {
            throw ZfsErrors.busy("snapshot " + snapshot, "a stream upon it that is being received");
        }
    }

    /** @throws ProviderException Busy */
    synchronized void refuseWhileReceiving(VolumeId volume) throws ProviderException {
        for (var each : received) {
            if (each.snapshot().volume().equals(volume)) {
                throw ZfsErrors.busy(
                        volume, "the stream of snapshot %s that is being received".formatted(each.snapshot()));
            }
        }
    }

    /** Ends whatever is open. */
    void close() {
        List<SentStream> outgoing;
        List<ReceivedStream> incoming;
        synchronized (this) {
            outgoing = new ArrayList<>(sent);
            incoming = new ArrayList<>(received);
        }
        outgoing.forEach(SentStream::close);
        incoming.forEach(ReceivedStream::close);
    }
}
