package io.tidemark.consistency.filesystem;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.FileSystems;
import io.tidemark.consistency.Frozen;
import io.tidemark.domain.Certificate;
import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** File systems with a guard ready to freeze them; then, frozen. Owned by one thread, but for {@link #guardLost}. */
final class ArmedFileSystems implements FileSystems.Armed {
    private static final Logger LOG = LoggerFactory.getLogger(ArmedFileSystems.class);

    private final List<FileSystems.MountedVolume> fileSystems;
    private final @Nullable HostCalls hostCalls;
    private final Duration limit;
    private final Runnable afterThaw;
    private final List<String> thawFailures = new ArrayList<>();
    private @Nullable ThawGuard guard;
    private @Nullable FrozenFileSystems frozen;
    private boolean closed;
    /** From before the first freeze until this object has seen to it that nothing is frozen. */
    private volatile boolean mayBeFrozen;

    /**
     * @param hostCalls absent in a rehearsal only
     * @param afterThaw run once, when nothing can be frozen any more: removes the journal's entry
     */
    ArmedFileSystems(
            List<FileSystems.MountedVolume> fileSystems,
            @Nullable HostCalls hostCalls,
            Duration limit,
            Runnable afterThaw) {
        this.fileSystems = List.copyOf(fileSystems);
        this.hostCalls = hostCalls;
        this.limit = limit;
        this.afterThaw = afterThaw;
    }

    /** Waits until the guard is ready. */
    void start(GuardChannel channel) throws ConsistencyException {
        guard = new ThawGuard(channel, fileSystems.size());
        try {
            guard.awaitReady();
        } catch (ThawGuard.GuardException e) {
            throw new ConsistencyException(failure(e), e);
        }
    }

    @Override
    public void flush() throws ConsistencyException {
        if (hostCalls == null) {
            return;
        }
        for (var fileSystem : fileSystems) {
            try {
                hostCalls.syncFileSystem(fileSystem.mountPoint());
            } catch (IOException e) {
                throw new ConsistencyException(
                        new ConsistencyError.FreezeFailed(
                                Certificate.FILE_SYSTEM,
                                fileSystem.mountPoint().toString(),
                                String.valueOf(e.getMessage())),
                        e);
            }
        }
    }

    @Override
    public Frozen freeze() throws ConsistencyException {
        if (guard == null || frozen != null || closed) {
            throw new IllegalStateException("not armed, or frozen before");
        }
        mayBeFrozen = true;
        try {
            var answers = guard.freeze(limit);
            frozen = new FrozenFileSystems(guard, answers);
            return frozen;
        } catch (ThawGuard.GuardException e) {
            if (e.index() < 0) {
                thawWithoutGuard(guard);
            }
            throw new ConsistencyException(failure(e), e);
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (frozen != null) {
            frozen.close();
        }
        if (guard != null && !guard.end()) {
            if (mayBeFrozen) {
                // Whatever it was doing: after this nothing of ours is frozen.
                var unused = thawWithoutGuard(guard);
            } else {
                guard.kill();
            }
        }
        mayBeFrozen = false;
        if (thawFailures.isEmpty()) {
            afterThaw.run();
        }
    }

    /**
     * On another thread, while the owner may be waiting for a cut that takes its time: where the guard's sentinel died
     * with it, nobody else is left to thaw. The owner finds it out when it asks, and thaws once more, which tells of
     * failures.
     */
    void guardLost() {
        if (mayBeFrozen) {
            thawAll();
        }
    }

    /** As far as it goes: whoever calls this thaws once more and tells what failed. */
    private void thawAll() {
        if (hostCalls != null) {
            for (var fileSystem : fileSystems.reversed()) {
                boolean unused = thaws(hostCalls, fileSystem.mountPoint());
            }
        }
    }

    private static boolean thaws(HostCalls hostCalls, Path mountPoint) {
        try {
            return hostCalls.thaw(mountPoint);
        } catch (IOException e) {
            // The others are still frozen; the owner tries again, and tells.
            return false;
        }
    }

    private ConsistencyError.FreezeFailed failure(ThawGuard.GuardException e) {
        int index = Math.clamp(e.index(), 0, fileSystems.size() - 1);
        var reason = e.errno() == HostCallException.EBUSY
                ? "it is frozen already, by someone else"
                : String.valueOf(e.getMessage());
        return new ConsistencyError.FreezeFailed(
                Certificate.FILE_SYSTEM, fileSystems.get(index).mountPoint().toString(), reason);
    }

    /**
     * Ends the guard in between: one that is merely slow could freeze another file system behind our back. Not before
     * all is thawed once, and with that each thaw of the guard's over, for the kernel waits with ours until then: a Btrfs
     * is forced read-only when the process that thaws it is killed meanwhile (Linux 6.18, {@code btrfs_unfreeze} reads
     * the super block anew, and the signal ends that read with EINTR).
     *
     * @return for each file system when the thaw was first asked, and by when it was done
     */
    private List<ThawGuard.Thawed> thawWithoutGuard(ThawGuard lost) {
        long started = System.nanoTime();
        thawAll();
        lost.kill();
        var answers = new ArrayDeque<ThawGuard.Thawed>();
        for (var fileSystem : fileSystems.reversed()) {
            try {
                if (hostCalls != null) {
                    hostCalls.thaw(fileSystem.mountPoint());
                }
            } catch (IOException e) {
                thawFailures.add("%s: %s".formatted(fileSystem.mountPoint(), e.getMessage()));
            }
            answers.addFirst(new ThawGuard.Thawed(started, System.nanoTime(), false));
        }
        // Only now may anything be logged: nothing of ours is frozen any more, or never will be thawed by us.
        for (var failure : thawFailures) {
            LOG.error("thaw_failed {}", failure);
        }
        return List.copyOf(answers);
    }

    private final class FrozenFileSystems implements Frozen {
        private final ThawGuard guard;
        private final ThawGuard.Acknowledged[] acknowledged;
        private @Nullable Release release;
        private boolean guardLost;

        FrozenFileSystems(ThawGuard guard, ThawGuard.Acknowledged[] acknowledged) {
            this.guard = guard;
            this.acknowledged = acknowledged;
        }

        @Override
        public boolean heldUntilNow() {
            if (release != null || guardLost) {
                return false;
            }
            try {
                return guard.ask();
            } catch (ThawGuard.GuardException e) {
                guardLost = true;
                return false;
            }
        }

        @Override
        public Release thaw() {
            if (release != null) {
                return release;
            }
            List<ThawGuard.Thawed> thawed;
            try {
                thawed = guardLost ? thawWithoutGuard(guard) : List.of(guard.thaw());
            } catch (ThawGuard.GuardException e) {
                guardLost = true;
                thawed = thawWithoutGuard(guard);
            }
            release = new Release(freezes(thawed), Map.of());
            return release;
        }

        private List<Certificate.Freeze> freezes(List<ThawGuard.Thawed> thawed) {
            var freezes = new ArrayList<Certificate.Freeze>();
            for (int index = 0; index < fileSystems.size(); index++) {
                var fileSystem = fileSystems.get(index);
                freezes.add(new Certificate.Freeze(
                        Certificate.FILE_SYSTEM,
                        fileSystem.mountPoint().toString(),
                        acknowledged[index].requestedNanos(),
                        acknowledged[index].acknowledgedNanos(),
                        thawed.get(index).startedNanos(),
                        thawed.get(index).endedNanos(),
                        thawed.get(index).held(),
                        Map.of(
                                "volume", fileSystem.volume().value(),
                                "device", fileSystem.device(),
                                "type", fileSystem.type(),
                                "guard", guardLost ? "lost" : "answered")));
            }
            return freezes;
        }
    }

    /** Runs through the same code as a real freeze, with a guard that only says its lines. */
    static ArmedFileSystems rehearsal() {
        var nowhere =
                new FileSystems.MountedVolume(VolumeId.of("rehearsal", "none"), "0:0", Path.of("/nonexistent"), "none");
        var armed = new ArmedFileSystems(List.of(nowhere), null, Duration.ofSeconds(1), () -> {});
        try {
            armed.start(new RehearsedGuard());
        } catch (ConsistencyException e) {
            throw new AssertionError("rehearsed guard was not ready", e);
        }
        return armed;
    }

    private static final class RehearsedGuard implements GuardChannel {
        private final ArrayDeque<String> lines = new ArrayDeque<>(List.of("ready"));

        @Override
        public void send(String command) {
            switch (command) {
                case "freeze" -> lines.addAll(List.of("frozen 0 1 2", "all-frozen"));
                case "ask" -> lines.add("held");
                default -> lines.addAll(List.of("thawed 0 3 4 1", "done"));
            }
        }

        @Override
        public Optional<String> receive(Duration limit) {
            return Optional.ofNullable(lines.poll());
        }

        @Override
        public boolean end() {
            return true;
        }

        @Override
        public void kill() {}
    }
}
