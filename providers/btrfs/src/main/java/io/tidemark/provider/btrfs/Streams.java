package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandStream;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.provider.devices.VolumeLocks;
import io.tidemark.spi.FileTrees.SnapshotTree;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotStreams.Incoming;
import io.tidemark.spi.SnapshotStreams.Outgoing;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Snapshots on their way to and from other storages, and what tells that a volume is not what its snapshot is. */
final class Streams implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Streams.class.getName());

    private final BtrfsFolder folder;
    private final HostCalls host;
    private final StreamProgram program;
    private final OpenTrees pins;
    private final VolumeLocks locks;
    private final Set<VolumeId> receiving = ConcurrentHashMap.newKeySet();
    private final Set<Runnable> open = ConcurrentHashMap.newKeySet();

    /** @param pins of snapshots that are not to be deleted just now */
    Streams(BtrfsFolder folder, HostCalls host, StreamProgram program, OpenTrees pins, VolumeLocks locks) {
        this.folder = folder;
        this.host = host;
        this.program = program;
        this.pins = pins;
        this.locks = locks;
    }

    Outgoing send(Optional<RecoveryPointId> olderPoint, SnapshotId newer) throws ProviderException {
        var older = olderPoint.map(point -> new SnapshotId(newer.volume(), point));
        var pinned = new ArrayList<SnapshotTree>();
        boolean begun = false;
        try (var held = locks.hold(List.of(newer.volume()))) {
            folder.lineage(newer);
            pinned.add(pins.open(newer, folder.path(newer)));
            if (older.isPresent()) {
                folder.lineage(older.get());
                pinned.add(pins.open(older.get(), folder.path(older.get())));
            }
            var stream = program.send(older.map(folder::path), folder.path(newer));
            Runnable stop = stream::close;
            open.add(stop);
            begun = true;
            return new Sending(stream, () -> {
                open.remove(stop);
                release(pinned);
            });
        } finally {
            if (!begun) {
                release(pinned);
            }
        }
    }

    private static void release(List<SnapshotTree> pinned) {
        for (var pin : pinned) {
            try {
                pin.close();
            } catch (ProviderException e) {
                throw new AssertionError("a pin is a number in memory", e);
            }
        }
    }

    Incoming receive(Optional<RecoveryPointId> olderPoint, SnapshotId newer) throws ProviderException {
        var volume = newer.volume();
        try (var held = locks.hold(List.of(volume))) {
            folder.get(volume);
            var older = olderPoint.map(point -> new SnapshotId(volume, point));
            Optional<Receiving.Older> base = older.isEmpty()
                    ? Optional.empty()
                    : Optional.of(
                            new Receiving.Older(older.get(), folder.path(older.get()), folder.lineage(older.get())));
            refuseWhatIsHere(newer);
            if (!receiving.add(volume)) {
                throw BtrfsErrors.busy(volume, "another stream that it takes in");
            }
            boolean begun = false;
            try {
                sweep(volume);
                var into = new ReceiveFolder(folder.freeWork(volume, ReceiveFolder.KIND), host);
                var place = new Place(newer, pin(older));
                var incoming = new Receiving(newer, base, into, place, host);
                place.stop = incoming::close;
                open.add(place.stop);
                begun = true;
                return incoming;
            } finally {
                if (!begun) {
                    receiving.remove(volume);
                }
            }
        } catch (IOException e) {
            throw BtrfsErrors.of("receiving " + newer, folder.work(), e);
        }
    }

    private List<SnapshotTree> pin(Optional<SnapshotId> snapshot) {
        return snapshot.map(each -> List.of(pins.open(each, folder.path(each)))).orElse(List.of());
    }

    private void refuseWhatIsHere(SnapshotId newer) throws ProviderException {
        if (DurableFiles.exists(folder.path(newer))) {
            throw BtrfsErrors.conflict("snapshot " + newer, "it is here already");
        }
    }

    /** What an earlier try could not remove; whatever still cannot be is no hindrance. */
    private void sweep(VolumeId volume) throws IOException {
        for (var left : DurableFiles.entries(folder.work())) {
            if (ReceiveFolder.isOne(left) && DurableFiles.nameOf(left).startsWith(volume.name() + "@")) {
                new ReceiveFolder(left, host).discard();
            }
        }
    }

    /** Where one stream comes in. */
    private final class Place implements Receiving.Place {
        private final SnapshotId newer;
        private final List<SnapshotTree> pinned;
        private Runnable stop = () -> {};

        Place(SnapshotId newer, List<SnapshotTree> pinned) {
            this.newer = newer;
            this.pinned = pinned;
        }

        @Override
        public int understands() throws ProviderException {
            return program.receives();
        }

        @Override
        public CommandStream program(Path confinedTo) throws ProviderException {
            return program.receive(confinedTo);
        }

        /** Durable when it returns, its files included, as a cut is. */
        @Override
        public Snapshot publish(Path received) throws ProviderException, IOException {
            // The snapshot would write what is not written yet, while a cut of the volume waits for its lock.
            host.syncFileSystem(received);
            try (var held = locks.hold(List.of(newer.volume()))) {
                folder.get(newer.volume());
                refuseWhatIsHere(newer);
                folder.forgetHolds(newer);
                host.btrfsSnapshot(received, folder.path(newer), true);
                return folder.described(newer);
            }
        }

        @Override
        public void closed() {
            if (open.remove(stop)) {
                release(pinned);
                receiving.remove(newer.volume());
            }
        }
    }

    Optional<String> changedSince(VolumeId volume, Optional<RecoveryPointId> stands) throws ProviderException {
        var path = folder.get(volume).path();
        try {
            if (stands.isEmpty()) {
                return anything(path);
            }
            var snapshot = new SnapshotId(volume, stands.get());
            SnapshotTree pin;
            Path probe;
            try (var held = locks.hold(List.of(volume))) {
                folder.lineage(snapshot);
                probe = folder.freeWork(volume);
                host.btrfsSnapshot(path, probe, true);
                pin = pins.open(snapshot, folder.path(snapshot));
            }
            try {
                return difference(folder.path(snapshot), probe);
            } finally {
                release(List.of(pin));
                discard(probe);
            }
        } catch (IOException e) {
            throw BtrfsErrors.of("looking what has changed in " + volume, path, e);
        }
    }

    private static Optional<String> anything(Path root) throws IOException {
        try (var entries = Files.newDirectoryStream(root)) {
            for (var entry : entries) {
                return Optional.of(DurableFiles.nameOf(entry) + " lies in it");
            }
            return Optional.empty();
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    private Optional<String> difference(Path older, Path newer) throws ProviderException, IOException {
        try (var stream = program.compare(older, newer)) {
            Optional<String> first;
            try {
                first = new Differences(stream.output()).first();
            } catch (IOException e) {
                throw new ProviderException(
                        new ProviderError.Unexpected("btrfs send --no-data", e.getMessage() + "; " + ending(stream)),
                        e);
            }
            if (first.isEmpty()) {
                var outcome = stream.finish();
                if (!outcome.succeeded()) {
                    throw new ProviderException(
                            new ProviderError.Unexpected("btrfs send --no-data", outcome.evidence()));
                }
            }
            return first;
        } catch (CommandException e) {
            throw BtrfsErrors.of("btrfs send --no-data", e);
        }
    }

    private static String ending(CommandStream stream) throws CommandException {
        return stream.finish().evidence();
    }

    private void discard(Path probe) {
        try {
            host.btrfsDeleteSubvolume(probe);
        } catch (IOException e) {
            // The kernel may still read it for a program that was killed. The next start deletes it.
            LOG.log(Level.WARNING, "btrfs.kept path={0} reason={1}", probe, e.getMessage());
        }
    }

    /** Ends all programs; what was coming in is removed. */
    @Override
    public void close() {
        for (var stop : open) {
            stop.run();
        }
    }
}
