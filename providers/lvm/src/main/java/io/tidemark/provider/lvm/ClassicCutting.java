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
 * Cuts classic volumes while file systems are frozen, without a program. (1) LVM makes a snapshot ahead, tagged as
 * prepared. (2) The cut throws its content away and lets it begin anew, by the device mapper alone, and writes a mark into
 * its store. (3) Who changes something next takes the tag off; until then it is known in memory. What is prepared has been
 * cut if and only if its store has the mark, so that nothing is lost by a crash between 2 and 3; {@link #sweep} removes
 * what died before 2.
 *
 * <p>The cut waits for no program: what it needs is in memory, guarded by this. All else is called one after the other.
 */
final class ClassicCutting {
    private static final System.Logger LOG = System.getLogger(ClassicCutting.class.getName());
    /** Of a device that nobody makes, for LVM's have a hyphen; and of a volume that nobody sees. */
    private static final String REHEARSAL = "tidemarkrehearsal";

    private static final int SECTOR_BYTES = 512;

    private final String group;
    private final LvmCommands commands;
    private final ClassicStores stores;
    private final ClassicSpace space;
    private final DeviceMapper devices;
    private final InstantSource clock;
    /** What the next cut of a volume needs; one recovery point a volume. */
    private final Map<VolumeId, Ahead> ahead = new HashMap<>();
    /** Logical volumes that are cut, of this process; each until it is deleted. */
    private final Set<String> cut = new HashSet<>();

    private final Suspensions suspensions;

    ClassicCutting(
            String group,
            LvmCommands commands,
            ClassicStores stores,
            ClassicSpace space,
            DeviceMapper devices,
            InstantSource clock) {
        this.group = group;
        this.commands = commands;
        this.stores = stores;
        this.space = space;
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
    private record Ahead(Snapshot snapshot, String name, DeviceMapper.@Nullable ClassicCut order) {
        SnapshotId id() {
            return snapshot.id();
        }
    }

    /** Whether a cut of the volume for the recovery point would start no program. */
    synchronized boolean prepared(RecoveryPointId point, VolumeId volume) {
        var found = ahead.get(volume);
        return found != null && found.id().recoveryPoint().equals(point);
    }

    /**
     * Step 1 for whatever lacks a snapshot. What was prepared before and not cut is removed: for how long it has been kept
     * from its origin's writes nobody knows, and a new one costs the same.
     *
     * @throws ProviderException Conflict where a volume is not active, OutOfSpace; before anything is made
     */
    void prepare(CutRequest request, LvmCatalog catalog) throws ProviderException {
        var lacking = new ArrayList<Entry<VolumeId>>();
        for (var volume : request.volumes()) {
            var origin = catalog.get(volume);
            if (!there(new SnapshotId(volume, request.recoveryPoint()), origin, catalog)) {
                lacking.add(origin);
            }
        }
        if (!lacking.isEmpty()) {
            for (var origin : lacking) {
                space.refuseWhereShort(catalog, origin.on());
            }
            space.refuseWhereScarce(lacking.stream().map(Entry::on).toList());
            for (var origin : lacking) {
                make(new SnapshotId(origin.id(), request.recoveryPoint()), origin.on(), origin.sizeBytes());
            }
            // The cut flushes only the stores' disks, and LVM's own list need not lie on one of them.
            commands.flush();
        }
        rehearse();
        remember(request, new LvmCatalog(group, commands.list()));
    }

    /** Whether the volume has the snapshot; removes what is only prepared. */
    private boolean there(SnapshotId id, Entry<VolumeId> origin, LvmCatalog catalog) throws ProviderException {
        if (!origin.on().active()) {
            throw new ProviderException(
                    ClassicStores.inactive(group, origin.on().name()));
        }
        boolean there = false;
        if (catalog.findAny(id).isPresent()) {
            there = catalog.get(id).id().equals(id);
        }
        for (var each : catalog.ahead()) {
            if (each.id().volume().equals(origin.id())) {
                boolean isCut = remove(each);
                there |= isCut && each.id().equals(id);
            }
        }
        return there;
    }

    private void make(SnapshotId id, LogicalVolume origin, long sizeBytes) throws ProviderException {
        var name = LvmNames.forSnapshot(id);
        synchronized (this) {
            // One of that name is not there, whoever removed it.
            cut.remove(name);
        }
        var tags = List.of(
                LvmNames.SNAPSHOT_OF + id.volume().name(),
                LvmNames.POINT + id.recoveryPoint(),
                LvmNames.BYTES + sizeBytes,
                LvmNames.CUT_AT + clock.instant().toEpochMilli(),
                LvmNames.PREPARED);
        commands.createStore(name, origin.name(), space.storeBytes(origin), tags);
    }

    /** Loads whatever a cut needs, so that nobody waits for that in the window. */
    void rehearse() throws ProviderException {
        try {
            var snapshot =
                    new SnapshotId(VolumeId.of(LvmNames.PROVIDER, REHEARSAL), new RecoveryPointId("rp-rehearsal"));
            var absent = new DeviceMapper.ClassicCut(REHEARSAL, REHEARSAL, REHEARSAL, CutMark.of(snapshot), 1);
            var unused = devices.cutClassic(List.of(absent));
            var nothing = new ClassicCutting(group, commands, stores, space, new CutOfNothing(), clock);
            nothing.ahead.put(
                    snapshot.volume(), new Ahead(new Snapshot(snapshot, 0, Instant.EPOCH), REHEARSAL, absent));
            var ignored = nothing.cut(new CutRequest(snapshot.recoveryPoint(), List.of(snapshot.volume())));
        } catch (IOException e) {
            throw CutErrors.untried(group, e);
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
            // Cut meanwhile, or its tag is still to be taken off.
            boolean done = present.isPresent() || cut.contains(entry.on().name());
            var order = new DeviceMapper.ClassicCut(
                    LvmNames.mapped(group, origin.name()),
                    LvmNames.mapped(group, entry.on().name()),
                    ClassicStores.mapped(group, entry.on().name()),
                    CutMark.of(id),
                    origin.sizeBytes() / SECTOR_BYTES);
            ahead.put(volume, new Ahead(LvmCatalog.describe(entry), entry.on().name(), done ? null : order));
        }
    }

    /**
     * Step 2, for all volumes at one instant. Empty, and nothing was done, where one of them is not prepared. What is
     * prepared serves once.
     *
     * @throws ProviderException for the first volume that failed; others may have been cut, and are listed then
     */
    synchronized Optional<Cut> cut(CutRequest request) throws ProviderException {
        var present = new ArrayList<Cut.Member>();
        var pending = new ArrayList<Ahead>();
        var orders = new ArrayList<DeviceMapper.ClassicCut>();
        for (var volume : request.volumes()) {
            var each = ahead.get(volume);
            if (each == null || !prepared(request.recoveryPoint(), volume)) {
                return Optional.empty();
            }
            var order = each.order();
            if (order == null) {
                // Cut by an earlier call: 0 lies before any freeze, so nobody takes it for an instant of this one.
                present.add(new Cut.Member(each.snapshot(), 0, 0));
            } else {
                pending.add(each);
                orders.add(order);
            }
        }
        var outcomes = orders.isEmpty()
                ? List.<DeviceMapper.CutOutcome>of()
                : suspensions.cutting(() -> devices.cutClassic(orders));
        for (var volume : request.volumes()) {
            ahead.remove(volume);
        }
        var members = members(pending, orders, outcomes);
        members.addAll(present);
        return Optional.of(new Cut(present.isEmpty() || members.size() == 1, members));
    }

    private List<Cut.Member> members(
            List<Ahead> pending, List<DeviceMapper.ClassicCut> orders, List<DeviceMapper.CutOutcome> outcomes)
            throws ProviderException {
        var members = new ArrayList<Cut.Member>();
        for (int i = 0; i < outcomes.size(); i++) {
            var outcome = outcomes.get(i);
            if (outcome.failed() == DeviceMapper.Step.RESUME) {
                suspensions.left(orders.get(i).origin());
            }
            if (outcome.cut()) {
                cut.add(pending.get(i).name());
                members.add(new Cut.Member(pending.get(i).snapshot(), outcome.askedNanos(), outcome.cutNanos()));
            }
        }
        for (int i = 0; i < outcomes.size(); i++) {
            if (outcomes.get(i).errno() != 0) {
                throw new ProviderException(
                        CutErrors.of(orders.get(i).origin(), orders.get(i).snapshot(), outcomes.get(i)));
            }
        }
        return members;
    }

    synchronized boolean isCut(String logicalVolume) {
        return cut.contains(logicalVolume);
    }

    /** The snapshot's logical volume is deleted. */
    synchronized void deleted(String name) {
        cut.remove(name);
    }

    /** The volume is about to go, or the snapshot to be deleted: no cut may answer it. */
    synchronized void forget(VolumeId volume) {
        ahead.remove(volume);
    }

    synchronized void forget(SnapshotId snapshot) {
        ahead.values().removeIf(each -> each.id().equals(snapshot));
    }

    /** @return whether it stays, for it has been cut since it was reported */
    boolean remove(Entry<SnapshotId> prepared) throws ProviderException {
        forget(prepared.id());
        if (judged(prepared)) {
            return true;
        }
        // LVM does not remove an origin's last snapshot while a table that is loaded and not live holds the origin.
        commands.enliven(prepared.on().name());
        commands.remove(prepared.on().name());
        return false;
    }

    /**
     * Whether it has been cut.
     *
     * @throws ProviderException where only its store knows, which cannot be read: it must not be removed then
     */
    private boolean judged(Entry<SnapshotId> prepared) throws ProviderException {
        var on = prepared.on();
        if (isCut(on.name())) {
            return true;
        }
        // A killed lvcreate may have left a volume that is no snapshot yet; one that has overflowed is of no use.
        if (!on.store().present() || on.store().invalid() || !stores.marked(on, prepared.id())) {
            return false;
        }
        synchronized (this) {
            cut.add(on.name());
        }
        return true;
    }

    /**
     * Finishes what a process that was killed has left: what has been cut is listed from now on, what was only prepared is
     * gone. What cannot be judged, or removed, stays as it is, and is not listed.
     */
    void sweep(LvmCatalog catalog) {
        var left = catalog.ahead().stream().filter(each -> !each.on().thin()).toList();
        for (var each : left) {
            try {
                // An lvcreate that was killed leaves its origin suspended, with another table loaded, which is LVM's.
                commands.resumeAll();
                var unused = remove(each);
            } catch (ProviderException e) {
                LOG.log(
                        System.Logger.Level.ERROR,
                        "lvm.left_prepared logicalVolume={0} snapshot={1} reason=\"{2}\" effect=\"not listed\"",
                        each.on().name(),
                        each.id(),
                        e.getMessage());
            }
        }
    }

    void resumeLeft() {
        suspensions.resumeLeft();
    }
}
