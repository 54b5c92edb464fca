package io.tidemark.provider.lvm;

import io.tidemark.nativeblock.DeviceMapper;
import io.tidemark.nativeblock.HostCallException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.BlockRange;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/** A group of classic volumes in memory. Programs come to an end after a number of changes; so does the device mapper. */
final class ClassicGroup extends LvmCommands implements DeviceMapper {
    static final String GROUP = "vg";
    static final long VOLUME_BYTES = 4 << 20;

    final Map<String, LogicalVolume> volumes = new LinkedHashMap<>();
    final Map<String, String> contents = new HashMap<>();
    /** By the snapshot's name: what its store is marked with. */
    final Map<String, ByteBuffer> marks = new HashMap<>();

    final TreeSet<String> suspended = new TreeSet<>();
    int changesLeft = Integer.MAX_VALUE;
    /** The next program that changes tags and activation is killed once it has done so. */
    boolean killedAfterTag;
    /** Of the next change alone. */
    boolean failOnce;

    int programs;
    /** Steps of a cut: each volume has a reset, a suspension, a begin, a mark and a resumption. */
    int stepsLeft = Integer.MAX_VALUE;

    long freeBytes = 1 << 30;
    long zeroedBytes;
    /** The snapshots' devices are not there, as while their origins are not active. */
    boolean unreadable;
    /** Where the cut of every volume fails, if it does. */
    Step failing = Step.NONE;

    /** By the snapshot's name. */
    final Map<String, StoreOnDisk> disks = new HashMap<>();
    /** Those that LVM leaves alone at a boot. */
    final TreeSet<String> skipped = new TreeSet<>();

    /** Whether all that was changed would be there after a power failure. */
    boolean flushed;

    final ClassicStores stores = new ClassicStores(GROUP) {
        @Override
        <T> T reading(LogicalVolume on, Reading<T> reading) throws ProviderException {
            return reading.read(Objects.requireNonNull(disks.get(on.name()), on.name()));
        }

        @Override
        boolean marked(LogicalVolume on, SnapshotId snapshot) throws ProviderException {
            if (unreadable) {
                throw new ProviderException(inactive(GROUP, on.store().origin()));
            }
            return CutMark.of(snapshot).equals(marks.get(on.name()));
        }
    };

    ClassicGroup(String... names) {
        super(new CommandRunner(), GROUP);
        for (var name : names) {
            put(name, VOLUME_BYTES, true, List.of(), StoreUse.NONE);
            contents.put(name, "old " + name);
        }
    }

    /** What dies in the middle of a cut, as a process does by SIGKILL. */
    static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    void put(String name, long bytes, boolean active, List<String> tags, StoreUse store) {
        volumes.put(name, new LogicalVolume(name, bytes, "linear", "", -1, 0, 0, 0, active, false, tags, false, store));
    }

    LogicalVolume volume(String name) {
        return Objects.requireNonNull(volumes.get(name), name);
    }

    /** More was written to the origin than the store can keep. */
    void overflow(String snapshot) {
        var old = volume(snapshot);
        var store = new StoreUse(old.store().origin(), old.store().originBytes(), 100, true);
        put(snapshot, old.sizeBytes(), true, old.tags(), store);
        marks.remove(snapshot);
    }

    private void change(String name, boolean there) throws ProviderException {
        programs++;
        boolean fails = failOnce;
        failOnce = false;
        if (fails || changesLeft-- <= 0 || volumes.containsKey(name) != there) {
            throw new ProviderException(new ProviderError.Unexpected("test", "dead, or " + name));
        }
    }

    @Override
    List<LogicalVolume> list() {
        programs++;
        return List.copyOf(volumes.values());
    }

    @Override
    Room room() {
        programs++;
        return new Room(freeBytes, 1 << 20);
    }

    @Override
    void createClassic(String name, long sizeBytes, List<String> tags) throws ProviderException {
        change(name, false);
        put(name, sizeBytes, true, tags, StoreUse.NONE);
        contents.put(name, "somebody else's");
    }

    @Override
    void zero(Path device, BlockRange range) throws ProviderException {
        var name = name(String.valueOf(device.getFileName()));
        change(name, true);
        zeroedBytes += range.lengthBytes();
        if (range.endBytes() == volume(name).sizeBytes()) {
            contents.put(name, "zeros");
        }
    }

    @Override
    void tag(String name, List<String> added, List<String> removed) throws ProviderException {
        tagAll(List.of(name), added, removed);
    }

    @Override
    void createStore(String name, String origin, long storeBytes, List<String> tags) throws ProviderException {
        change(name, false);
        put(name, storeBytes, true, tags, new StoreUse(origin, VOLUME_BYTES, 0, false));
        contents.put(name, String.valueOf(contents.get(origin)));
    }

    @Override
    void remove(String name) throws ProviderException {
        change(name, true);
        volumes.remove(name);
        marks.remove(name);
    }

    @Override
    void tagAll(List<String> names, List<String> added, List<String> removed) throws ProviderException {
        for (var name : names) {
            change(name, true);
            var old = volume(name);
            var tags = new ArrayList<>(old.tags());
            tags.removeAll(removed);
            tags.addAll(added);
            put(name, old.sizeBytes(), old.active(), tags, old.store());
        }
    }

    @Override
    void tagActivated(String name, boolean byItself, List<String> added, List<String> removed)
            throws ProviderException {
        tagAll(List.of(name), added, removed);
        flushed = false;
        if (byItself) {
            skipped.remove(name);
        } else {
            skipped.add(name);
        }
        if (killedAfterTag) {
            killedAfterTag = false;
            throw new ProviderException(new ProviderError.Unexpected("lvchange", "killed"));
        }
    }

    @Override
    boolean activatedByItself(String name) {
        return !skipped.contains(name);
    }

    @Override
    void activate(String name) throws ProviderException {
        change(name, true);
        var old = volume(name);
        put(name, old.sizeBytes(), true, old.tags(), old.store());
    }

    @Override
    void enliven(String name) {
        programs++;
    }

    @Override
    void resumeAll() {
        programs++;
        suspended.clear();
    }

    @Override
    void flush() {
        programs++;
        flushed = true;
    }

    @Override
    public List<CutOutcome> cut(List<ThinCut> cuts) {
        if (cuts.stream().anyMatch(each -> each.origin().startsWith(GROUP + "-"))) {
            throw new AssertionError("no thin volumes here");
        }
        return List.of(new DeviceMapper.CutOutcome(HostCallException.ENXIO, Step.CHECK, 0, 0, 0, 0));
    }

    @Override
    public List<CutOutcome> cutClassic(List<ClassicCut> cuts) {
        if (cuts.stream().anyMatch(each -> !each.origin().startsWith(GROUP + "-"))) {
            return List.of(new CutOutcome(HostCallException.ENXIO, Step.CHECK, 0, 0, 0, 0));
        }
        for (var each : cuts) {
            step();
            marks.remove(name(each.snapshot()));
            contents.put(name(each.snapshot()), "nothing");
        }
        for (var each : cuts) {
            step();
            suspended.add(each.origin());
        }
        for (var each : cuts) {
            step();
            contents.put(name(each.snapshot()), String.valueOf(contents.get(name(each.origin()))));
        }
        for (var each : cuts) {
            step();
            if (failing == Step.NONE || failing == Step.RESUME) {
                marks.put(name(each.snapshot()), each.mark());
            }
        }
        for (var each : cuts) {
            step();
            if (failing != Step.RESUME) {
                suspended.remove(each.origin());
            }
        }
        var outcome = new CutOutcome(
                failing == Step.NONE ? 0 : 5,
                failing,
                1,
                2,
                failing == Step.NONE || failing == Step.RESUME ? 3 : 0,
                failing == Step.RESUME ? 0 : 4);
        return cuts.stream().map(_ -> outcome).toList();
    }

    private static String name(String device) {
        return device.substring(GROUP.length() + 1).replace("--", "-");
    }

    private void step() {
        if (stepsLeft-- <= 0) {
            throw new Killed();
        }
    }

    @Override
    public boolean resume(String device) throws HostCallException {
        if (!device.startsWith(GROUP + "-")) {
            throw new HostCallException("resuming", Path.of(device), HostCallException.ENXIO);
        }
        return suspended.remove(device);
    }
}
