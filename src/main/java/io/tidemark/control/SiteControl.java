package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.spi.StorageProvider;
import java.util.Collection;
import java.util.List;

/** All use cases of a site, wired. Life: construct, {@link #recover}, {@link #start}, {@link #stop}. */
public final class SiteControl {
    private final Operations operations;
    private final Inventory inventory;
    private final IdempotentRequests idempotentRequests;
    private final VolumeCases volumes;
    private final PointCases points;
    private final LinkCases links;
    private final ManageExports exports;
    private final ManageLive live;
    private final ManageAgents agents;
    private final OrphanSweep sweep;
    private final LateSweep lateSweep;
    private final LinkScheduler scheduler;
    private final ControlPorts ports;
    private volatile boolean recovered;
    private volatile boolean stopped;

    /** Volumes, snapshots and groups. */
    public record VolumeCases(
            CreateVolume create,
            DeleteVolume delete,
            TakeSnapshot takeSnapshot,
            DeleteSnapshot deleteSnapshot,
            CopySnapshot copySnapshot,
            ProtectSnapshot protectSnapshot,
            ReplicateInStorage replicateInStorage,
            SaveGroup saveGroup,
            DeleteGroup deleteGroup,
            ChangeTracking tracking) {}

    /** Recovery points. */
    public record PointCases(
            CreateRecoveryPoint create,
            DeleteRecoveryPoint delete,
            CloneRecoveryPoint cloneMember,
            RollbackRecoveryPoint rollback) {}

    /** Peers and links. */
    public record LinkCases(
            InvitePeer invite,
            AcceptInvitation accept,
            DeletePeer deletePeer,
            CreateLink create,
            DeleteLink delete,
            SyncLink sync,
            VerifyLink verify,
            PauseLink pause,
            ResumeLink resume,
            ResyncLink resync,
            ReverseLink reverse,
            SetLink set) {}

    public SiteControl(ControlPorts ports, OperationSettings settings) {
        this.ports = ports;
        var stores = ports.stores();
        var providers = ports.agents().providers();
        var claims = new Claims();
        var busy = new Busy(claims);
        // Operations ask the inventory while they run, and the inventory lists operations: both read stores alone.
        var kindsInventory = new Inventory(stores, providers, stores.operations());
        this.inventory = kindsInventory;
        this.operations =
                new Operations(stores.operations(), kinds(ports, kindsInventory, claims), claims, ports, settings);
        this.idempotentRequests = new IdempotentRequests(stores.idempotency(), ports.ids(), ports.clock());
        this.volumes = new VolumeCases(
                new CreateVolume(providers, operations),
                new DeleteVolume(stores, providers, ports.agents().live(), busy),
                new TakeSnapshot(providers, operations),
                new DeleteSnapshot(providers, inventory, busy),
                new CopySnapshot(inventory, providers, operations),
                new ProtectSnapshot(stores, providers, busy),
                new ReplicateInStorage(providers, operations),
                new SaveGroup(stores, providers),
                new DeleteGroup(stores),
                new ChangeTracking(stores.trackingAudits(), providers, ports.clock()));
        this.points = new PointCases(
                new CreateRecoveryPoint(inventory, ports.agents().taker(), operations),
                new DeleteRecoveryPoint(stores, providers, inventory, busy, ports.clock()),
                new CloneRecoveryPoint(inventory, providers, operations),
                new RollbackRecoveryPoint(inventory, stores, ports.agents().live(), operations));
        var syncLink = new SyncLink(inventory, stores, operations);
        this.links = new LinkCases(
                new InvitePeer(stores.peers(), ports.agents().pairing()),
                new AcceptInvitation(stores.peers(), ports.agents().pairing()),
                new DeletePeer(stores),
                new CreateLink(ports, inventory),
                new DeleteLink(stores, ports.agents(), inventory, busy),
                syncLink,
                new VerifyLink(inventory, operations),
                new PauseLink(inventory, ports, operations),
                new ResumeLink(inventory, ports, syncLink, busy),
                new ResyncLink(syncLink),
                new ReverseLink(inventory, ports.agents().live(), operations),
                new SetLink(inventory, stores.links(), ports.clock()));
        this.exports = new ManageExports(
                ports.agents().exports(),
                ports.stores(),
                inventory,
                providers,
                ports.agents().live(),
                claims,
                ports.clock());
        this.live = new ManageLive(ports.agents().live(), stores, inventory, operations, busy, ports.clock());
        this.agents = new ManageAgents(inventory, ports.agents().remote());
        this.sweep = new OrphanSweep(stores, providers);
        this.lateSweep = lateSweep(stores, providers);
        this.scheduler =
                new LinkScheduler(ports, inventory, new LinkScheduler.Cases(points.create(), links.sync(), operations));
    }

    private LateSweep lateSweep(ControlPorts.Stores stores, Providers providers) {
        return new LateSweep(
                stores.operations(),
                sweep,
                points.delete(),
                new NewPoints(stores.recoveryPoints(), providers),
                ports.clock());
    }

    private static List<OperationKind> kinds(ControlPorts ports, Inventory inventory, Claims claims) {
        var providers = ports.agents().providers();
        return List.of(
                new CreateVolumeOperation(providers),
                new SnapshotOperation(providers, ports.moments()),
                new CopySnapshotOperation(providers),
                new StorageReplicationOperation(providers),
                new RecoveryPointOperation(ports),
                new CloneOperation(inventory, providers),
                new RollbackOperation(
                        ports.stores(),
                        providers,
                        ports.agents().live(),
                        new ClosedVolumes(providers, claims, ports.clock()),
                        ports.moments()),
                new TransferOperation(TransferOperation.SYNC, inventory, ports),
                new TransferOperation(TransferOperation.RESYNC, inventory, ports),
                new ReversalOperation(inventory, ports),
                new VerifyOperation(inventory, ports.agents()));
    }

    /**
     * Brings the site back to a state that requests may build upon: finishes or undoes operations and deletions, sweeps
     * orphans. Call once, after what was frozen is thawed and replication has recovered its own logs, and before {@link
     * #start}.
     */
    public void recover() throws InterruptedException {
        points.delete().recover();
        operations.recover();
        sweep.run();
        operations.forgetOld();
        ports.stores().idempotency().forgetExpired(ports.clock().instant());
        recovered = true;
    }

    /**
     * An agent has connected: what operations and deletions left on its host while it could not be asked is done, as at a
     * start.
     */
    public void sweep(Collection<StorageProvider> arrived) throws InterruptedException {
        points.delete().recover();
        sweep.run(arrived);
    }

    /** Begins to run scheduled links, and to look for what failed operations may yet come to have made. */
    public void start() {
        scheduler.start();
        lateSweep.start();
        exports.start();
    }

    /** Whether {@link #recover} is done and {@link #stop} has not been called. */
    public boolean ready() {
        return recovered && !operations.stopping();
    }

    /**
     * Takes no new work, grants running operations their stop timeout, leaves the rest to the next start. Does nothing the
     * second time.
     */
    public void stop() throws InterruptedException {
        if (stopped) {
            return;
        }
        try {
            lateSweep.stop();
            exports.stop();
            scheduler.stop();
        } finally {
            operations.stop();
        }
        stopped = true;
    }

    public Operations operations() {
        return operations;
    }

    public Inventory inventory() {
        return inventory;
    }

    public IdempotentRequests idempotentRequests() {
        return idempotentRequests;
    }

    public VolumeCases volumes() {
        return volumes;
    }

    public PointCases points() {
        return points;
    }

    public LinkCases links() {
        return links;
    }

    public ManageExports exports() {
        return exports;
    }

    public ManageLive live() {
        return live;
    }

    LateSweep lateSweep() {
        return lateSweep;
    }

    public ManageAgents agents() {
        return agents;
    }
}
