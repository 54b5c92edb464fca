package io.tidemark.agent;

import io.tidemark.domain.LinkId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.replication.KeptPoints;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.TargetView;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a target volume is and whether it still has the content that its newest recovery point says. */
final class TargetVolumes {
    private static final Duration BUSY_RETRY = Duration.ofSeconds(10);

    private final Providers providers;
    private final VolumeComparison comparison;
    private final Path folder;

    TargetVolumes(Providers providers, BlockKernel kernel, Path folder) {
        this.providers = providers;
        this.comparison = new VolumeComparison(providers, kernel);
        this.folder = folder;
    }

    TargetView look(ReplicationLink link, Optional<TargetView.LogView> log)
            throws ReplicationException, ProviderException {
        var provider = providers.of(link.localVolume());
        var volume = provider.volume(link.localVolume());
        boolean files = volume.can(Capability.FILES);
        if (!files) {
            // Files are swapped as one, and whoever has them open is named then.
            refuseWhenMounted(volume);
        }
        var points = points(volume.id());
        var overruled = Overruled.read(folder, link.id());
        var view = new TargetView(
                volume.id(), volume.sizeBytes(), points, link.inStep(), Optional.empty(), log, overruled);
        var stands = view.stands();
        if (stands.isEmpty()) {
            var held = files
                    ? providers.streamsOf(volume.id()).changedSince(volume.id(), Optional.empty())
                    : Optional.<String>empty();
            return new TargetView(volume.id(), volume.sizeBytes(), points, link.inStep(), held, log, overruled);
        }
        var written = written(volume, link.id(), stands.get());
        return new TargetView(volume.id(), volume.sizeBytes(), points, link.inStep(), written, log, overruled);
    }

    /** How it is known that the volume does not stand at that any more, or was written; empty: neither. */
    Optional<String> otherThan(ReplicationLink link, Optional<RecoveryPointId> planned)
            throws ReplicationException, ProviderException {
        var now = look(link, Optional.empty());
        return now.stands().equals(planned)
                ? now.written()
                : Optional.of("it stands at %s, not at %s any more".formatted(shown(now.stands()), shown(planned)));
    }

    private static String shown(Optional<RecoveryPointId> point) {
        return point.map(RecoveryPointId::value).orElse("no recovery point");
    }

    /** How it is known that the volume is not what the snapshot is; empty: it is. Compares, whatever is remembered. */
    Optional<String> changedSince(SnapshotId base, LinkId link) throws ProviderException {
        return comparison.changedSince(base, link, true);
    }

    /** As the volume is now, whatever is remembered of it. */
    <T> T compare(SnapshotId base, LinkId link, VolumeComparison.Reading<T> reading)
            throws ReplicationException, ProviderException {
        return comparison.compare(base, link, true, reading);
    }

    /** Sets aside every recovery point that the volume has now. */
    void overrule(ReplicationLink link) throws ReplicationException, ProviderException {
        Overruled.write(folder, link.id(), points(link.localVolume()));
    }

    /** A link carries blocks or streams, and its volumes are of that kind both. */
    static void refuseOtherKind(Volume volume, boolean stream) throws ReplicationException {
        if (volume.can(Capability.FILES) != stream) {
            throw new ReplicationException(
                    new ReplicationError.Storage(
                            new ProviderError.Conflict(
                                    volume.id().value(),
                                    stream
                                            ? "it has blocks, and the source's volume is files: name a volume of this site that is files"
                                            : "it is files, and the source's volume has blocks: name a volume of this site with blocks")));
        }
    }

    /** Not asked of a volume that is only to be cut, or told to be there: some storage is written once. */
    static void refuseUnwritable(Volume volume) throws ReplicationException {
        if (!volume.can(Capability.RANDOM_WRITE)) {
            throw new ReplicationException(new ReplicationError.Storage(new ProviderError.Conflict(
                    volume.id().value(),
                    "its storage lets nobody write blocks: name a volume of this site that can be written to")));
        }
    }

    static void refuseWhenMounted(Volume volume) throws ReplicationException {
        if (!volume.mountPoints().isEmpty()) {
            throw new ReplicationException(new ReplicationError.Storage(new ProviderError.Busy(
                    volume.id().value(),
                    "a file system mounted at " + volume.mountPoints().getFirst(),
                    BUSY_RETRY)));
        }
    }

    /** Without those that are kept, and without what a comparison left that ended with its process. */
    List<RecoveryPointId> points(VolumeId volume) throws ProviderException {
        var points = new ArrayList<RecoveryPointId>();
        for (var snapshot : providers.snapshotsOf(volume)) {
            var point = snapshot.id().recoveryPoint();
            if (!point.value().startsWith(VolumeComparison.PROBE) && !KeptPoints.is(point)) {
                points.add(point);
            }
        }
        return points;
    }

    /**
     * How it is known that someone wrote to the volume; empty when nobody did. Asks the file's change time first,
     * which costs nothing; then compares with the snapshot, through the storage's changed ranges where it has them,
     * else wholly.
     */
    private Optional<String> written(Volume volume, LinkId link, RecoveryPointId stands)
            throws ReplicationException, ProviderException {
        if (asRemembered(volume, link, stands)) {
            return Optional.empty();
        }
        var base = new SnapshotId(volume.id(), stands);
        var written = changedSince(base, link);
        if (written.isEmpty()) {
            writeStamp(volume, link, stands);
        }
        return written;
    }

    /** Whether the volume's file is as it was when the volume became that recovery point: then nobody wrote to it. */
    boolean asRemembered(Volume volume, LinkId link, RecoveryPointId stands) {
        var stamp = stamp(volume, stands);
        return stamp.isPresent() && stamp.equals(readStamp(link));
    }

    /** Remembers what the volume's file looks like at a recovery point; best effort, its loss costs one comparison. */
    void writeStamp(Volume volume, LinkId link, RecoveryPointId stands) throws ReplicationException {
        var stamp = stamp(volume, stands);
        Path file = stampFile(link);
        try {
            if (stamp.isEmpty()) {
                Files.deleteIfExists(file);
                return;
            }
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(fresh, stamp.get(), StandardCharsets.UTF_8);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new ReplicationException(
                    new ReplicationError.State(file.toString(), String.valueOf(e.getMessage())), e);
        }
    }

    /** So that the next look compares in full. */
    void deleteStamp(LinkId link) throws ReplicationException {
        Path file = stampFile(link);
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new ReplicationException(
                    new ReplicationError.State(file.toString(), String.valueOf(e.getMessage())), e);
        }
    }

    private Optional<String> readStamp(LinkId link) {
        try {
            return Optional.of(Files.readString(stampFile(link), StandardCharsets.UTF_8));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private Path stampFile(LinkId link) {
        return folder.resolve(link + ".stamp");
    }

    private static Optional<String> stamp(Volume volume, RecoveryPointId stands) {
        @Nullable Path device = volume.device().orElse(null);
        if (device == null || !Files.isRegularFile(device)) {
            return Optional.empty();
        }
        try {
            // The change time cannot be set back by whoever writes, as the modification time can.
            var changed = Files.getAttribute(device, "unix:ctime");
            var inode = Files.getAttribute(device, "unix:ino");
            return Optional.of("%s %s %s %s %d".formatted(stands, device, inode, changed, Files.size(device)));
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
