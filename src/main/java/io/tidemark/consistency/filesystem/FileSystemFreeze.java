package io.tidemark.consistency.filesystem;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.FileSystems;
import io.tidemark.consistency.MountTable;
import io.tidemark.domain.Certificate;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.spi.Capability;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Freezes by {@code FIFREEZE} in a guard process. One guard freezes all file systems of a recovery point, so that one
 * limit holds for all; it thaws them at the limit, at the end of its input (this process died), and on SIGTERM. If the
 * guard dies, this process thaws; if both die, the next process does, from the journal.
 */
public final class FileSystemFreeze implements FileSystems {
    private static final Logger LOG = LoggerFactory.getLogger(FileSystemFreeze.class);
    private static final Path SYS = Path.of("/sys");
    /** A guard without its parent ends as soon as the kernel has done what it was asked for: a freeze flushes first. */
    private static final Duration GUARD_END_LIMIT = ThawGuard.IOCTL_LIMIT;

    private final Host host;
    private final Optional<NativeCalls> calls;
    private final String unavailableReason;
    private final FreezeJournal journal;
    private final OwnGround ground;

    /** What the freeze needs of the host; another one in tests. */
    interface Host {
        MountTable mounts();

        /** Where sysfs is mounted. */
        default Path sys() {
            return SYS;
        }

        String bootId();

        /**
         * Starts a guard of these mount points; it has not said {@code ready} yet.
         *
         * @param entry of the journal, which the guard keeps locked while it lives
         * @param onLost run, on a thread of the guard's own, when it ends without having said that all is thawed
         */
        GuardChannel startGuard(Path program, Duration limit, Path entry, List<Path> mountPoints, Runnable onLost)
                throws IOException;
    }

    /** @param guard the {@code thaw-guard} program */
    public record NativeCalls(HostCalls hostCalls, Path guard) {}

    /**
     * @param stateFolder where the journal of freezes is kept, in a folder {@code freezes}
     * @param calls empty where the native library or the guard is missing: then nothing is ever frozen
     * @param unavailableReason why {@code calls} is empty; one phrase
     * @param needed files and folders that must stay writable while something is frozen (state, logs), with what they
     *     are for: {@code it holds the state folder}
     */
    public FileSystemFreeze(
            Path stateFolder,
            Optional<NativeCalls> calls,
            String unavailableReason,
            Map<Path, String> needed,
            String bootId) {
        this(stateFolder, calls, unavailableReason, needed, new LinuxHost(bootId));
    }

    FileSystemFreeze(
            Path stateFolder,
            Optional<NativeCalls> calls,
            String unavailableReason,
            Map<Path, String> needed,
            Host host) {
        this.host = host;
        this.calls = calls;
        this.unavailableReason = unavailableReason;
        this.journal = new FreezeJournal(stateFolder.resolve("freezes"));
        var paths = new LinkedHashMap<>(needed);
        paths.put(stateFolder, "it holds the state folder");
        calls.ifPresent(found -> paths.put(found.guard(), "it holds the thaw-guard program"));
        this.ground = new OwnGround(paths);
    }

    @Override
    public Optional<String> unavailableReason() {
        return calls.isPresent() ? Optional.empty() : Optional.of(unavailableReason);
    }

    @Override
    public List<MountedVolume> mountedFrom(List<Volume> volumes) {
        var mounts = host.mounts();
        var byDevice = new LinkedHashMap<String, MountedVolume>();
        for (var volume : volumes) {
            if (volume.can(Capability.FILES)) {
                continue;
            }
            for (var mountPoint : volume.mountPoints()) {
                mounts.holdingFollowed(mountPoint)
                        .ifPresent(mount -> byDevice.putIfAbsent(
                                mount.device(),
                                new MountedVolume(volume.id(), mount.device(), mount.mountPoint(), mount.type())));
            }
        }
        return List.copyOf(byDevice.values());
    }

    @Override
    public void refuseWhatWeStandOn(List<MountedVolume> fileSystems, List<Volume> volumes) throws ConsistencyException {
        if (fileSystems.isEmpty()) {
            return;
        }
        var mounts = host.mounts();
        var layers = new BlockLayers(host.sys(), mounts);
        var reasons = new LinkedHashMap<>(ground.reasonsByDevice(mounts, layers));
        for (var volume : volumes) {
            // What a volume of files stands on is the file system that holds its root.
            var places = volume.can(Capability.FILES) ? volume.mountPoints().stream() : volume.device().stream();
            places.flatMap(place -> mounts.holdingFollowed(place).stream()).forEach(mount -> {
                for (var device : layers.fileSystemsUnder(mount)) {
                    reasons.putIfAbsent(device, holds(volume));
                }
            });
            // A device may rest on an image itself: what suspends it waits for writes to that.
            volume.device().ifPresent(node -> {
                for (var device : layers.fileSystemsUnder(node)) {
                    reasons.putIfAbsent(device, holds(volume));
                }
            });
        }
        for (var fileSystem : fileSystems) {
            // Frozen first, it would hold up what the freeze of the other writes out, until the limit.
            for (var mount : mounts.ofDevice(fileSystem.device())) {
                for (var device : layers.fileSystemsUnder(mount)) {
                    if (!device.equals(fileSystem.device())) {
                        reasons.putIfAbsent(
                                device, "file system %s, frozen with it, rests on it".formatted(mount.mountPoint()));
                    }
                }
            }
        }
        for (var fileSystem : fileSystems) {
            var reason = reasons.get(fileSystem.device());
            if (reason != null) {
                throw new ConsistencyException(
                        new ConsistencyError.StandsOnIt(fileSystem.mountPoint().toString(), reason));
            }
        }
    }

    private static String holds(Volume volume) {
        return "it holds volume " + volume.id() + ", which the cut writes to";
    }

    @Override
    public Armed arm(RecoveryPointId recoveryPoint, List<MountedVolume> fileSystems, Duration limit)
            throws ConsistencyException {
        if (fileSystems.isEmpty()) {
            return Armed.NOTHING;
        }
        var found = calls.orElseThrow(() -> new IllegalStateException(unavailableReason));
        Path entry;
        try {
            entry = journal.write(recoveryPoint, host.bootId(), fileSystems);
        } catch (IOException e) {
            throw new ConsistencyException(
                    failed(fileSystems, "the journal of freezes cannot be written: " + e.getMessage()), e);
        }
        var armed = new ArmedFileSystems(fileSystems, found.hostCalls(), limit, () -> removeEntry(entry));
        try {
            armed.start(host.startGuard(
                    found.guard(),
                    limit,
                    entry,
                    fileSystems.stream().map(MountedVolume::mountPoint).toList(),
                    armed::guardLost));
        } catch (IOException e) {
            armed.close();
            throw new ConsistencyException(failed(fileSystems, "the guard cannot be started: " + e.getMessage()), e);
        } catch (ConsistencyException e) {
            armed.close();
            throw e;
        }
        return armed;
    }

    @Override
    public Armed rehearsal() {
        return ArmedFileSystems.rehearsal();
    }

    private static ConsistencyError.FreezeFailed failed(List<MountedVolume> fileSystems, String reason) {
        return new ConsistencyError.FreezeFailed(
                Certificate.FILE_SYSTEM, fileSystems.getFirst().mountPoint().toString(), reason);
    }

    private void removeEntry(Path entry) {
        try {
            journal.remove(entry);
        } catch (IOException e) {
            // The next start thaws what is not frozen, which does nothing, and removes it then.
            LOG.warn("freeze_journal_not_removed file={} error={}", entry, e.getMessage());
        }
    }

    @Override
    public void sweep() {
        List<FreezeJournal.Entry> entries;
        try {
            entries = journal.entries();
        } catch (IOException e) {
            LOG.error("freeze_journal_unreadable error={}", e.getMessage());
            return;
        }
        for (var entry : entries) {
            if (entry.damaged()) {
                LOG.error(
                        "freeze_journal_damaged file={} error=\"a file system that it named may be frozen: fsfreeze -u"
                                + " MOUNTPOINT thaws one; then delete the file\"",
                        entry.file());
                continue;
            }
            // A freeze does not outlive the kernel it was made in.
            if (!entry.bootId().equals(host.bootId()) || (sweepEntry(entry) && sweptForGood(entry))) {
                removeEntry(entry.file());
            }
        }
    }

    /** A guard that outlived its service may be in the midst of a freeze: what comes of that is thawed, too. */
    private boolean sweptForGood(FreezeJournal.Entry entry) {
        try {
            if (journal.awaitUnlocked(entry.file(), Duration.ZERO)) {
                return true;
            }
            if (!journal.awaitUnlocked(entry.file(), GUARD_END_LIMIT)) {
                LOG.error(
                        "freeze_guard_lives file={} error=\"the guard of a service that is gone still runs after {} s:"
                                + " end thaw-guard and thaw-sentinel, then start again\"",
                        entry.file(),
                        GUARD_END_LIMIT.toSeconds());
                return false;
            }
        } catch (IOException e) {
            LOG.error("freeze_journal_unreadable file={} error={}", entry.file(), e.getMessage());
            return false;
        }
        return sweepEntry(entry);
    }

    private boolean sweepEntry(FreezeJournal.Entry entry) {
        if (calls.isEmpty()) {
            LOG.error("freeze_not_swept file={} reason={}", entry.file(), unavailableReason);
            return false;
        }
        var mounts = host.mounts();
        boolean swept = true;
        var intents = new ArrayList<>(entry.intents());
        for (var intent : intents.reversed()) {
            // Only the file system that was named, wherever it is mounted now; another one there is not ours.
            var mountPoint = mounts.ofDevice(intent.device()).stream().findFirst();
            if (mountPoint.isPresent()) {
                swept &= thaw(mountPoint.get().mountPoint());
            }
        }
        return swept;
    }

    private boolean thaw(Path mountPoint) {
        try {
            boolean wasFrozen = calls.orElseThrow().hostCalls().thaw(mountPoint);
            LOG.warn("freeze_swept mountPoint={} wasFrozen={}", mountPoint, wasFrozen);
            return true;
        } catch (IOException e) {
            LOG.error("freeze_not_swept mountPoint={} error={}", mountPoint, e.getMessage());
            return false;
        }
    }

    private record LinuxHost(String bootId) implements Host {
        @Override
        public MountTable mounts() {
            try {
                return MountTable.read();
            } catch (IOException e) {
                throw new UncheckedIOException("mount table of this host cannot be read", e);
            }
        }

        @Override
        public GuardChannel startGuard(
                Path program, Duration limit, Path entry, List<Path> mountPoints, Runnable onLost) throws IOException {
            return GuardProcess.start(program, limit, entry, mountPoints, onLost);
        }
    }
}
