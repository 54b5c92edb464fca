package io.tidemark.provider.lvm;

import io.tidemark.provider.devices.BlockDevice;
import io.tidemark.provider.lvm.LvmCatalog.Entry;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongConsumer;

/**
 * Copies what a classic snapshot has kept back to its volume. The snapshot's own store is the journal: it names each chunk
 * that differs, and as no other chunk is written, nothing is added to it, however often it is copied. Steps: (1) the volume
 * is tagged, durably, with the recovery point; (2) the chunks are copied, and flushed; (3) the tag is taken off. Whoever
 * finds the tag begins again at 2. Until 3 the volume is neither its old self nor the snapshot, so that nobody may use it,
 * and LVM does not activate it by itself.
 *
 * <p>Other snapshots of the volume keep what is overwritten: each that has not kept a chunk yet does so now, for which there
 * has to be room in it before 1.
 */
final class ClassicRollback {
    /** Read and written at once. */
    private static final int COPIED_AT_ONCE_BYTES = 1 << 20;

    private static final Duration RETRY = Duration.ofSeconds(5);

    private final String group;
    private final LvmCommands commands;
    private final ClassicStores stores;
    private final Function<LogicalVolume, Path> device;
    /** What this process is at. */
    private final Map<VolumeId, SnapshotId> running = new ConcurrentHashMap<>();

    ClassicRollback(String group, LvmCommands commands, ClassicStores stores, Function<LogicalVolume, Path> device) {
        this.group = group;
        this.commands = commands;
        this.stores = stores;
        this.device = device;
    }

    /** Sees that nobody uses a volume, and keeps others from beginning to: called where nobody else changes anything. */
    @FunctionalInterface
    interface Closing {
        /** @throws ProviderException Busy */
        void close(Entry<VolumeId> volume, LvmCatalog catalog) throws ProviderException;
    }

    /** What is copied to what. */
    private record Pair(Entry<SnapshotId> from, Entry<VolumeId> to) {
        long sizeBytes() {
            return to.on().sizeBytes();
        }
    }

    /**
     * All three steps. A failure in 1 changes nothing; one in 2 or 3 leaves the tag.
     *
     * @param copied is told how many bytes have been copied since it was told last
     */
    void run(SnapshotId to, Alone alone, Closing closing, LongConsumer copied) throws ProviderException {
        if (running.putIfAbsent(to.volume(), to) != null) {
            throw underway(to.volume());
        }
        try {
            var pair = alone.run(catalog -> {
                var checked = checked(to, catalog, closing);
                tag(checked.to(), to);
                return checked;
            });
            copy(pair, copied);
            var unused = alone.run(_ -> finish(pair));
        } finally {
            running.remove(to.volume());
        }
    }

    /** What {@link #run} refuses, at once; what was prepared for the volume is removed. */
    void check(SnapshotId to, Alone alone, Closing closing) throws ProviderException {
        if (running.containsKey(to.volume())) {
            throw underway(to.volume());
        }
        var unused = alone.run(catalog -> checked(to, catalog, closing));
    }

    private static ProviderException underway(VolumeId volume) {
        return new ProviderException(new ProviderError.Busy(volume.toString(), "another rollback of it", RETRY));
    }

    private Pair checked(SnapshotId to, LvmCatalog catalog, Closing closing) throws ProviderException {
        var from = catalog.get(to);
        var volume = catalog.get(to.volume());
        var on = volume.on();
        if (!on.active()) {
            if (restoring(on).isEmpty()) {
                throw new ProviderException(ClassicStores.inactive(group, on.name()));
            }
            // It is so because of an earlier call; what else is done here asks its snapshots.
            commands.activate(on.name());
        }
        closing.close(volume, catalog);
        refuseOfAnotherSize(from, volume);
        var pair = new Pair(from, volume);
        refuseWithoutRoom(pair, new LvmCatalog(group, commands.list()));
        return pair;
    }

    /** Durable when it returns; what fails is taken back, unless the volume was half done before. */
    private void tag(Entry<VolumeId> volume, SnapshotId to) throws ProviderException {
        var on = volume.on();
        var tag = LvmNames.RESTORING + to.recoveryPoint();
        try {
            if (!on.tags().contains(tag)) {
                var added = new ArrayList<>(List.of(tag));
                if (commands.activatedByItself(on.name())) {
                    added.add(LvmNames.NOT_ACTIVATED);
                }
                var others = on.tags().stream()
                        .filter(each -> each.startsWith(LvmNames.RESTORING))
                        .toList();
                commands.tagActivated(on.name(), false, added, others);
            }
            // Also of an earlier call, which may have failed at this.
            commands.flush();
        } catch (ProviderException e) {
            if (restoring(on).isEmpty()) {
                takeBack(on, to, e);
            }
            throw e;
        }
    }

    /**
     * A program that was killed may have come to its end, or not.
     *
     * @throws ProviderException Unexpected where the tag may be there still: then the next start ends the rollback
     */
    private void takeBack(LogicalVolume on, SnapshotId to, ProviderException failure) throws ProviderException {
        try {
            untag(on.name(), to);
        } catch (ProviderException e) {
            var pending = new ProviderException(
                    new ProviderError.Unexpected(
                            "rollback of %s to %s".formatted(to.volume(), to.recoveryPoint()),
                            "%s; and it was not taken back (%s), so that the next start ends it: do not write to the volume before, or take its tag %s%s off"
                                    .formatted(
                                            failure.error().message(),
                                            e.error().message(),
                                            LvmNames.RESTORING,
                                            to.recoveryPoint())),
                    failure);
            pending.addSuppressed(e);
            throw pending;
        }
    }

    /** LVM changes a volume's size and not its snapshots'. */
    private static void refuseOfAnotherSize(Entry<SnapshotId> from, Entry<VolumeId> to) throws ProviderException {
        long then = from.on().store().originBytes();
        long now = to.on().sizeBytes();
        if (then != now || from.sizeBytes() != to.sizeBytes()) {
            throw new ProviderException(new ProviderError.Conflict(
                    from.id().toString(),
                    "its volume had %d bytes when it was cut, and has %d now: copy the snapshot to another volume"
                            .formatted(then, now)));
        }
    }

    /** An overflow would lose another recovery point. */
    private void refuseWithoutRoom(Pair pair, LvmCatalog catalog) throws ProviderException {
        var from = pair.from().on();
        var written = stores.reading(
                from,
                bytes -> ExceptionStore.open("snapshot " + pair.from().id(), bytes)
                        .changed(pair.sizeBytes()));
        // Also one that is tagged as prepared still: what is left of those was cut meanwhile.
        for (var other : catalog.all()) {
            boolean keeps = other.store().origin().equals(pair.to().on().name())
                    && !other.store().invalid();
            if (keeps && !other.name().equals(from.name())) {
                refuseWithoutRoom(other, written);
            }
        }
    }

    private void refuseWithoutRoom(LogicalVolume other, List<BlockRange> written) throws ProviderException {
        stores.reading(other, bytes -> {
            var store = ExceptionStore.open("snapshot %s/%s".formatted(group, other.name()), bytes);
            var demand = store.demand(written, other.store().originBytes());
            if (demand.lackingChunks() > demand.freeChunks()) {
                throw new ProviderException(new ProviderError.OutOfSpace(
                        "exception store of snapshot %s/%s, which would keep what the rollback overwrites (lvextend -L +SIZE %1$s/%2$s, or delete it)"
                                .formatted(group, other.name()),
                        demand.freeChunks() * store.chunkBytes(),
                        demand.lackingChunks() * store.chunkBytes()));
            }
            return demand;
        });
    }

    private void copy(Pair pair, LongConsumer copied) throws ProviderException {
        var from = pair.from().on();
        long sizeBytes = pair.sizeBytes();
        try (var source = BlockDevice.open(device.apply(from), sizeBytes, StandardOpenOption.READ);
                var target = BlockDevice.open(
                        device.apply(pair.to().on()), sizeBytes, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            var buffer = ByteBuffer.allocateDirect(COPIED_AT_ONCE_BYTES);
            var unused = stores.reading(from, bytes -> {
                var store = ExceptionStore.open("snapshot " + pair.from().id(), bytes);
                store.visit(sizeBytes, area -> {
                    for (var range : joined(area.chunks(), store.chunkBytes(), sizeBytes)) {
                        buffer.clear().limit((int) range.lengthBytes());
                        source.read(range.offsetBytes(), buffer);
                        target.write(range.offsetBytes(), buffer.flip());
                        copied.accept(range.lengthBytes());
                    }
                });
                return true;
            });
            target.sync();
        }
    }

    /** Neighbours as one, at most as long as the buffer. */
    private static List<BlockRange> joined(List<Long> chunks, int chunkBytes, long sizeBytes) {
        var ranges = new ArrayList<BlockRange>();
        for (long chunk : chunks) {
            long offset = chunk * chunkBytes;
            long end = Math.min(offset + chunkBytes, sizeBytes);
            boolean joins = !ranges.isEmpty()
                    && ranges.getLast().endBytes() == offset
                    && end - ranges.getLast().offsetBytes() <= COPIED_AT_ONCE_BYTES;
            long from = joins ? ranges.removeLast().offsetBytes() : offset;
            ranges.add(new BlockRange(from, end - from));
        }
        return ranges;
    }

    private boolean finish(Pair pair) throws ProviderException {
        untag(pair.to().on().name(), pair.from().id());
        commands.flush();
        return true;
    }

    private void untag(String name, SnapshotId to) throws ProviderException {
        var removed = List.of(LvmNames.RESTORING + to.recoveryPoint(), LvmNames.NOT_ACTIVATED);
        var tagged = commands.list().stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ProviderException(new ProviderError.VolumeNotFound(to.volume())));
        if (tagged.tags().contains(LvmNames.NOT_ACTIVATED)) {
            commands.tagActivated(name, true, List.of(), removed);
        } else {
            commands.tag(name, List.of(), removed);
        }
    }

    /** The recovery point that the volume is being put back to; empty where it is whole. */
    static Optional<String> restoring(LogicalVolume on) {
        return on.tag(LvmNames.RESTORING);
    }

    /** @throws ProviderException Busy where the volume is being put back, or was when a process died */
    static void refuseHalfDone(Entry<VolumeId> volume) throws ProviderException {
        var point = restoring(volume.on());
        if (point.isPresent()) {
            throw new ProviderException(new ProviderError.Busy(
                    volume.id().toString(),
                    "its rollback to %s, which has not come to its end: it goes on when it is asked for again"
                            .formatted(point.get()),
                    RETRY));
        }
    }

    /** @throws ProviderException Busy where the snapshot is the one that its volume is being put back to */
    static void refuseWhileNeeded(SnapshotId snapshot, LvmCatalog catalog) throws ProviderException {
        var volume = catalog.find(snapshot.volume());
        if (volume.flatMap(each -> restoring(each.on()))
                .filter(snapshot.recoveryPoint().value()::equals)
                .isPresent()) {
            throw new ProviderException(new ProviderError.Busy(
                    "snapshot " + snapshot, "the rollback to it, which has not come to its end", RETRY));
        }
    }
}
