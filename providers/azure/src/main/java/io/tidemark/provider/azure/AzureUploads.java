package io.tidemark.provider.azure;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import io.tidemark.spi.VolumeWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Disks that are written from here ("Upload a VHD to Azure"): made to be uploaded to, written through a signature, and
 * a disk like others once the signature is revoked, which the first cut does. From then on Azure gives no signature to
 * write it any more, so a volume is written once: changes are no way into it.
 */
final class AzureUploads {
    private static final long MIB = 1L << 20;
    /** {@code uploadSizeBytes}, Compute's REST reference, less the footer. */
    static final long SIZE_MINIMUM_BYTES = 20 * MIB;

    static final long SIZE_MAXIMUM_BYTES = 32L << 40;
    private static final Duration CREATION_MAXIMUM = Duration.ofSeconds(60);
    /** From the end of its signature until it is seen as a disk like others. */
    private static final Duration END_MAXIMUM = Duration.ofSeconds(60);

    private static final Duration PAUSE = Duration.ofSeconds(2);
    private static final Duration ASK_AGAIN = Duration.ofSeconds(15);
    private static final String SKU = "StandardSSD_LRS";

    private final DiskCalls calls;
    private final AccessCalls access;
    private final BlobCalls blobs;
    private final Attempts attempts;
    private final ArmGate gate;
    private final AzureConfig config;
    private final InstantSource clock;
    /** Ids of disks that a writer of this process has. */
    private final Set<String> written = ConcurrentHashMap.newKeySet();
    /** Ids of disks of which this process knows that what was written last, if anything was, is flushed. */
    private final Set<String> flushed = ConcurrentHashMap.newKeySet();

    AzureUploads(
            DiskCalls calls,
            AccessCalls access,
            BlobCalls blobs,
            Attempts attempts,
            ArmGate gate,
            AzureConfig config,
            InstantSource clock) {
        this.calls = calls;
        this.access = access;
        this.blobs = blobs;
        this.attempts = attempts;
        this.gate = gate;
        this.config = config;
        this.clock = clock;
    }

    /** Made by its name, so that asking twice makes one. */
    CloudDisk create(VolumeId volume, long sizeBytes) throws ProviderException {
        if (sizeBytes % MIB != 0 || sizeBytes < SIZE_MINIMUM_BYTES || sizeBytes > SIZE_MAXIMUM_BYTES) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(),
                    "a disk that is uploaded to has whole MiB, from 20 MiB to 32 TiB, not %d bytes"
                            .formatted(sizeBytes)));
        }
        AzureNames.refuseUntold(config, volume);
        var place = AzureNames.placeOf(config, volume);
        var known = attempts.until(() -> calls.disk(place.group(), place.name()));
        if (known.isPresent()) {
            boolean isIt = known.get().isOf(config.installation())
                    && known.get().isUploading()
                    && known.get().sizeBytes() == sizeBytes;
            if (!isIt) {
                throw new ProviderException(new ProviderError.VolumeExists(volume));
            }
        }
        boolean isToBeMade = known.isEmpty() || known.get().state().equals(CloudSnapshot.FAILED);
        if (isToBeMade) {
            var wanted = wanted(place, sizeBytes);
            flushed.add(wanted.id());
            attempts.until(() -> calls.createUpload(wanted));
        }
        return whole(volume, place);
    }

    private CloudDisk whole(VolumeId volume, AzureNames.Place place) throws ProviderException {
        Instant until = clock.instant().plus(CREATION_MAXIMUM);
        while (clock.instant().isBefore(until)) {
            var found = attempts.until(() -> calls.disk(place.group(), place.name()));
            var state = found.map(CloudDisk::state).orElse("");
            if (state.equals(CloudSnapshot.SUCCEEDED)) {
                return found.orElseThrow();
            }
            if (state.equals(CloudSnapshot.FAILED)) {
                throw new ProviderException(new ProviderError.Unexpected(
                        "the creation of " + volume, "it ended as Failed at Azure; ask again"));
            }
            gate.pause(volume.toString(), PAUSE);
        }
        throw new ProviderException(new ProviderError.Busy(
                volume.toString(),
                "Azure, which has been making it for %d s".formatted(CREATION_MAXIMUM.toSeconds()),
                ASK_AGAIN));
    }

    private CloudDisk wanted(AzureNames.Place place, long sizeBytes) {
        var tags = new LinkedHashMap<String, String>();
        tags.put(AzureNames.INSTALLATION, config.installation());
        tags.put(AzureNames.SIZE, String.valueOf(sizeBytes));
        config.onlyTagged().ifPresent(tag -> tags.put(tag.key(), tag.value()));
        return new CloudDisk(
                AzureNames.armId(config, place.group(), "disks", place.name()),
                config.location(),
                sizeBytes,
                SKU,
                "",
                "",
                Optional.empty(),
                List.of(),
                Map.copyOf(tags));
    }

    /** @throws ProviderException Conflict where it is no disk to be written from here, or no longer */
    VolumeWriter write(VolumeId volume, CloudDisk disk) throws ProviderException {
        if (!disk.isOf(config.installation()) || !disk.isUploading()) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(),
                    "Azure lets only a disk that was made to be uploaded to be written from here, and until its first"
                            + " snapshot: write into a new volume, or a clone from a machine"));
        }
        if (!written.add(disk.id())) {
            throw new ProviderException(new ProviderError.Busy(volume.toString(), "another writer", ASK_AGAIN));
        }
        try {
            return new UploadWriter(volume, disk, access, blobs, flushed, () -> written.remove(disk.id()));
        } catch (ProviderException | RuntimeException e) {
            written.remove(disk.id());
            throw e;
        }
    }

    /**
     * Ends the upload: the footer, and no signature any more. What was not flushed is not in it. Asked for again after
     * a failure or a death it does the rest.
     *
     * @throws ProviderException Busy while somebody of this process writes; Conflict where the upload is somebody
     *     else's, its writer was closed before it had flushed what it wrote, so that more is to come, or another
     *     process wrote it and none of this has flushed it
     */
    void finish(VolumeId volume, CloudDisk disk) throws ProviderException {
        if (!disk.isUploading()) {
            return;
        }
        if (!disk.isOf(config.installation())) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(),
                    "somebody else uploads into it, and a cut would end that: cut it when the upload is at its end"));
        }
        if (!written.add(disk.id())) {
            throw new ProviderException(new ProviderError.Busy(volume.toString(), "its writer", ASK_AGAIN));
        }
        try {
            refuseUnflushed(volume, disk);
            var address = access.grant(disk);
            try {
                blobs.put(address, disk.sizeBytes(), VhdFooter.of(disk.sizeBytes(), disk.id()));
            } catch (BlobCalls.Refused e) {
                throw new ProviderException(
                        new ProviderError.Denied(volume.toString(), "a signature that Azure does not refuse"), e);
            }
            access.end(disk);
            var place = new AzureNames.Place(disk.group(), disk.name());
            Instant until = clock.instant().plus(END_MAXIMUM);
            while (attempts.until(() -> calls.disk(place.group(), place.name()))
                    .filter(each -> !each.isUploading())
                    .isEmpty()) {
                if (!clock.instant().isBefore(until)) {
                    throw new ProviderException(new ProviderError.Busy(
                            volume.toString(),
                            "Azure, which has been ending its upload for %d s".formatted(END_MAXIMUM.toSeconds()),
                            ASK_AGAIN));
                }
                gate.pause(volume.toString(), PAUSE);
            }
            flushed.remove(disk.id());
        } finally {
            written.remove(disk.id());
        }
    }

    /**
     * While writers are held.
     *
     * @throws ProviderException Busy
     */
    static void refuseUploading(VolumeId volume, CloudDisk disk) throws ProviderException {
        if (disk.isUploading()) {
            throw new ProviderException(
                    new ProviderError.Busy(volume.toString(), "its upload, which a cut's preparation ends", ASK_AGAIN));
        }
    }

    private void refuseUnflushed(VolumeId volume, CloudDisk disk) throws ProviderException {
        if (!flushed.contains(disk.id())) {
            throw new ProviderException(new ProviderError.Conflict(
                    volume.toString(),
                    "what was written into it was not flushed, or by a process before this one, and the first cut ends"
                            + " its upload: write the rest, such as by the link's next synchronisation, or remove it"));
        }
    }

    /** Before it is removed: while a signature opens it, Azure does not. */
    void end(CloudDisk disk) throws ProviderException {
        if (disk.isUploading()) {
            access.end(disk);
            flushed.remove(disk.id());
        }
    }
}
