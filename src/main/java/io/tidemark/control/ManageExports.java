package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.control.port.ExportHost;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.spi.Capability;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Exports of this host's storage. What is exported is claimed for as long: its recovery point or volume is not deleted. All
 * but overlays are opened again at the next start.
 */
public final class ManageExports {
    /** Opening takes moments; ending, until clients' requests have ended. */
    private static final Duration IN_HAND_RETRY = Duration.ofSeconds(1);

    private final ExportHost host;
    private final ControlPorts.Stores stores;
    private final Inventory inventory;
    private final Providers providers;
    private final LiveHost live;
    private final Claims claims;
    private final InstantSource clock;
    private final AwayExports away;
    /** Exports that a request makes or removes now: an export's claims are its business alone. */
    private final Set<ExportId> inHand = ConcurrentHashMap.newKeySet();

    ManageExports(
            ExportHost host,
            ControlPorts.Stores stores,
            Inventory inventory,
            Providers providers,
            LiveHost live,
            Claims claims,
            InstantSource clock) {
        this.host = host;
        this.stores = stores;
        this.inventory = inventory;
        this.providers = providers;
        this.live = live;
        this.claims = claims;
        this.away = new AwayExports(host, claims);
        this.clock = clock;
    }

    /**
     * Exports a snapshot.
     *
     * @param access READ_ONLY or OVERLAY
     * @throws ControlException InUse while it is being deleted; Invalid where it is on an agent's host; Unsupported where
     *     it is files
     * @throws ProviderException SnapshotNotFound; Busy where it cannot be read yet
     */
    public List<ExportHost.Open> ofSnapshot(SnapshotId snapshot, Export.Access access, Intent intent)
            throws ControlException, ProviderException {
        refuseUnreadable(snapshot);
        var export = new Export(intent.export(0), snapshot.toString(), access, clock.instant());
        return List.of(open(export, List.of(Claim.shared(snapshot.recoveryPoint()))));
    }

    /**
     * Exports every snapshot of a recovery point, in its order of members; where one is refused, none is exported.
     *
     * @param access READ_ONLY or OVERLAY
     */
    public List<ExportHost.Open> ofRecoveryPoint(RecoveryPointId id, Export.Access access, Intent intent)
            throws ControlException, ProviderException, InterruptedException {
        var members = inventory.recoveryPoint(id).members();
        for (var member : members) {
            refuseUnreadable(member.snapshot());
        }
        var opened = new ArrayList<ExportHost.Open>();
        try {
            for (RecoveryPoint.Member member : members) {
                var export = new Export(
                        intent.export(opened.size()), member.snapshot().toString(), access, clock.instant());
                opened.add(open(export, List.of(Claim.shared(id))));
            }
        } finally {
            if (opened.size() < members.size()) {
                for (var one : opened) {
                    close(one.export().id());
                }
            }
        }
        return List.copyOf(opened);
    }

    /**
     * Exports a live volume, which nobody else writes meanwhile.
     *
     * @throws ControlException Invalid where it is on an agent's host; Unsupported where it cannot be written; InUse where
     *     it is the target of a link, whose next synchronisation would find it written, is replicated live, or is exported so already
     * @throws ProviderException VolumeNotFound; Busy where it is mounted, attached, or written by others
     */
    public List<ExportHost.Open> ofVolume(VolumeId volume, Intent intent) throws ControlException, ProviderException {
        refuseElsewhere(volume);
        if (!inventory.volume(volume).can(Capability.RANDOM_WRITE)) {
            throw new ControlException(new ControlError.Unsupported(volume, Capability.RANDOM_WRITE));
        }
        RollbackRecoveryPoint.refuseTargets(List.of(volume), stores);
        RollbackRecoveryPoint.refuseLive(List.of(volume), live);
        var export = new Export(intent.export(0), volume.value(), Export.Access.WRITABLE, clock.instant());
        return List.of(open(export, List.of(Claim.writing(volume))));
    }

    private void refuseElsewhere(VolumeId volume) throws ControlException {
        if (volume.agent().isPresent()) {
            throw new ControlException(new ControlError.Invalid(
                    "source", volume.value(), "is on an agent's host, which exports nothing", "one of this host"));
        }
    }

    private void refuseUnreadable(SnapshotId snapshot) throws ControlException, ProviderException {
        refuseElsewhere(snapshot.volume());
        inventory.snapshot(snapshot);
        try {
            if (inventory.volume(snapshot.volume()).can(Capability.FILES)) {
                throw new ControlException(new ControlError.Unsupported(snapshot.volume(), Capability.RANDOM_READ));
            }
        } catch (ProviderException e) {
            if (!(e.error() instanceof ProviderError.VolumeNotFound)) {
                throw e;
            }
            // Snapshots can outlive their volume.
        }
        switch (providers.of(snapshot.volume()).readiness(snapshot)) {
            case Readiness.Ready() -> {}
            case Readiness.Pending(var progress, var askAgainAfter) ->
                throw new ProviderException(new ProviderError.Busy(
                        "snapshot " + snapshot,
                        "its storage, which makes it readable (%d %%)".formatted(Math.round(progress * 100)),
                        askAgainAfter));
            case Readiness.Failed(var error) -> throw new ProviderException(error);
        }
    }

    /** Answers the export of that id where there is one: a request whose answer was lost is repeated. */
    private ExportHost.Open open(Export export, List<Claim> wanted) throws ControlException, ProviderException {
        var id = export.id();
        if (!inHand.add(id)) {
            throw new ProviderException(
                    new ProviderError.Busy("export " + id, "another request that makes or removes it", IN_HAND_RETRY));
        }
        try {
            if (away.find(id).isEmpty() && host.find(id).isEmpty()) {
                openNew(export, wanted);
            }
            return find(id);
        } finally {
            inHand.remove(id);
        }
    }

    private void openNew(Export export, List<Claim> wanted) throws ControlException, ProviderException {
        var holder = holder(export.id());
        var inTheWay = claims.tryAcquire(holder, wanted);
        if (inTheWay.isPresent()) {
            throw new ControlException(new ControlError.InUse(
                    export.access() == Export.Access.WRITABLE ? "volume" : "snapshot",
                    export.source(),
                    inTheWay.get()));
        }
        boolean opened = false;
        try {
            host.open(export);
            opened = true;
        } finally {
            if (!opened) {
                claims.release(holder);
            }
        }
        keep(export);
    }

    /** One that the next start would not know is not made: whoever attaches it relies on that. */
    private void keep(Export export) throws ProviderException {
        try {
            host.keep(export);
        } catch (ProviderException e) {
            try {
                close(export.id());
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                e.addSuppressed(interrupted);
            }
            throw e;
        }
    }

    /**
     * Claims what the process before this one exported and nobody removed, and opens it again. One that is refused stays
     * claimed and listed as away, and is tried every {@link AwayExports#EVERY} once {@link #start} was called.
     */
    public void openAgain() throws InterruptedException {
        away.begin();
    }

    void start() {
        away.start();
    }

    void stop() {
        away.stop();
    }

    /** Tries what is away. */
    void look() {
        away.look();
    }

    private static String holder(ExportId id) {
        return AwayExports.holder(id);
    }

    /** Why clients cannot reach exports where the settings say, for people; empty where they can. */
    public List<String> notServed() {
        return host.notServed();
    }

    /** In order of id. */
    public List<ExportHost.Open> all() {
        // In this order: one that opens meanwhile is among both, and not among neither.
        var waiting = away.all();
        var open = host.all();
        var ids = open.stream().map(each -> each.export().id()).collect(Collectors.toSet());
        return Stream.concat(
                        open.stream(),
                        waiting.stream()
                                .filter(each -> !ids.contains(each.export().id())))
                .sorted(Comparator.comparing(each -> each.export().id().value()))
                .toList();
    }

    /** @throws ControlException NotFound */
    public ExportHost.Open find(ExportId id) throws ControlException {
        var waiting = away.find(id);
        return host.find(id).or(() -> waiting).orElseThrow(() -> new ControlException(missing(id)));
    }

    /**
     * Ends its connections and the export.
     *
     * @return empty once it has ended; where its storage is still being closed, the export as it is: listed, and keeping
     *     others off what it exports, until that is done
     * @throws ControlException NotFound; InUse where it is a live link's
     */
    public Optional<ExportHost.Open> remove(ExportId id) throws ControlException, InterruptedException {
        var live = host.find(id).filter(each -> each.export().access() == Export.Access.LIVE);
        if (live.isPresent()) {
            throw new ControlException(new ControlError.InUse(
                    "export", id.value(), "live link " + live.get().export().source()));
        }
        return switch (close(id)) {
            case NONE -> throw new ControlException(missing(id));
            case ENDING -> host.find(id);
            case ENDED -> Optional.empty();
        };
    }

    private ExportHost.Closing close(ExportId id) throws InterruptedException {
        host.forget(id);
        if (away.remove(id)) {
            return ExportHost.Closing.ENDED;
        }
        return host.close(id, () -> claims.release(holder(id)));
    }

    private static ControlError missing(ExportId id) {
        return new ControlError.NotFound("export", id.value());
    }
}
