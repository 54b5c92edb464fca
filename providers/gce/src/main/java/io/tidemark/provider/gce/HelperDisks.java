package io.tidemark.provider.gce;

import com.google.cloud.compute.v1.Disk;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Temporary disks, made of snapshots and attached read-only to the helper, one a snapshot however many read it. With the
 * last reader it is detached and deleted. What a process leaves that was killed, or that could not delete, is found
 * again by its labels ({@link #tidy}). Safe for several threads.
 */
final class HelperDisks {
    /** A read waits so long for its disk; what takes longer goes on at Google, and who asks again takes it up. */
    static final Duration READY_MAXIMUM = Duration.ofSeconds(60);
    /** So long a disk is kept for who was told to ask again. */
    static final Duration KEPT_UNREAD = Duration.ofMinutes(10);
    /** What is not gone by then is looked at again later. */
    private static final Duration GONE_MAXIMUM = Duration.ofSeconds(20);

    private static final Duration ASK_AGAIN = Duration.ofSeconds(10);
    private static final Duration FULL_ASK_AGAIN = Duration.ofMinutes(1);

    private final HelperSettings settings;
    private final GceConfig config;
    private final GceOperations operations;
    private final GceCalls calls;
    private final HelperCalls helperCalls;
    private final Attempts attempts;
    private final GceWaiting waiting;
    private final InstantSource clock;
    private final Instant begun;
    private final MetadataServer metadata;
    private final Executor background;
    /** By the disk's name; guarded by itself, as each one's readers are. */
    private final Map<String, Use> uses = new HashMap<>();

    private @Nullable HelperInstance found;
    private volatile boolean open = true;
    /** Whether the last look left nothing to look at. */
    private volatile boolean tidied;

    /** A disk and who reads it. What is done to the disk at Google is done under the use's own lock. */
    static final class Use {
        private final String disk;
        private int readers;
        private Instant idleSince = Instant.EPOCH;
        /** Whether it was ever asked for, or was found. */
        private boolean asked;
        /** Whether the last who wanted it was told to ask again. */
        private boolean promised;
        /** Whether it may be there. */
        private volatile boolean there;

        private volatile @Nullable FileChannel device;

        Use(String disk) {
            this.disk = disk;
        }

        String disk() {
            return disk;
        }
    }

    /** @param background where disks are deleted that nobody reads any more */
    HelperDisks(
            HelperSettings settings,
            GceConfig config,
            GceConnection connection,
            GceOperations operations,
            GceWaiting waiting,
            Executor background) {
        this.settings = settings;
        this.config = config;
        this.operations = operations;
        this.calls = operations.calls();
        this.helperCalls = new HelperCalls(connection);
        this.attempts = operations.attempts();
        this.waiting = waiting;
        this.clock = operations.clock();
        this.begun = clock.instant();
        this.metadata = new MetadataServer(connection);
        this.background = background;
    }

    /** Counts a reader in; asks Google nothing where the settings name the helper. */
    Use use(CloudSnapshot snapshot) throws ProviderException {
        String disk = GceNames.readingDiskOf(config.installation(), config.name(), helper(), snapshot);
        synchronized (uses) {
            var use = uses.computeIfAbsent(disk, Use::new);
            use.readers++;
            return use;
        }
    }

    void release(Use use) {
        synchronized (uses) {
            use.readers--;
            use.idleSince = clock.instant();
        }
        background.execute(() -> {
            try {
                var unused = isGone(helper(), use.disk);
            } catch (ProviderException e) {
                // It stays in the uses: the next who tidies up looks again.
                return;
            }
        });
    }

    /** The snapshot's device; makes and attaches its disk where that was not done yet. */
    FileChannel device(Use use, SnapshotId id, CloudSnapshot snapshot) throws ProviderException {
        var open = use.device;
        if (open != null) {
            return open;
        }
        synchronized (use) {
            if (use.device == null) {
                refuseWhereFull(use, id);
                use.asked = true;
                use.there = true;
                long end = waiting.nanos().getAsLong() + READY_MAXIMUM.toNanos();
                var busy = new ProviderError.Busy(
                        id.toString(),
                        "Google, which has not attached its disk %s in %d s; asked again, it goes on"
                                .formatted(use.disk, READY_MAXIMUM.toSeconds()),
                        ASK_AGAIN);
                use.promised = false;
                try {
                    use.device = waiting.until(end, busy, new Opening(helper(), use.disk, snapshot));
                } catch (ProviderException e) {
                    use.promised = e.error().retryable();
                    throw e;
                }
            }
            return java.util.Objects.requireNonNull(use.device);
        }
    }

    private void refuseWhereFull(Use wanted, SnapshotId id) throws ProviderException {
        synchronized (uses) {
            long others = uses.values().stream()
                    .filter(each -> each != wanted && each.there)
                    .count();
            if (others >= settings.disks()) {
                throw new ProviderException(new ProviderError.Busy(
                        id.toString(),
                        "the helper, which has %d disks for reading, the most that helperDisks allows"
                                .formatted(others),
                        FULL_ASK_AGAIN));
            }
        }
    }

    /** One step on, each time it is asked: the disk is made, attached, seen. */
    private final class Opening implements GceWaiting.Question<FileChannel> {
        private final HelperInstance helper;
        private final String name;
        private final CloudSnapshot snapshot;
        private Optional<CloudOperation> operation = Optional.empty();

        Opening(HelperInstance helper, String name, CloudSnapshot snapshot) {
            this.helper = helper;
            this.name = name;
            this.snapshot = snapshot;
        }

        @Override
        public Optional<FileChannel> ask() throws ProviderException {
            if (isUnderWay(helper, operation, "reading disk " + name)) {
                return Optional.empty();
            }
            var disk = attempts.until(() -> calls.disk(helper.zone(), name));
            if (disk.isEmpty()) {
                operation = make();
            } else if (!isOurs(helper, disk.get())) {
                throw new ProviderException(new ProviderError.Conflict(
                        name, "a disk of that name is in %s and is not ours".formatted(helper.zone())));
            } else if (disk.get().users().contains(helper.name())) {
                return seen();
            } else if (disk.get().status().equals("READY")) {
                operation = Optional.of(helperCalls.attach(helper, disk.get()));
            } else if (disk.get().status().equals("FAILED")) {
                throw new ProviderException(
                        new ProviderError.Unexpected("disks.insert of " + name, "the disk is FAILED"));
            }
            return Optional.empty();
        }

        private Optional<CloudOperation> make() throws ProviderException {
            var wanted = Disk.newBuilder()
                    .setName(name)
                    .setSourceSnapshot(config.snapshotLink(snapshot.name()))
                    .putLabels(GceNames.INSTALLATION, config.installation())
                    .putLabels(GceNames.ORIGIN, snapshot.name())
                    .putLabels(GceNames.READING, GceNames.readingOf(config.name(), helper));
            settings.diskType()
                    .ifPresent(type -> wanted.setType(
                            "projects/%s/zones/%s/diskTypes/%s".formatted(config.project(), helper.zone(), type)));
            var requestId = UUID.randomUUID();
            return attempts.until(() -> calls.insertDisk(helper.zone(), wanted.build(), requestId));
        }

        /** The host's kernel and udev take a moment after Google is done. */
        private Optional<FileChannel> seen() throws ProviderException {
            Path path = settings.devices().resolve("google-" + name);
            if (!Files.exists(path)) {
                return Optional.empty();
            }
            try {
                var device = FileChannel.open(path, StandardOpenOption.READ);
                if (device.size() >= snapshot.sizeBytes()) {
                    return Optional.of(device);
                }
                long size = device.size();
                device.close();
                throw new ProviderException(new ProviderError.Corrupt(
                        path.toString(), "it has %d bytes, the snapshot %d".formatted(size, snapshot.sizeBytes())));
            } catch (IOException e) {
                throw new ProviderException(
                        new ProviderError.Denied(path.toString(), "the right to read the device: " + e.getMessage()),
                        e);
            }
        }
    }

    private boolean isUnderWay(HelperInstance helper, Optional<CloudOperation> operation, String about)
            throws ProviderException {
        return operation.isPresent()
                && operations.isUnderWay(about, helper.zone(), operation.get().name());
    }

    private boolean isOurs(HelperInstance helper, CloudDisk disk) {
        return config.installation().equals(disk.labels().get(GceNames.INSTALLATION))
                && GceNames.readingOf(config.name(), helper)
                        .equals(disk.labels().get(GceNames.READING))
                && disk.name().startsWith(GceNames.PREFIX);
    }

    /**
     * Detaches and deletes what nobody reads, of this process and of those before it.
     *
     * @return whether there is nothing left to look at again: lists may lack for some minutes what a process asked for
     *     that was killed
     */
    boolean tidy() throws ProviderException {
        var helper = helper();
        String filter = "(labels.%s = \"%s\") AND (labels.%s = \"%s\")"
                .formatted(
                        GceNames.INSTALLATION,
                        config.installation(),
                        GceNames.READING,
                        GceNames.readingOf(config.name(), helper));
        var listed = GceLists.all("disks.aggregatedList", token -> attempts.until(() -> calls.disks(filter, token)));
        var names = new TreeSet<String>();
        listed.stream()
                .filter(each -> each.location().equals(helper.zone()) && isOurs(helper, each))
                .forEach(each -> names.add(each.name()));
        for (var each : names) {
            synchronized (uses) {
                uses.computeIfAbsent(each, Use::new).asked = true;
            }
        }
        synchronized (uses) {
            names.addAll(uses.keySet());
        }
        for (var each : names) {
            var unused = isGone(helper, each);
        }
        synchronized (uses) {
            tidied = uses.isEmpty()
                    && listed.isEmpty()
                    && !clock.instant().isBefore(begun.plus(RecentSnapshots.VISIBLE_WITHIN));
            return tidied;
        }
    }

    boolean isOpen() {
        return open;
    }

    /** Whether {@link #tidy} is worth its calls. */
    boolean mayHaveWork() {
        synchronized (uses) {
            return !tidied || !uses.isEmpty();
        }
    }

    /** Under the lock of its use, so that none is removed that a reader opens meanwhile. */
    private boolean isGone(HelperInstance helper, String name) throws ProviderException {
        Use use;
        synchronized (uses) {
            use = uses.computeIfAbsent(name, Use::new);
        }
        synchronized (use) {
            if (isNeeded(use)) {
                return false;
            }
            close(use);
            boolean gone = !use.asked || remove(helper, name);
            if (gone) {
                use.there = false;
                forget(use);
            }
            return gone;
        }
    }

    private boolean isNeeded(Use use) {
        synchronized (uses) {
            boolean isKept = use.promised && clock.instant().isBefore(use.idleSince.plus(KEPT_UNREAD));
            boolean isAnothers = uses.get(use.disk) != use;
            return use.readers > 0 || isKept || isAnothers;
        }
    }

    /** What was asked for and is not seen may still appear; it is looked for again until then. */
    private void forget(Use use) {
        synchronized (uses) {
            boolean isOver =
                    !use.asked || !clock.instant().isBefore(use.idleSince.plus(RecentSnapshots.VISIBLE_WITHIN));
            if (use.readers == 0 && isOver) {
                uses.remove(use.disk);
            }
        }
    }

    private static void close(Use use) {
        var open = use.device;
        use.device = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                // It was read only: nothing can be lost.
                return;
            }
        }
    }

    /** @return false where it is somebody's else to let go of, or is not gone yet */
    private boolean remove(HelperInstance helper, String name) throws ProviderException {
        long end = waiting.nanos().getAsLong() + GONE_MAXIMUM.toNanos();
        var busy = new ProviderError.Busy(name, "Google, which has not deleted it yet", ASK_AGAIN);
        return waiting.until(end, busy, new Removal(helper, name));
    }

    /** One step on, each time it is asked: detached, deleted, not seen any more. */
    private final class Removal implements GceWaiting.Question<Boolean> {
        private final HelperInstance helper;
        private final String name;
        private Optional<CloudOperation> operation = Optional.empty();

        Removal(HelperInstance helper, String name) {
            this.helper = helper;
            this.name = name;
        }

        @Override
        public Optional<Boolean> ask() throws ProviderException {
            if (isUnderWay(helper, operation, "deleting disk " + name)) {
                return Optional.empty();
            }
            var disk = attempts.until(() -> calls.disk(helper.zone(), name));
            if (disk.isEmpty() || !isOurs(helper, disk.get())) {
                return Optional.of(true);
            }
            var users = disk.get().users();
            if (users.contains(helper.name())) {
                operation = Optional.of(helperCalls.detach(helper, name));
            } else if (!users.isEmpty()) {
                return Optional.of(false);
            } else if (!disk.get().status().equals("DELETING")) {
                operation = attempts.until(() -> calls.deleteDisk(helper.zone(), name));
            }
            return Optional.empty();
        }
    }

    private HelperInstance helper() throws ProviderException {
        if (settings.instance().isPresent()) {
            return settings.instance().get();
        }
        synchronized (metadata) {
            if (found == null) {
                found = metadata.self();
                if (!found.project().equals(config.project())) {
                    var other = found.project();
                    found = null;
                    throw new ProviderException(new ProviderError.Conflict(
                            "this instance",
                            "it is of project %s, and only disks of its own project %s can be attached to a helper"
                                    .formatted(other, config.project())));
                }
            }
            return found;
        }
    }

    /** Ends all readers; what cannot be deleted in time stays for the next start. */
    void close() {
        open = false;
        List<Use> left;
        synchronized (uses) {
            left = new ArrayList<>(uses.values());
            left.forEach(each -> each.readers = 0);
        }
        left.forEach(this::end);
    }

    private void end(Use use) {
        try {
            synchronized (use) {
                close(use);
                if (use.there) {
                    var unused = remove(helper(), use.disk);
                }
            }
        } catch (ProviderException e) {
            // Its labels say what it is: the next start deletes it.
            return;
        }
    }
}
