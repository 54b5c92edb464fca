package io.tidemark.provider.gce;

import com.google.api.gax.rpc.UnaryCallable;
import com.google.cloud.compute.v1.Disk;
import com.google.cloud.compute.v1.DiskAsyncReplication;
import com.google.cloud.compute.v1.DisksStartAsyncReplicationRequest;
import com.google.cloud.compute.v1.DisksStopGroupAsyncReplicationResource;
import com.google.cloud.compute.v1.Operation;
import com.google.cloud.compute.v1.RegionDisksStartAsyncReplicationRequest;
import com.google.cloud.compute.v1.StartAsyncReplicationDiskRequest;
import com.google.cloud.compute.v1.StartAsyncReplicationRegionDiskRequest;
import com.google.cloud.compute.v1.StopAsyncReplicationDiskRequest;
import com.google.cloud.compute.v1.StopAsyncReplicationRegionDiskRequest;
import com.google.cloud.compute.v1.StopGroupAsyncReplicationDiskRequest;
import com.google.cloud.compute.v1.StopGroupAsyncReplicationRegionDiskRequest;
import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/**
 * Google's own replication of a disk to one in another region. One secondary a primary; what was stopped cannot go on,
 * and its secondary becomes a disk like any other ("Manage Asynchronous Replication"): so who stops must say that a
 * new secondary is accepted. How far a secondary is behind, version 1 of the API does not tell.
 *
 * <p>Each call begins what Google then does; {@link ReplicationSteps} follows it. Safe for several threads; a failure leaves the pair as it was, or as it was
 * to be: {@link #state} tells.
 */
final class AsyncReplication {
    private final GceConnection connection;
    private final GceCalls calls;
    private final Attempts attempts;
    private final GceVolumes volumes;
    private final GceConfig config;

    /** In the order in which a pair goes through them. */
    enum State {
        /** The disk is of no pair. */
        NONE,
        CREATED,
        STARTING,
        ACTIVE,
        STOPPING,
        STOPPED,
        /** Google's word for it is none that we know. */
        UNKNOWN;

        static State of(String told) {
            for (var each : values()) {
                if (each.name().equals(told.toUpperCase(Locale.ROOT))) {
                    return each;
                }
            }
            return UNKNOWN;
        }
    }

    AsyncReplication(
            GceConnection connection, GceCalls calls, Attempts attempts, GceVolumes volumes, GceConfig config) {
        this.connection = connection;
        this.calls = calls;
        this.attempts = attempts;
        this.volumes = volumes;
        this.config = config;
    }

    /** @throws ProviderException VolumeNotFound */
    State state(VolumeId volume) throws ProviderException {
        return volumes.find(volume).replication();
    }

    /**
     * Begins to make an empty secondary, as large as its primary and in another region; one that is there is left as
     * it is. It has the label of {@code onlyLabelled}, so that it is seen.
     *
     * @return empty: there is a disk of that name, seen or not
     * @throws ProviderException VolumeNotFound of the primary; Conflict where the secondary is named without its place
     */
    Optional<CloudOperation> createSecondary(VolumeId primary, VolumeId secondary) throws ProviderException {
        var source = volumes.find(primary);
        var named = GceNames.diskOf(secondary)
                .orElseThrow(() -> new ProviderException(new ProviderError.Conflict(
                        secondary.toString(), "a secondary is named by its place: ZONE/NAME or REGION/NAME")));
        var wanted = Disk.newBuilder()
                .setName(named.name())
                .setSizeGb(source.sizeBytes() >> 30)
                .setAsyncPrimaryDisk(DiskAsyncReplication.newBuilder().setDisk(source.link()))
                .putLabels(GceNames.INSTALLATION, config.installation());
        config.onlyLabelled().ifPresent(label -> wanted.putLabels(label.key(), label.value()));
        var requestId = UUID.randomUUID();
        return refuseFailed(
                "disks.insert of " + secondary,
                attempts.until(() -> calls.insertDisk(named.location(), wanted.build(), requestId)));
    }

    /**
     * Starts to replicate to a secondary that was made for this primary; does nothing where that is going on.
     *
     * @throws ProviderException VolumeNotFound; Conflict where it was stopped before: it needs a new secondary
     */
    Optional<CloudOperation> start(VolumeId primary, VolumeId secondary) throws ProviderException {
        var from = volumes.find(primary);
        var to = volumes.find(secondary);
        var state = to.replicationFrom(from).orElse(State.NONE);
        if (state == State.STOPPED || state == State.STOPPING) {
            throw new ProviderException(new ProviderError.Conflict(
                    secondary.toString(), "its replication was stopped and cannot go on: make a new secondary disk"));
        }
        if (state == State.ACTIVE || state == State.STARTING) {
            return Optional.empty();
        }
        String requestId = UUID.randomUUID().toString();
        return refuseFailed("startAsyncReplication of " + primary, attempts.until(() -> started(from, to, requestId)));
    }

    /** What a stop costs, to be told before. */
    static String costOfStop(VolumeId volume) {
        return ("replication of %s cannot go on once it is stopped: to replicate again a new secondary disk is needed,"
                        + " and all is copied anew")
                .formatted(volume);
    }

    /**
     * Stops, from either disk; the secondary can then be attached. Does nothing where it is stopped.
     *
     * @param newSecondaryAccepted that {@link #costOfStop} was read
     * @throws ProviderException Conflict where it is not accepted, or nothing is replicated
     */
    Optional<CloudOperation> stop(VolumeId volume, boolean newSecondaryAccepted) throws ProviderException {
        if (!newSecondaryAccepted) {
            throw new ProviderException(new ProviderError.Conflict(volume.toString(), costOfStop(volume)));
        }
        var disk = volumes.find(volume);
        return switch (disk.replication()) {
            case STOPPED, STOPPING -> Optional.empty();
            case NONE, CREATED ->
                throw new ProviderException(new ProviderError.Conflict(volume.toString(), "it is not replicated"));
            case STARTING, ACTIVE, UNKNOWN -> {
                String requestId = UUID.randomUUID().toString();
                yield refuseFailed("stopAsyncReplication of " + volume, attempts.until(() -> stopped(disk, requestId)));
            }
        };
    }

    /** As {@link #stop}, for all disks of a consistency group that are where this one is. */
    Optional<CloudOperation> stopGroup(CloudDisk disk, String policy) throws ProviderException {
        String asked = "stopGroupAsyncReplication of " + GceAnswers.lastOf(policy);
        String requestId = UUID.randomUUID().toString();
        return refuseFailed(asked, attempts.until(() -> groupStopped(asked, disk.location(), policy, requestId)));
    }

    private Optional<CloudOperation> groupStopped(String asked, GceLocation place, String policy, String requestId)
            throws ProviderException {
        var group = DisksStopGroupAsyncReplicationResource.newBuilder().setResourcePolicy(policy);
        if (place.isZone()) {
            var request = StopGroupAsyncReplicationDiskRequest.newBuilder()
                    .setProject(config.project())
                    .setZone(place.name())
                    .setRequestId(requestId)
                    .setDisksStopGroupAsyncReplicationResourceResource(group)
                    .build();
            return ask(asked, clients(asked).disks().stopGroupAsyncReplicationCallable(), request);
        }
        var request = StopGroupAsyncReplicationRegionDiskRequest.newBuilder()
                .setProject(config.project())
                .setRegion(place.name())
                .setRequestId(requestId)
                .setDisksStopGroupAsyncReplicationResourceResource(group)
                .build();
        return ask(asked, clients(asked).regionDisks().stopGroupAsyncReplicationCallable(), request);
    }

    private static Optional<CloudOperation> refuseFailed(String asked, Optional<CloudOperation> begun)
            throws ProviderException {
        if (begun.isPresent() && !begun.get().errorCode().isEmpty()) {
            throw GceFailures.exception(asked, begun.get());
        }
        return begun;
    }

    private Optional<CloudOperation> started(CloudDisk from, CloudDisk to, String requestId) throws ProviderException {
        String asked = "startAsyncReplication of %s/%s".formatted(from.location(), from.name());
        if (from.location().isZone()) {
            var request = StartAsyncReplicationDiskRequest.newBuilder()
                    .setProject(config.project())
                    .setZone(from.location().name())
                    .setDisk(from.name())
                    .setRequestId(requestId)
                    .setDisksStartAsyncReplicationRequestResource(
                            DisksStartAsyncReplicationRequest.newBuilder().setAsyncSecondaryDisk(to.link()))
                    .build();
            return ask(asked, clients(asked).disks().startAsyncReplicationCallable(), request);
        }
        var request = StartAsyncReplicationRegionDiskRequest.newBuilder()
                .setProject(config.project())
                .setRegion(from.location().name())
                .setDisk(from.name())
                .setRequestId(requestId)
                .setRegionDisksStartAsyncReplicationRequestResource(
                        RegionDisksStartAsyncReplicationRequest.newBuilder().setAsyncSecondaryDisk(to.link()))
                .build();
        return ask(asked, clients(asked).regionDisks().startAsyncReplicationCallable(), request);
    }

    private Optional<CloudOperation> stopped(CloudDisk disk, String requestId) throws ProviderException {
        String asked = "stopAsyncReplication of %s/%s".formatted(disk.location(), disk.name());
        if (disk.location().isZone()) {
            var request = StopAsyncReplicationDiskRequest.newBuilder()
                    .setProject(config.project())
                    .setZone(disk.location().name())
                    .setDisk(disk.name())
                    .setRequestId(requestId)
                    .build();
            return ask(asked, clients(asked).disks().stopAsyncReplicationCallable(), request);
        }
        var request = StopAsyncReplicationRegionDiskRequest.newBuilder()
                .setProject(config.project())
                .setRegion(disk.location().name())
                .setDisk(disk.name())
                .setRequestId(requestId)
                .build();
        return ask(asked, clients(asked).regionDisks().stopAsyncReplicationCallable(), request);
    }

    private static <Q> Optional<CloudOperation> ask(String asked, UnaryCallable<Q, Operation> call, Q request)
            throws ProviderException {
        return GceCalls.ask(
                asked, call, request, answer -> Optional.of(GceAnswers.operation(answer)), refusal -> Optional.empty());
    }

    private GceClients clients(String asked) throws ProviderException {
        try {
            var clients = connection.clients();
            clients.requireCredentials();
            return clients;
        } catch (IOException e) {
            throw GceFailures.withoutCredentials(asked, e);
        }
    }
}
