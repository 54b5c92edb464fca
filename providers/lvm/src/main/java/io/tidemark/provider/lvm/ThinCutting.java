package io.tidemark.provider.lvm;

import io.tidemark.nativeblock.DeviceMapper;
import io.tidemark.provider.lvm.LvmCatalog.Entry;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Cuts while file systems are frozen, without a program. Ahead of it LVM makes a logical volume for the snapshot, and the
 * pool is told to forget the empty thin volume under it: (1) a placeholder is made, tagged so; (2) the pool deletes its
 * thin volume; (3) its tag becomes "prepared". (4) The cut makes the thin volume anew, as a snapshot, by the device mapper
 * alone, and (5) who changes something next takes the tag off; until then it is known in memory. What is prepared has been cut if and only if the pool has its
 * thin volume, so that nothing is lost by a crash between 4 and 5; {@link #sweep} removes what died before 4.
 *
 * <p>The cut waits for no program: what it needs is in memory, guarded by this. All else is called one after the other.
 */
final class ThinCutting {
    private static final System.Logger LOG = System.getLogger(ThinCutting.class.getName());
    /** Of a device that nobody makes, for LVM's have a hyphen; and of a volume that nobody sees. */
    private static final String REHEARSAL = "tidemarkrehearsal";

    private static final int SECTOR_BYTES = 512;

    private final String group;
    private final LvmCommands commands;
    private final ThinMetadata metadata;
    private final DeviceMapper devices;
    private final InstantSource clock;
    /** What the next cut of a volume needs; one recovery point a volume. */
    private final Map<VolumeId, Ahead> ahead = new HashMap<>();
    /** Logical volumes that are cut, of this process; each until it is deleted. */
    private final Set<String> cut = new HashSet<>();
    /** Logical volumes of which only their pool knows whether they are cut, and could not be asked yet. */
    private final Set<String> unjudged = new HashSet<>();

    private final Suspensions suspensions;

    ThinCutting(String group, LvmCommands commands, ThinMetadata metadata, DeviceMapper devices, InstantSource clock) {
        this.group = group;
        this.commands = commands;
        this.metadata = metadata;
        this.devices = devices;
        this.suspensions = new Suspensions(group, commands, devices);
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
    void prepare(CutRequest request, LvmCatalog catalog) throws ProviderException {
        var origins = new ArrayList<Entry<VolumeId>>();
        for (var volume : request.volumes()) {
            origins.add(catalog.get(volume));
        }
        for (var origin : origins) {
            var id = new SnapshotId(origin.id(), request.recoveryPoint());
            boolean there = catalog.find(id).isPresent();
            for (var each : catalog.ahead()) {
                if (each.id().volume().equals(origin.id())) {
                    boolean same = each.id().equals(id);
                    boolean isCut = judged(each);
                    if (!isCut && !(same && fits(each.on(), origin.on()))) {
                        isCut = remove(each);
                    }
                    there |= same && (isCut || fits(each.on(), origin.on()));
                }
            }
            if (!there) {
                makePlaceholder(id, origin);
            }
        }
        rehearse();
        var now = new LvmCatalog(group, commands.list());
        empty(request, now);
        remember(request, now);
    }

    /** Whether it was prepared to its end, and for the volume as it is now. */
    private static boolean fits(LogicalVolume prepared, LogicalVolume origin) {
        return !prepared.tags().contains(LvmNames.PLACEHOLDER)
                && prepared.sizeBytes() == origin.sizeBytes()
                && prepared.pool().equals(origin.pool());
    }

    /**
     * Loads whatever a cut needs, so that nobody waits for that in the window: the first one takes half a second else.
     * The device mapper is asked for a device that there is not, and a cut is made of nothing.
     *
     * @throws ProviderException Denied, or Unexpected, where this process cannot ask the device mapper
     */
    void rehearse() throws ProviderException {
        try {
            var absent = new DeviceMapper.ThinCut(REHEARSAL, REHEARSAL, 1, 2, 1, true);
            var unused = devices.cut(List.of(absent));
            var snapshot =
                    new SnapshotId(VolumeId.of(LvmNames.PROVIDER, REHEARSAL), new RecoveryPointId("rp-rehearsal"));
            var nothing = new ThinCutting(group, commands, metadata, new CutOfNothing(), clock);
            nothing.ahead.put(
                    snapshot.volume(), new Ahead(new Snapshot(snapshot, 0, Instant.EPOCH), REHEARSAL, absent));
            var ignored = nothing.cut(new CutRequest(snapshot.recoveryPoint(), List.of(snapshot.volume())));
        } catch (IOException e) {
            throw CutErrors.untried(group, e);
        }
    }

    private void makePlaceholder(SnapshotId id, Entry<VolumeId> origin) throws ProviderException {
        var name = LvmNames.forSnapshot(id);
        synchronized (this) {
            // One of that name is not there, whoever removed it.
            cut.remove(name);
            unjudged.remove(name);
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
    private void empty(CutRequest request, LvmCatalog catalog) throws ProviderException {
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
            // The cut itself flushes only the pool's disks, and LVM's own list need not lie on one of them.
            commands.flush();
        }
    }

    private synchronized void remember(CutRequest request, LvmCatalog catalog) throws ProviderException {
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
                    origin.sizeBytes() / SECTOR_BYTES,
                    origin.active());
            // Cut meanwhile, or its tag is still to be taken off.
            boolean done = present.isPresent() || cut.contains(entry.on().name());
            ahead.put(volume, new Ahead(LvmCatalog.describe(entry), entry.on().name(), done ? null : order));
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
        var outcomes =
                orders.isEmpty() ? List.<DeviceMapper.CutOutcome>of() : suspensions.cutting(() -> devices.cut(orders));
        for (var volume : request.volumes()) {
            ahead.remove(volume);
        }
        var members = members(pending, orders, outcomes);
        members.addAll(present);
        return Optional.of(new Cut(present.isEmpty() || members.size() == 1, members));
    }

    private List<Cut.Member> members(
            List<Ahead> pending, List<DeviceMapper.ThinCut> orders, List<DeviceMapper.CutOutcome> outcomes)
            throws ProviderException {
        var members = new ArrayList<Cut.Member>();
        for (int i = 0; i < outcomes.size(); i++) {
            var outcome = outcomes.get(i);
            if (outcome.failed() == DeviceMapper.Step.RESUME) {
                suspensions.left(orders.get(i).origin());
            }
            if (outcome.failed() == DeviceMapper.Step.POOL) {
                unjudged.add(pending.get(i).name());
            }
            if (outcome.cut()) {
                cut.add(pending.get(i).name());
                members.add(new Cut.Member(pending.get(i).snapshot(), outcome.askedNanos(), outcome.cutNanos()));
            }
        }
        for (int i = 0; i < outcomes.size(); i++) {
            if (outcomes.get(i).errno() != 0) {
                throw new ProviderException(
                        CutErrors.of(orders.get(i).origin(), orders.get(i).pool(), outcomes.get(i)));
            }
        }
        return members;
    }

    /** A report of the group, in which what this process has cut counts as such. */
    synchronized List<LogicalVolume> settled(List<LogicalVolume> all) {
        suspensions.resumeLeft();
        return all.stream()
                .map(each -> toBeTagged(each) ? each.without(LvmNames.PREPARED) : each)
                .toList();
    }

    private boolean toBeTagged(LogicalVolume volume) {
        return volume.tags().contains(LvmNames.PREPARED) && cut.contains(volume.name());
    }

    /**
     * Step 5, by one program; where that fails, the next report tries again, and nothing is lost by it. Only while nobody
     * else prepares or deletes: a name may be another one's then.
     *
     * @param all a report of this call
     */
    List<LogicalVolume> settle(List<LogicalVolume> all) {
        List<String> names;
        synchronized (this) {
            names = all.stream()
                    .filter(this::toBeTagged)
                    .map(LogicalVolume::name)
                    .toList();
        }
        untag(commands, names);
        return settled(all);
    }

    /** Where it fails, the next report tries again, and nothing is lost by it. */
    static void untag(LvmCommands commands, List<String> names) {
        if (names.isEmpty()) {
            return;
        }
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

    /**
     * The snapshot is about to be deleted: no cut may answer it. Also one that is prepared and was never cut.
     *
     * @return whether it was cut since the catalog was read, and is there
     */
    boolean forget(SnapshotId snapshot, LvmCatalog catalog) throws ProviderException {
        synchronized (this) {
            ahead.values().removeIf(each -> each.id().equals(snapshot));
        }
        var prepared = catalog.findAhead(snapshot);
        return prepared.isPresent() && remove(prepared.get());
    }

    /** The snapshot's logical volume is deleted. */
    synchronized void deleted(String name) {
        cut.remove(name);
    }

    /**
     * The volume is about to go, or to become another one: removes what was prepared for it.
     *
     * @return whether some of it was cut since the catalog was read, and is there
     */
    boolean forget(VolumeId volume, LvmCatalog catalog) throws ProviderException {
        synchronized (this) {
            ahead.remove(volume);
        }
        boolean isCut = false;
        for (var each : catalog.ahead()) {
            if (each.id().volume().equals(volume)) {
                isCut |= remove(each);
            }
        }
        return isCut;
    }

    /** @return whether it stays, for it has been cut since it was reported */
    private boolean remove(Entry<SnapshotId> prepared) throws ProviderException {
        synchronized (this) {
            ahead.values().removeIf(each -> each.id().equals(prepared.id()));
        }
        if (judged(prepared)) {
            return true;
        }
        new HalfMade(commands).remove(prepared.on());
        return false;
    }

    /**
     * Whether it has been cut.
     *
     * @throws ProviderException where only its pool knows, which cannot be asked: it must not be removed then
     */
    private boolean judged(Entry<SnapshotId> prepared) throws ProviderException {
        var on = prepared.on();
        synchronized (this) {
            if (!unjudged.contains(on.name()) || on.tags().contains(LvmNames.PLACEHOLDER)) {
                return cut.contains(on.name());
            }
        }
        return judge(on, metadata.devices(on.pool()));
    }

    private synchronized boolean judge(LogicalVolume prepared, Set<Integer> devices) {
        unjudged.remove(prepared.name());
        boolean there = devices.contains(prepared.thinId());
        if (there) {
            cut.add(prepared.name());
        }
        return there;
    }

    /** Resumes the volumes that a process that was killed was cutting: their writers wait. */
    void resumeAll(LvmCatalog catalog) {
        for (var each : catalog.ahead()) {
            catalog.find(each.id().volume())
                    .ifPresent(origin -> suspensions.resume(
                            LvmNames.mapped(group, origin.on().name())));
        }
    }

    /**
     * Finishes what a process that was killed has left: what has been cut is listed from now on, what was only prepared is
     * gone. What cannot be judged, or removed, stays as it is, and is not listed.
     */
    void sweep(LvmCatalog catalog) {
        resumeAll(catalog);
        var devicesOf = new HashMap<String, Set<Integer>>();
        for (var each : catalog.ahead()) {
            var on = each.on();
            if (!on.thin()) {
                continue;
            }
            synchronized (this) {
                unjudged.add(on.name());
            }
            try {
                if (!on.tags().contains(LvmNames.PLACEHOLDER)) {
                    if (!devicesOf.containsKey(on.pool())) {
                        metadata.release(on.pool());
                        devicesOf.put(on.pool(), metadata.devices(on.pool()));
                    }
                    judge(on, devicesOf.getOrDefault(on.pool(), Set.of()));
                }
                var unused = remove(each);
            } catch (ProviderException e) {
                LOG.log(
                        System.Logger.Level.ERROR,
                        "lvm.left_prepared logicalVolume={0} snapshot={1} reason=\"{2}\" effect=\"not listed\"",
                        on.name(),
                        each.id(),
                        e.getMessage());
            }
        }
        var unused = settle(catalog.all());
    }
}
