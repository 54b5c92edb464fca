package io.tidemark.provider.lvm;

import io.tidemark.nativeblock.DeviceMapper;
import io.tidemark.nativeblock.HostCallException;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** A group and its pool in memory. Programs come to an end after a number of changes; so does the device mapper. */
final class ThinGroup extends LvmCommands implements DeviceMapper {
    static final String GROUP = "vg";
    private static final String POOL = "pool";

    final Map<String, LogicalVolume> volumes = new LinkedHashMap<>();
    /** What the pool has: content by number. */
    final Map<Integer, String> thin = new TreeMap<>();

    /** Whose tags a power failure would take back. */
    final TreeSet<String> unflushed = new TreeSet<>();

    final TreeSet<String> suspended = new TreeSet<>();
    int changesLeft = Integer.MAX_VALUE;
    int programs;
    /** Steps of a cut, of which each volume has a suspension, a snapshot and a resumption. */
    int stepsLeft = Integer.MAX_VALUE;
    /** The number of a snapshot that the pool refuses; 0: none. */
    int refused;

    PoolStatus status = new PoolStatus(7, 0, 1, 0, 1, false, false);

    /** Nobody can say what the pool has. */
    boolean unreadable;
    /** The device mapper cannot resume at the end of a cut. */
    boolean staysSuspended;
    /** The pool makes snapshots, and does not say whether they are on disk. */
    boolean stoppedWriting;
    /** No process can be started that would watch a cut. */
    boolean unwatched;

    /** The next lvcreate is killed when LVM has written it down, and has not told the pool. */
    boolean killsLvcreate;
    /** What LVM has yet to tell the pool to make; 0: nothing. */
    private int queued;

    private int lastId;

    ThinGroup(String... names) {
        super(new CommandRunner(), GROUP);
        for (var name : names) {
            add(name, ++lastId, true, List.of());
            thin.put(lastId, "old " + name);
        }
    }

    /** What dies in the middle of a cut, as a process does by SIGKILL. */
    static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private void add(String name, int id, boolean active, List<String> tags) {
        volumes.put(
                name,
                new LogicalVolume(name, 4 << 20, "thin", POOL, id, 0, 0, 0, active, false, tags, false, StoreUse.NONE));
    }

    /** As LVM lists it, beside its volumes. */
    void listPool(int chunkBytes) {
        volumes.put(
                POOL,
                new LogicalVolume(
                        POOL,
                        128 << 20,
                        "thin-pool",
                        "",
                        -1,
                        chunkBytes,
                        0,
                        0,
                        true,
                        true,
                        List.of(),
                        false,
                        StoreUse.NONE));
    }

    void extend(String name) {
        var old = volume(name);
        volumes.put(
                name,
                new LogicalVolume(
                        name,
                        8 << 20,
                        "thin",
                        POOL,
                        old.thinId(),
                        0,
                        0,
                        0,
                        old.active(),
                        false,
                        old.tags(),
                        false,
                        StoreUse.NONE));
    }

    void write(String volume, String content) {
        thin.put(volume(volume).thinId(), content);
    }

    LogicalVolume volume(String name) {
        return Objects.requireNonNull(volumes.get(name), name);
    }

    private void change(String name, boolean there) throws ProviderException {
        programs++;
        if (changesLeft-- <= 0 || volumes.containsKey(name) != there) {
            throw new ProviderException(new ProviderError.Unexpected("test", "dead, or " + name));
        }
    }

    @Override
    List<LogicalVolume> list() {
        programs++;
        return List.copyOf(volumes.values());
    }

    @Override
    void createInactive(String name, String pool, long sizeBytes, List<String> tags) throws ProviderException {
        change(name, false);
        tellQueued();
        volumes.put(
                name,
                new LogicalVolume(
                        name, sizeBytes, "thin", POOL, ++lastId, 0, 0, 0, false, false, tags, false, StoreUse.NONE));
        if (killsLvcreate) {
            killsLvcreate = false;
            queued = lastId;
            throw new ProviderException(new ProviderError.Unexpected("lvcreate", "killed"));
        }
        thin.put(lastId, "");
    }

    /** Whatever LVM changes in a pool next begins with it. */
    private void tellQueued() throws ProviderException {
        if (queued != 0 && thin.putIfAbsent(queued, "") != null) {
            throw new ProviderException(new ProviderError.Unexpected("LVM", "File exists"));
        }
        queued = 0;
    }

    @Override
    Optional<PoolStatus> status(String pool) {
        return Optional.of(status);
    }

    @Override
    List<LogicalVolume> listSince(String pool, long transaction) {
        return volumes.values().stream()
                .filter(each -> queued != 0 && each.thinId() == queued)
                .toList();
    }

    @Override
    void remove(String name) throws ProviderException {
        change(name, true);
        tellQueued();
        thin.remove(volume(name).thinId());
        volumes.remove(name);
    }

    @Override
    void tagAll(List<String> names, List<String> added, List<String> removed) throws ProviderException {
        for (var name : names) {
            change(name, true);
            var tags = new ArrayList<>(volume(name).tags());
            tags.removeAll(removed);
            tags.addAll(added);
            unflushed.add(name);
            var old = volume(name);
            volumes.put(
                    name,
                    new LogicalVolume(
                            name,
                            old.sizeBytes(),
                            "thin",
                            POOL,
                            old.thinId(),
                            0,
                            0,
                            0,
                            old.active(),
                            false,
                            tags,
                            false,
                            StoreUse.NONE));
        }
    }

    @Override
    void flush() throws ProviderException {
        programs++;
        if (changesLeft <= 0) {
            throw new ProviderException(new ProviderError.Unexpected("test", "dead"));
        }
        unflushed.clear();
    }

    @Override
    Outcome message(String pool, String message) throws ProviderException {
        programs++;
        if (!message.startsWith("delete ")) {
            return new Outcome(0, "", "");
        }
        if (changesLeft-- <= 0) {
            throw new ProviderException(new ProviderError.Unexpected("test", "dead"));
        }
        boolean there = thin.remove(Integer.valueOf(message.substring("delete ".length()))) != null;
        return new Outcome(there ? 0 : 1, "", "");
    }

    @Override
    String devices(String pool) throws ProviderException {
        programs++;
        if (unreadable) {
            throw new ProviderException(new ProviderError.Unexpected("thin_ls", "read-only"));
        }
        var ids = new StringBuilder();
        thin.keySet().forEach(id -> ids.append(id).append(" \n"));
        return ids.toString();
    }

    @Override
    public List<DeviceMapper.CutOutcome> cut(List<ThinCut> cuts) throws HostCallException {
        if (unwatched) {
            throw new HostCallException("cutting", Path.of(GROUP), HostCallException.EAGAIN);
        }
        if (cuts.stream().anyMatch(each -> !each.origin().startsWith(GROUP + "-"))) {
            return List.of(new DeviceMapper.CutOutcome(HostCallException.ENXIO, Step.CHECK, 0, 0, 0, 0));
        }
        if (cuts.stream().anyMatch(each -> each.sectors() * 512 != sizeOf(each.originId()))) {
            var changed = new DeviceMapper.CutOutcome(HostCallException.ESTALE, Step.CHECK, 0, 0, 0, 0);
            return cuts.stream().map(_ -> changed).toList();
        }
        for (var each : cuts) {
            step();
            suspended.add(each.origin());
        }
        var outcomes = new ArrayList<DeviceMapper.CutOutcome>();
        boolean well = true;
        for (var each : cuts) {
            boolean fails = well && each.snapshotId() == refused;
            well = well && !fails;
            if (well) {
                step();
                var content = Objects.requireNonNull(thin.get(each.originId()));
                if (thin.putIfAbsent(each.snapshotId(), content) != null) {
                    throw new AssertionError("the pool has " + each.snapshotId() + " already");
                }
            }
            outcomes.add(new DeviceMapper.CutOutcome(
                    fails ? HostCallException.ENOSPC : 0, fails ? Step.CREATE : Step.NONE, 1, 2, well ? 3 : 0, 4));
        }
        if (staysSuspended) {
            outcomes.replaceAll(_ -> new DeviceMapper.CutOutcome(5, Step.RESUME, 1, 2, 3, 0));
            return outcomes;
        }
        for (var each : cuts) {
            step();
            suspended.remove(each.origin());
        }
        if (stoppedWriting) {
            outcomes.replaceAll(_ -> new DeviceMapper.CutOutcome(5, Step.POOL, 1, 2, 0, 4));
        }
        return outcomes;
    }

    @Override
    public List<DeviceMapper.CutOutcome> cutClassic(List<ClassicCut> cuts) {
        if (cuts.stream().anyMatch(each -> each.origin().startsWith(GROUP + "-"))) {
            throw new AssertionError("no classic volumes here");
        }
        return List.of(new DeviceMapper.CutOutcome(HostCallException.ENXIO, Step.CHECK, 0, 0, 0, 0));
    }

    private long sizeOf(int thinId) {
        return volumes.values().stream()
                .filter(each -> each.thinId() == thinId)
                .mapToLong(LogicalVolume::sizeBytes)
                .sum();
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
