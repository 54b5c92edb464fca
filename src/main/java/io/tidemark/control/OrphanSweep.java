package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.control.document.Json;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Operation;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at every start, and after a failure ({@link LateSweep}), for snapshots that a crash or a refusing storage left behind. Deleted is only what an operation
 * of this very state is known to have made and failed to finish. What nobody knows is kept and named in the log: it may
 * be another site's, or ours from before its database was lost.
 */
final class OrphanSweep {
    private static final Logger log = LoggerFactory.getLogger(OrphanSweep.class);

    private final ControlPorts.Stores stores;
    private final Providers providers;

    OrphanSweep(ControlPorts.Stores stores, Providers providers) {
        this.stores = stores;
        this.providers = providers;
    }

    void run() throws InterruptedException {
        run(providers.all());
    }

    void run(Collection<StorageProvider> asked) throws InterruptedException {
        var unused = run(asked, SnapshotQuery.everything(), new HashSet<>());
    }

    /**
     * @param silent names of providers that are not asked, for they have just failed; those that fail now are added
     * @return whether all were looked at to the end
     */
    boolean run(RecoveryPointId id, Set<String> silent) throws InterruptedException {
        return run(providers.all(), SnapshotQuery.ofRecoveryPoint(id), silent);
    }

    private boolean run(Collection<StorageProvider> asked, SnapshotQuery query, Set<String> silent)
            throws InterruptedException {
        boolean all = true;
        for (var provider : asked) {
            if (silent.contains(provider.name())) {
                all = false;
                continue;
            }
            try {
                sweep(provider, query);
            } catch (ProviderException | ControlException failure) {
                all = false;
                silent.add(provider.name());
                log.warn(
                        "orphan_sweep.failed provider={} what failed operations left there stays until it answers: {}",
                        provider.name(),
                        failure.getMessage());
            }
        }
        return all;
    }

    private void sweep(StorageProvider provider, SnapshotQuery query)
            throws ProviderException, ControlException, InterruptedException {
        var leftovers = new ArrayList<Snapshot>();
        Optional<String> cursor = Optional.empty();
        do {
            var page = provider.snapshots(cursor.map(query::after).orElse(query));
            page.snapshots().stream().filter(this::isLeftover).forEach(leftovers::add);
            cursor = page.nextCursor();
        } while (cursor.isPresent());
        for (var leftover : leftovers) {
            delete(provider, leftover);
        }
    }

    private boolean isLeftover(Snapshot snapshot) {
        var id = snapshot.id().recoveryPoint();
        if (stores.recoveryPoints().knows(id)) {
            return false;
        }
        var maker = stores.operations().makerOf(id);
        if (maker.isEmpty()) {
            log.warn("orphan.kept snapshot={} no record of it; delete it by its id if it is not wanted", snapshot.id());
            return false;
        }
        var state = maker.orElseThrow().state();
        boolean failed = state == Operation.State.FAILED || state == Operation.State.CANCELLED;
        return failed && volumesOf(maker.orElseThrow()).contains(snapshot.id().volume());
    }

    /** Those that the operation was to cut: a copy that somebody has made elsewhere carries the same id, and is not its. */
    private Set<VolumeId> volumesOf(Operation maker) {
        var request = Json.object(maker.requestJson());
        var volumes = new HashSet<VolumeId>();
        request.path("volumes").forEach(volume -> volumes.add(new VolumeId(volume.asText())));
        Json.optionalText(request, "volume").map(VolumeId::new).ifPresent(volumes::add);
        Json.optionalText(request, "link")
                .map(LinkId::new)
                .flatMap(stores.links()::find)
                .ifPresent(link -> {
                    volumes.add(link.localVolume());
                    stores.groups().find(link.group()).ifPresent(group -> volumes.addAll(group.volumes()));
                });
        return volumes;
    }

    private static void delete(StorageProvider provider, Snapshot leftover)
            throws ProviderException, ControlException, InterruptedException {
        try {
            StepRunner.deleteSoon(provider, leftover.id());
            log.info("orphan.deleted snapshot={}", leftover.id());
        } catch (ProviderException failure) {
            boolean isKept =
                    failure.error() instanceof ProviderError.Held || failure.error() instanceof ProviderError.Conflict;
            if (!isKept) {
                throw failure;
            }
            log.warn("orphan.held snapshot={} {}", leftover.id(), failure.getMessage());
        }
    }
}
