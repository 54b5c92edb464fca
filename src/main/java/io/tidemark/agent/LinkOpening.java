package io.tidemark.agent;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.replication.protocol.Message;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.util.Optional;

/** What a peer's wish to open a link makes here: its volume is found or made, and the link is written down. */
public final class LinkOpening {
    private final Providers providers;
    private final SiteCatalog catalog;
    private final Peer peer;
    private final LiveSessions live;

    LinkOpening(Providers providers, SiteCatalog catalog, Peer peer, LiveSessions live) {
        this.providers = providers;
        this.catalog = catalog;
        this.peer = peer;
        this.live = live;
    }

    /** @param fresh whether the link was not known here */
    record Opened(LinkId link, Volume volume, boolean fresh) {}

    /** Asked again, it answers the same. */
    Opened open(Message asked) throws ReplicationException, ProviderException {
        return switch (asked) {
            case Message.OpenLink open -> {
                refuse(open.link(), open.sourceVolume(), open.targetVolume());
                var volume = blocks(open);
                yield opened(open.link(), open.group(), open.sourceVolume(), volume);
            }
            case Message.OpenStreamLink open -> {
                refuse(open.link(), open.sourceVolume(), open.targetVolume());
                var volume = files(open);
                yield opened(open.link(), open.group(), open.sourceVolume(), volume);
            }
            default ->
                throw new ReplicationException(
                        new ReplicationError.CorruptFrame(asked.type() + " where a link to open was due"));
        };
    }

    /** Where the link is another one here, or its volume is another link's. */
    private void refuse(LinkId link, VolumeId source, VolumeId target) throws ReplicationException {
        var known = catalog.link(link);
        if (known.isEmpty()) {
            live.refuseLive(target);
        }
        boolean same = known.isEmpty()
                || (known.get().role() == ReplicationLink.Role.TARGET
                        && known.get().peer().equals(peer.id())
                        && known.get().localVolume().equals(target)
                        && known.get().peerVolume().equals(source));
        if (!same) {
            throw new ReplicationException(new ReplicationError.PeerRefused(
                    "link-conflict", "link %s exists here with another peer or volume".formatted(link)));
        }
    }

    private Volume blocks(Message.OpenLink open) throws ReplicationException, ProviderException {
        boolean isNew = catalog.link(open.link()).isEmpty();
        return target(providers, open.targetVolume(), open.volumeBytes(), isNew);
    }

    /**
     * A volume of blocks that a peer's is to be copied to; made where there is none.
     *
     * @param isNew whether nothing was ever copied to it: then it is asked whether it can be written at all
     * @throws ReplicationException TargetSmaller; Storage where it is files, mounted, or cannot be written
     */
    public static Volume target(Providers providers, VolumeId id, long sizeBytes, boolean isNew)
            throws ReplicationException, ProviderException {
        var volume = findOrCreate(providers.of(id), id, sizeBytes);
        TargetVolumes.refuseOtherKind(volume, false);
        if (isNew) {
            TargetVolumes.refuseUnwritable(volume);
        }
        if (volume.sizeBytes() < sizeBytes) {
            throw new ReplicationException(
                    new ReplicationError.TargetSmaller(volume.id(), volume.sizeBytes(), sizeBytes));
        }
        TargetVolumes.refuseWhenMounted(volume);
        return volume;
    }

    private static Volume findOrCreate(StorageProvider provider, VolumeId id, long sizeBytes) throws ProviderException {
        try {
            return provider.volume(id);
        } catch (ProviderException e) {
            if (!(e.error() instanceof ProviderError.VolumeNotFound)) {
                throw e;
            }
            try {
                return provider.create(id, sizeBytes);
            } catch (UnsupportedOperationException unable) {
                throw new ProviderException(
                        new ProviderError.Conflict(
                                id.toString(),
                                "it does not exist, and its storage makes no volumes: name one that is there"),
                        unable);
            }
        }
    }

    /** A volume of files is its administrator's to make: what belongs to it (mount point, quota) nobody can guess. */
    private Volume files(Message.OpenStreamLink open) throws ReplicationException, ProviderException {
        var volume = found(open.targetVolume());
        TargetVolumes.refuseOtherKind(volume, true);
        var format = providers.streamsOf(volume.id()).format();
        if (!format.equals(open.format())) {
            throw new ReplicationException(new ReplicationError.Storage(new ProviderError.Conflict(
                    volume.id().value(),
                    "its storage takes %s streams, and the source sends %s: name a volume of the same kind of storage"
                            .formatted(format, open.format()))));
        }
        return volume;
    }

    private Volume found(VolumeId id) throws ReplicationException, ProviderException {
        try {
            return providers.of(id).volume(id);
        } catch (ProviderException e) {
            if (e.error() instanceof ProviderError.VolumeNotFound) {
                throw new ReplicationException(new ReplicationError.PeerRefused(
                        "volume-not-found",
                        "there is no volume %s there: make it with its storage's own tools (btrfs subvolume create, zfs create), empty"
                                .formatted(id)));
            }
            throw e;
        }
    }

    private Opened opened(LinkId link, GroupId group, VolumeId source, Volume target) throws ReplicationException {
        boolean fresh = catalog.link(link).isEmpty();
        if (fresh) {
            catalog.saveLink(new ReplicationLink(
                    link,
                    ReplicationLink.Role.TARGET,
                    peer.id(),
                    target.id(),
                    source,
                    group,
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty()));
        }
        return new Opened(link, target, fresh);
    }
}
