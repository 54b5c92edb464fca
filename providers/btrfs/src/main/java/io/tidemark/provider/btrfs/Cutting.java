package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.btrfs.BtrfsFolder.Subvolume;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutForecast;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Cuts by the kernel's own snapshot of a subvolume, which one transaction makes wholly or not at all, its name, its
 * time and that it is read-only included; it is committed when the call returns.
 */
final class Cutting {
    /** Of one subvolume: the call waits for what was written and is not on the disk, and commits a transaction. */
    static final Duration EXPECTED = Duration.ofMillis(50);

    private final BtrfsFolder folder;
    private final HostCalls host;
    private final Replacing replacing;
    private final LongSupplier nanos;

    Cutting(BtrfsFolder folder, HostCalls host, Replacing replacing, LongSupplier nanos) {
        this.folder = folder;
        this.host = host;
        this.replacing = replacing;
        this.nanos = nanos;
    }

    CutForecast forecast(List<VolumeId> volumes) throws ProviderException {
        var notes = new ArrayList<String>();
        for (var id : volumes) {
            notes.add(note(folder.get(id)));
        }
        return new CutForecast(EXPECTED.multipliedBy(volumes.size()), volumes.size() == 1, notes);
    }

    private String note(Subvolume volume) throws ProviderException {
        try {
            var method = volume.id() + ": btrfs read-only snapshot of the subvolume";
            return replacing
                    .nested(volume.path())
                    .map(nested -> method + "; WITHOUT the subvolumes that lie in it: " + nested)
                    .orElse(method);
        } catch (IOException e) {
            throw BtrfsErrors.of("looking what lies in " + volume.id(), volume.path(), e);
        }
    }

    /** What is not written yet, the snapshot would write within the cut. */
    void prepare(CutRequest request) throws ProviderException {
        for (var volume : request.volumes()) {
            folder.get(volume);
        }
        try {
            host.syncFileSystem(folder.root());
        } catch (IOException e) {
            throw BtrfsErrors.of("syncing " + request.volumes(), folder.root(), e);
        }
    }

    Cut cut(CutRequest request) throws ProviderException {
        var volumes = new ArrayList<Subvolume>();
        for (var id : request.volumes()) {
            volumes.add(folder.get(id));
        }
        var times = new ArrayList<Times>();
        for (var volume : volumes) {
            var id = new SnapshotId(volume.id(), request.recoveryPoint());
            times.add(folder.find(id).isPresent() ? new Times(id, 0, 0) : cut(volume, id));
        }
        // Sizes are read once all are cut: nothing else lies between two cuts.
        var members = new ArrayList<Cut.Member>();
        for (var each : times) {
            members.add(new Cut.Member(folder.described(each.snapshot()), each.startedNanos(), each.finishedNanos()));
        }
        return new Cut(volumes.size() == 1, members);
    }

    private record Times(SnapshotId snapshot, long startedNanos, long finishedNanos) {}

    private Times cut(Subvolume volume, SnapshotId id) throws ProviderException {
        var target = folder.path(id);
        try {
            folder.forgetHolds(id);
            long started = nanos.getAsLong();
            host.btrfsSnapshot(volume.path(), target, true);
            long finished = nanos.getAsLong();
            return new Times(id, started, finished);
        } catch (HostCallException e) {
            if (e.errno() == HostCallException.ENOENT) {
                // Removed by somebody meanwhile, or something else is wrong.
                folder.get(volume.id());
            }
            if (e.errno() == HostCallException.EEXIST) {
                throw BtrfsErrors.conflict(id, "something else lies at " + target + ". Move it away");
            }
            throw BtrfsErrors.of("cutting " + volume.id(), target, e);
        } catch (IOException e) {
            throw BtrfsErrors.of("cutting " + volume.id(), target, e);
        }
    }
}
