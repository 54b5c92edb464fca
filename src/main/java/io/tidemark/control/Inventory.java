package io.tidemark.control;

import io.tidemark.agent.Providers;
import io.tidemark.control.port.LinkStore;
import io.tidemark.control.port.OperationStore;
import io.tidemark.control.port.Page;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Operation;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotPage;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.SnapshotStreams;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Looks things up. Pages carry cursors as clients see them. */
public final class Inventory {
    private static final String VOLUMES = "volumes";
    private static final String SNAPSHOTS = "snapshots";
    private static final String GROUPS = "groups";
    private static final String POINTS = "recovery-points";
    private static final String PEERS = "peers";
    private static final String LINKS = "links";
    private static final String OPERATIONS = "operations";

    private final ControlPorts.Stores stores;
    private final Providers providers;
    private final OperationStore operations;

    Inventory(ControlPorts.Stores stores, Providers providers, OperationStore operations) {
        this.stores = stores;
        this.providers = providers;
        this.operations = operations;
    }

    public Volume volume(VolumeId id) throws ProviderException {
        return providers.of(id).volume(id);
    }

    /** Whether the volume's storage carries snapshots as streams of its own. */
    boolean hasStreams(VolumeId id) throws ProviderException {
        return providers.of(id) instanceof SnapshotStreams;
    }

    /**
     * Those of all providers and hosts that answer; the others are named.
     *
     * @throws ProviderException where there are some and none answers
     */
    public Listing<Volume> volumes(Optional<String> cursor, int limit) throws ControlException, ProviderException {
        var after = Cursor.decode(VOLUMES, cursor).orElse("");
        var found = new ArrayList<Volume>();
        // Before the providers: one that is lost in between is in neither, one that arrives in both.
        var missing = MissingParts.of(providers);
        for (var provider : providers.all()) {
            try {
                found.addAll(provider.volumes());
                missing.answered();
            } catch (ProviderException e) {
                missing.failed(provider, e);
            }
        }
        var wanted = found.stream()
                .filter(volume -> volume.id().value().compareTo(after) > 0)
                .sorted(Comparator.comparing(Volume::id))
                .limit(limit + 1L)
                .toList();
        return new Listing<>(
                coded(VOLUMES, Page.cut(wanted, limit, volume -> volume.id().value())), missing.all(true));
    }

    /** @throws ProviderException VolumeNotFound or SnapshotNotFound */
    public Snapshot snapshot(SnapshotId id) throws ProviderException {
        var provider = providers.of(id.volume());
        var query = new SnapshotQuery(Optional.of(id.volume()), Optional.of(id.recoveryPoint()), Optional.empty(), 1);
        return provider.snapshots(query).snapshots().stream()
                .findFirst()
                .orElseThrow(() -> new ProviderException(new ProviderError.SnapshotNotFound(id)));
    }

    /** @throws ProviderException VolumeNotFound or SnapshotNotFound */
    public Readiness readiness(SnapshotId id) throws ProviderException {
        return providers.of(id.volume()).readiness(id);
    }

    /**
     * Those of all providers and hosts that answer; the others are named.
     *
     * @param volume asks of one alone
     * @throws ProviderException where those that are asked are some and none answers
     */
    public Listing<Snapshot> snapshots(Optional<VolumeId> volume, Optional<String> cursor, int limit)
            throws ControlException, ProviderException {
        var position = SnapshotPosition.parse(Cursor.decode(SNAPSHOTS, cursor), cursor);
        List<StorageProvider> asked =
                volume.isPresent() ? List.of(providers.of(volume.orElseThrow())) : List.copyOf(providers.all());
        var missing = volume.isPresent() ? MissingParts.none() : MissingParts.of(providers);
        boolean whole = volume.isPresent() || cursor.isEmpty();
        var found = new ArrayList<Snapshot>();
        for (int index = 0; index < asked.size(); index++) {
            var provider = asked.get(index);
            if (provider.name().compareTo(position.provider()) < 0) {
                continue;
            }
            var providerCursor =
                    provider.name().equals(position.provider()) ? position.providerCursor() : Optional.<String>empty();
            SnapshotPage page;
            try {
                page = provider.snapshots(
                        new SnapshotQuery(volume, Optional.empty(), providerCursor, limit - found.size()));
                missing.answered();
            } catch (ProviderException e) {
                missing.failed(provider, e);
                continue;
            }
            found.addAll(page.snapshots());
            if (page.nextCursor().isPresent()) {
                var next = new SnapshotPosition(provider.name(), page.nextCursor());
                return new Listing<>(
                        new Page<>(found, Optional.of(Cursor.encode(SNAPSHOTS, next.text()))), missing.all(whole));
            }
            if (found.size() == limit && index + 1 < asked.size()) {
                var next = new SnapshotPosition(asked.get(index + 1).name(), Optional.empty());
                return new Listing<>(
                        new Page<>(found, Optional.of(Cursor.encode(SNAPSHOTS, next.text()))), missing.all(whole));
            }
        }
        return new Listing<>(new Page<>(found, Optional.empty()), missing.all(whole));
    }

    /** @param provider the first to ask; empty text for the very first */
    private record SnapshotPosition(String provider, Optional<String> providerCursor) {
        String text() {
            return provider + "|" + providerCursor.orElse("");
        }

        static SnapshotPosition parse(Optional<String> position, Optional<String> cursor) throws ControlException {
            if (position.isEmpty()) {
                return new SnapshotPosition("", Optional.empty());
            }
            String text = position.orElseThrow();
            int bar = text.indexOf('|');
            if (bar < 0) {
                throw new ControlException(new ControlError.Invalid(
                        "cursor", cursor.orElse(""), "is not a cursor of this list", "the nextCursor of a page"));
            }
            String rest = text.substring(bar + 1);
            return new SnapshotPosition(text.substring(0, bar), rest.isEmpty() ? Optional.empty() : Optional.of(rest));
        }
    }

    public ConsistencyGroup group(GroupId id) throws ControlException {
        return stores.groups().find(id).orElseThrow(() -> missing("group", id.value()));
    }

    public Page<ConsistencyGroup> groups(Optional<String> cursor, int limit) throws ControlException {
        return coded(GROUPS, stores.groups().page(Cursor.decode(GROUPS, cursor), limit));
    }

    public RecoveryPoint recoveryPoint(RecoveryPointId id) throws ControlException {
        return stores.recoveryPoints().find(id).orElseThrow(() -> missing("recovery point", id.value()));
    }

    /**
     * As {@link #recoveryPoint}, for who wants to know what became of it.
     *
     * @throws ControlException NotFound; BeingDeleted where its deletion was begun and is not at its end
     */
    public RecoveryPoint recoveryPointOrItsDeletion(RecoveryPointId id) throws ControlException {
        if (stores.recoveryPoints().find(id).isEmpty()
                && stores.recoveryPoints().knows(id)) {
            throw new ControlException(new ControlError.BeingDeleted("recovery point", id.value()));
        }
        return recoveryPoint(id);
    }

    /** Whether a recovery point has it, one that is being deleted too. A copy elsewhere has the id, and is no member. */
    boolean isMember(SnapshotId id) {
        var points = stores.recoveryPoints();
        return Stream.concat(points.find(id.recoveryPoint()).stream(), points.deleting().stream())
                .filter(point -> point.id().equals(id.recoveryPoint()))
                .anyMatch(point -> point.members().stream()
                        .anyMatch(member -> member.snapshot().equals(id)));
    }

    public Page<RecoveryPoint> recoveryPoints(Optional<GroupId> group, Optional<String> cursor, int limit)
            throws ControlException {
        return coded(POINTS, stores.recoveryPoints().page(group, Cursor.decodeNumber(POINTS, cursor), limit));
    }

    public Peer peer(PeerId id) throws ControlException {
        return stores.peers().find(id).orElseThrow(() -> missing("peer", id.value()));
    }

    public Page<Peer> peers(Optional<String> cursor, int limit) throws ControlException {
        return coded(PEERS, stores.peers().page(Cursor.decode(PEERS, cursor), limit));
    }

    public ReplicationLink link(LinkId id) throws ControlException {
        return stores.links().find(id).orElseThrow(() -> missing("link", id.value()));
    }

    /** Of operations that wait for the link's peer. */
    String laneOf(LinkId id) {
        return stores.links().find(id).map(link -> "peer " + link.peer()).orElse("no peer");
    }

    /** Whether the link's volume is received over another link: then nobody but that link may add to it. */
    boolean receivesToo(ReplicationLink link) {
        return stores.links().all().stream()
                .anyMatch(other -> other.role() == ReplicationLink.Role.TARGET
                        && other.localVolume().equals(link.localVolume())
                        && !other.id().equals(link.id()));
    }

    public Page<ReplicationLink> links(Optional<String> cursor, int limit) throws ControlException {
        return coded(LINKS, stores.links().page(Cursor.decode(LINKS, cursor), limit));
    }

    /** When a scheduled link is due next. */
    public Optional<LinkStore.Due> due(LinkId id) {
        return stores.links().due(id);
    }

    public Page<Operation> operations(
            Optional<String> kind, Optional<Operation.State> state, Optional<String> cursor, int limit)
            throws ControlException {
        return coded(OPERATIONS, operations.page(kind, state, Cursor.decodeNumber(OPERATIONS, cursor), limit));
    }

    private static <T> Page<T> coded(String list, Page<T> page) {
        return new Page<>(page.items(), page.next().map(position -> Cursor.encode(list, position)));
    }

    private static ControlException missing(String kind, String id) {
        return new ControlException(new ControlError.NotFound(kind, id));
    }
}
