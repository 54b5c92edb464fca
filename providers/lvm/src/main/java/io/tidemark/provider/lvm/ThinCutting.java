package io.tidemark.provider.lvm;

import io.tidemark.nativeblock.DeviceMapper;
import io.tidemark.nativeblock.HostCallException;
import io.tidemark.provider.lvm.ThinCatalog.Entry;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Cuts while file systems are frozen, without a program. Ahead of it LVM makes a logical volume for the snapshot, and the
 * pool is told to forget the empty thin volume under it: (1) a placeholder is made, tagged so; (2) the pool deletes its
 * thin volume; (3) its tag becomes "prepared". (4) The cut makes the thin volume anew, as a snapshot, by the device mapper
 * alone, and (5) whoever looks next takes the tag off. What is prepared has been cut if and only if the pool has its
 * thin volume, so that nothing is lost by a crash between 4 and 5; {@link #sweep} removes what died before 4.
 *
 * <p>The cut waits for no program: what it needs is in memory, guarded by this. All else is called one after the other.
 */
final class ThinCutting {
    private static final System.Logger LOG = System.getLogger(ThinCutting.class.getName());
    /** Of a device that nobody makes, and of a volume that nobody sees. */
    private static final String REHEARSAL = "tidemark-rehearsal";

    private static final Duration RETRY = Duration.ofSeconds(1);

    private final String group;
    private final LvmCommands commands;
    private final ThinMetadata metadata;
    private final DeviceMapper devices;
    private final InstantSource clock;
    /** What the next cut of a volume needs; one recovery point a volume. */
    private final Map<VolumeId, Ahead> ahead = new HashMap<>();
    /** Logical volumes that are cut, of this process; each until it is deleted. */
    private final Set<String> cut = new HashSet<>();

    ThinCutting(String group, LvmCommands commands, ThinMetadata metadata, DeviceMapper devices, InstantSource clock) {
        this.group = group;
        this.commands = commands;
        this.metadata = metadata;
        this.devices = devices;
        this.clock = clock;
    }

    /**
     * A volume that is prepared for a recovery point.
     *
     * @param name of the snapshot's logical volume
     * @param order what to ask the device mapper for; null where the snapshot is there already
     */
    private record Ahead(Snapshot snapshot, String name, DeviceMapper.@Nullable ThinCut order) {
        SnapshotId id() {
            return snapshot.id();
        }
    }

    /** What a rehearsal asks in the device mapper's place. */
    private static final class CutOfNothing implements DeviceMapper {
        @Override
        public List<CutOutcome> cut(List<ThinCut> cuts) {
            return List.of(new CutOutcome(0, Step.NONE, 1, 1, 1, 1));
        }

        @Override
        public boolean resume(String device) {
            return false;
        }
    }

    /** Whether a cut of the request would start no program. */
    synchronized boolean prepared(CutRequest request) {
        return request.volumes().stream().allMatch(volume -> ahead(request, volume) != null);
    }

    private @Nullable Ahead ahead(CutRequest request, VolumeId volume) {
        var found = ahead.get(volume);
        return found != null && found.id().recoveryPoint().equals(request.recoveryPoint()) ? found : null;
    }

    /**
     * Steps 1 to 3 for whatever lacks a snapshot. What was prepared for other recovery points of these volumes is removed,
     * and what an earlier call has left unfinished: of a placeholder LVM may have it yet to tell the pool, and would do so
     * in the middle of the cut, or after it.
     *
     * @throws ProviderException VolumeNotFound, before anything is changed
     */
    void prepare(CutRequest request, ThinCatalog catalog) throws ProviderException {
        var origins = new ArrayList<Entry<VolumeId>>();
        for (var volume : request.volumes()) {
            origins.add(catalog.get(volume));
        }
        for (var origin : origins) {
            var id = new SnapshotId(origin.id(), request.recoveryPoint());
            boolean there = catalog.find(id).isPresent();
            for (var each : catalog.ahead()) {
                if (each.id().volume().equals(origin.id())) {
                    boolean kept = each.id().equals(id) && !each.on().tags().contains(LvmNames.PLACEHOLDER);
                    if (!kept) {
                        remove(each);
                    }
                    there |= kept;
                }
            }
            if (!there) {
                makePlaceholder(id, origin);
            }
        }
        rehearse();
        var now = new ThinCatalog(group, commands.list());
        empty(request, now);
        remember(request, now);
    }

    /**
     * Loads whatever a cut needs, so that nobody waits for that in the window: the first one takes half a second else.
     * The device mapper is asked for a device that there is not, and a cut is made of nothing.
     *
     * @throws ProviderException Denied, or Unexpected, where this process cannot ask the device mapper
     */
    void rehearse() throws ProviderException {
        try {
            var absent = new DeviceMapper.ThinCut(REHEARSAL, REHEARSAL, 1, 2, true);
            var unused = devices.cut(List.of(absent));
            var snapshot =
                    new SnapshotId(VolumeId.of(LvmNames.PROVIDER, REHEARSAL), new RecoveryPointId("rp-rehearsal"));
            var nothing = new ThinCutting(group, commands, metadata, new CutOfNothing(), clock);
            nothing.ahead.put(
                    snapshot.volume(), new Ahead(new Snapshot(snapshot, 0, Instant.EPOCH), REHEARSAL, absent));
            var ignored = nothing.cut(new CutRequest(snapshot.recoveryPoint(), List.of(snapshot.volume())));
        } catch (HostCallException e) {
            throw new ProviderException(
                    e.errno() == HostCallException.EACCES || e.errno() == HostCallException.EPERM
                            ? new ProviderError.Denied("volume group " + group, "root, for the device mapper")
                            : new ProviderError.Unexpected("opening the device mapper", String.valueOf(e.getMessage())),
                    e);
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Unexpected("opening the device mapper", e.toString()), e);
        }
    }

    private void makePlaceholder(SnapshotId id, Entry<VolumeId> origin) throws ProviderException {
        var name = LvmNames.forSnapshot(id);
        synchronized (this) {
            // One of that name is not there, whoever removed it.
            cut.remove(name);
        }
        var tags = List.of(
                LvmNames.SNAPSHOT_OF + id.volume().name(),
                LvmNames.POINT + id.recoveryPoint(),
                LvmNames.BYTES + origin.sizeBytes(),
                LvmNames.CUT_AT + clock.instant().toEpochMilli(),
                LvmNames.PLACEHOLDER);
        commands.createInactive(name, origin.on().pool(), origin.on().sizeBytes(), tags);
    }

    /** Steps 2 and 3. */
    private void empty(CutRequest request, ThinCatalog catalog) throws ProviderException {
        var names = new ArrayList<String>();
        for (var entry : catalog.ahead()) {
            var on = entry.on();
            if (entry.id().recoveryPoint().equals(request.recoveryPoint())
                    && request.volumes().contains(entry.id().volume())
                    && on.tags().contains(LvmNames.PLACEHOLDER)) {
                var message = "delete " + on.thinId();
                var outcome = commands.message(on.pool(), message);
                // Killed after the pool had done it.
                if (!outcome.succeeded() && metadata.devices(on.pool()).contains(on.thinId())) {
                    throw new ProviderException(
                            new ProviderError.Unexpected(message + " in pool " + on.pool(), outcome.evidence()));
                }
                names.add(on.name());
            }
        }
        if (!names.isEmpty()) {
            commands.tagAll(names, List.of(LvmNames.PREPARED), List.of(LvmNames.PLACEHOLDER));
        }
    }

    private synchronized void remember(CutRequest request, ThinCatalog catalog) throws ProviderException {
        for (var volume : request.volumes()) {
            var id = new SnapshotId(volume, request.recoveryPoint());
            var origin = catalog.get(volume).on();
            var present = catalog.find(id);
            var entry = present.or(() -> catalog.findAhead(id))
                    .orElseThrow(() -> new ProviderException(
                            new ProviderError.Conflict(id.toString(), "it was deleted while it was prepared")));
            var order = new DeviceMapper.ThinCut(
                    LvmNames.mapped(group, origin.name()),
                    LvmNames.mapped(group, origin.pool()) + "-tpool",
                    origin.thinId(),
                    entry.on().thinId(),
                    origin.active());
            // Cut meanwhile, or its tag is still to be taken off.
            boolean done = present.isPresent() || cut.contains(entry.on().name());
            ahead.put(volume, new Ahead(ThinCatalog.describe(entry), entry.on().name(), done ? null : order));
        }
    }

    /**
     * Step 4, for all volumes at one instant. Empty, and nothing was done, where one of them is not prepared. What is
     * prepared serves once.
     *
     * @throws ProviderException for the first volume that failed; others may have been cut, and are listed then
     */
    synchronized Optional<Cut> cut(CutRequest request) throws ProviderException {
        var present = new ArrayList<Cut.Member>();
        var pending = new ArrayList<Ahead>();
        var orders = new ArrayList<DeviceMapper.ThinCut>();
        for (var volume : request.volumes()) {
            var each = ahead(request, volume);
            if (each == null) {
                return Optional.empty();
            }
            if (each.order() == null) {
                // Cut by an earlier call: 0 lies before any freeze, so nobody takes it for an instant of this one.
                present.add(new Cut.Member(each.snapshot(), 0, 0));
            } else {
                pending.add(each);
                orders.add(each.order());
            }
        }
        for (var volume : request.volumes()) {
            ahead.remove(volume);
        }
        var members = pending.isEmpty() ? new ArrayList<Cut.Member>() : cutAll(pending, orders);
        members.addAll(present);
        return Optional.of(new Cut(present.isEmpty() || members.size() == 1, members));
    }

    private List<Cut.Member> cutAll(List<Ahead> pending, List<DeviceMapper.ThinCut> orders) throws ProviderException {
        List<DeviceMapper.CutOutcome> outcomes;
        // Free, but for the rare moment in which what a killed program has left is taken back.
        commands.suspensions().lock();
        try {
            outcomes = devices.cut(orders);
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Unexpected("cutting in group " + group, e.toString()), e);
        } finally {
            commands.suspensions().unlock();
        }
        var members = new ArrayList<Cut.Member>();
        for (int i = 0; i < outcomes.size(); i++) {
            var outcome = outcomes.get(i);
            if (outcome.cut()) {
                cut.add(pending.get(i).name());
                members.add(new Cut.Member(pending.get(i).snapshot(), outcome.askedNanos(), outcome.cutNanos()));
            }
        }
        for (int i = 0; i < outcomes.size(); i++) {
            if (outcomes.get(i).errno() != 0) {
                throw new ProviderException(failure(orders.get(i), outcomes.get(i)));
            }
        }
        return members;
    }

    private static ProviderError failure(DeviceMapper.ThinCut order, DeviceMapper.CutOutcome outcome) {
        boolean ofPool = outcome.failed() == DeviceMapper.Step.CREATE;
        var device = ofPool ? order.pool() : order.origin();
        if (outcome.errno() == HostCallException.EBUSY) {
            return new ProviderError.Busy(device, "another program that changes its mapping", RETRY);
        }
        if (ofPool && outcome.errno() == HostCallException.ENOSPC) {
            return new ProviderError.OutOfSpace(device, 0, 1);
        }
        var step = outcome.failed().name().toLowerCase(Locale.ROOT);
        return new ProviderError.Unexpected(
                "step %s of cutting, on device %s,".formatted(step, device), "errno " + outcome.errno());
    }

    /**
     * Step 5: a report of the group, in which what this process has cut counts as such. The tags are taken off by one
     * program; where that fails, the next report tries again, and nothing is lost by it.
     */
    List<LogicalVolume> settled(List<LogicalVolume> all) throws ProviderException {
        var names = new ArrayList<String>();
        var settled = new ArrayList<LogicalVolume>();
        synchronized (this) {
            for (var each : all) {
                boolean tagged = each.tags().contains(LvmNames.PREPARED) && cut.contains(each.name());
                if (tagged) {
                    names.add(each.name());
                }
                settled.add(tagged ? each.without(LvmNames.PREPARED) : each);
            }
        }
        if (!names.isEmpty()) {
            try {
                commands.tagAll(names, List.of(), List.of(LvmNames.PREPARED));
            } catch (ProviderException e) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "lvm.cut_not_tagged volumes={0} reason=\"{1}\" effect=\"tried again at the next call\"",
                        names,
                        e.getMessage());
            }
        }
        return settled;
    }

    /** The snapshot is about to be deleted: no cut may answer it. Also one that is prepared and was never cut. */
    void forget(SnapshotId snapshot, ThinCatalog catalog) throws ProviderException {
        synchronized (this) {
            ahead.values().removeIf(each -> each.id().equals(snapshot));
        }
        var prepared = catalog.findAhead(snapshot);
        if (prepared.isPresent()) {
            remove(prepared.get());
        }
    }

    /** The snapshot's logical volume is deleted. */
    synchronized void deleted(String name) {
        cut.remove(name);
    }

    /** The volume is about to go, or to become another one: removes what was prepared for it. */
    void forget(VolumeId volume, ThinCatalog catalog) throws ProviderException {
        synchronized (this) {
            ahead.remove(volume);
        }
        for (var each : catalog.ahead()) {
            if (each.id().volume().equals(volume)) {
                remove(each);
            }
        }
    }

    private void remove(Entry<SnapshotId> prepared) throws ProviderException {
        synchronized (this) {
            ahead.values().removeIf(each -> each.id().equals(prepared.id()));
            if (cut.contains(prepared.on().name())) {
                // Between the report and now.
                return;
            }
        }
        new HalfMade(commands).remove(prepared.on());
    }

    /**
     * Finishes what a process that was killed has left: resumes the volumes it was cutting; what has been cut is listed from
     * now on, what was only prepared is gone.
     */
    void sweep(ThinCatalog catalog) throws ProviderException {
        for (var each : catalog.ahead()) {
            resume(each.id(), catalog);
        }
        var devicesOf = new HashMap<String, Set<Integer>>();
        for (var each : catalog.ahead()) {
            var on = each.on();
            if (on.tags().contains(LvmNames.PLACEHOLDER)) {
                commands.remove(on.name());
                continue;
            }
            if (!devicesOf.containsKey(on.pool())) {
                metadata.release(on.pool());
                devicesOf.put(on.pool(), metadata.devices(on.pool()));
            }
            if (devicesOf.getOrDefault(on.pool(), Set.of()).contains(on.thinId())) {
                commands.tagAll(List.of(on.name()), List.of(), List.of(LvmNames.PREPARED));
            } else {
                commands.remove(on.name());
            }
        }
    }

    private void resume(SnapshotId snapshot, ThinCatalog catalog) {
        var origin = catalog.find(snapshot.volume());
        if (origin.isEmpty()) {
            return;
        }
        var device = LvmNames.mapped(group, origin.get().on().name());
        try {
            if (devices.resume(device)) {
                LOG.log(System.Logger.Level.WARNING, "lvm.resumed device={0} snapshot={1}", device, snapshot);
            }
        } catch (HostCallException e) {
            if (e.errno() != HostCallException.ENXIO) {
                LOG.log(System.Logger.Level.ERROR, "lvm.not_resumed device={0} reason=\"{1}\"", device, e.getMessage());
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.ERROR, "lvm.not_resumed device={0} reason=\"{1}\"", device, e.getMessage());
        }
    }
}
