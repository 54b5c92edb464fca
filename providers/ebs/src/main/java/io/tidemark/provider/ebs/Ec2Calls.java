package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.CopySnapshotRequest;
import software.amazon.awssdk.services.ec2.model.CreateVolumeRequest;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.InstanceSpecification;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.Snapshot;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;
import software.amazon.awssdk.services.ec2.model.Volume;

/** What we ask of EC2, one call each, never repeated here. */
final class Ec2Calls {
    /** The most that both lists give at a time (API reference). */
    static final int PAGE_MAXIMUM = 1_000;

    private static final long GIB = 1L << 30;

    private final Ec2Client client;
    private final Runnable credentials;

    /** @param credentials looks for some, and throws what the SDK throws where there are none */
    Ec2Calls(Ec2Client client, Runnable credentials) {
        this.client = client;
        this.credentials = credentials;
    }

    /** One page; {@code next} is empty on the last. A page may be empty and not the last. */
    record Page<T>(List<T> items, Optional<String> next) {}

    /** What was asked may have been done; else the failure says that it was not. */
    static final class Uncertain extends Exception {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        private final transient ProviderException failure;

        Uncertain(ProviderException failure) {
            super(failure);
            this.failure = failure;
        }

        ProviderException failure() {
            return failure;
        }
    }

    /** @param filters names of EC2's filters with what they ask for; none: all volumes */
    Page<CloudVolume> volumes(Map<String, String> filters, Optional<String> next) throws ProviderException {
        var answer = ask(
                "DescribeVolumes",
                () -> client.describeVolumes(request -> request.filters(filters(filters))
                        .maxResults(PAGE_MAXIMUM)
                        .nextToken(next.orElse(null))));
        return new Page<>(answer.volumes().stream().map(Ec2Calls::volume).toList(), token(answer.nextToken()));
    }

    Page<CloudSnapshot> snapshots(Map<String, String> filters, Optional<String> next) throws ProviderException {
        // Without the owner the whole world's public snapshots are listed.
        var answer = ask(
                "DescribeSnapshots",
                () -> client.describeSnapshots(request -> request.ownerIds("self")
                        .filters(filters(filters))
                        .maxResults(PAGE_MAXIMUM)
                        .nextToken(next.orElse(null))));
        return new Page<>(answer.snapshots().stream().map(Ec2Calls::snapshot).toList(), token(answer.nextToken()));
    }

    /** The device name under which the instance has the volume that it boots from. */
    Optional<String> rootDevice(String instance) throws ProviderException {
        var answer = ask(
                "DescribeInstances of " + instance,
                () -> client.describeInstances(request -> request.instanceIds(instance)));
        return answer.reservations().stream()
                .flatMap(reservation -> reservation.instances().stream())
                .map(each -> each.rootDeviceName())
                .filter(name -> name != null && !name.isEmpty())
                .findFirst();
    }

    CloudSnapshot createSnapshot(String volume, Map<String, String> tags) throws ProviderException, Uncertain {
        var made = askOnce(
                "CreateSnapshot of " + volume,
                () -> client.createSnapshot(request -> request.volumeId(volume)
                        .description(EbsNames.description(tags))
                        .tagSpecifications(specification(ResourceType.SNAPSHOT, tags))));
        return new CloudSnapshot(
                made.snapshotId(),
                made.volumeId(),
                made.volumeSize() * GIB,
                made.stateAsString(),
                0,
                "",
                "standard",
                made.startTime(),
                tags);
    }

    /**
     * Of several volumes of one instance, at one instant; they carry no tag that tells which volume is whose but EC2's own
     * {@code volumeId}, so the volume's tag is added after.
     *
     * @param leftOut data volumes of the instance that are not to be cut, at most 40
     */
    List<CloudSnapshot> createSnapshots(
            String instance, boolean withBoot, List<String> leftOut, Map<String, String> tags)
            throws ProviderException, Uncertain {
        var made = askOnce(
                "CreateSnapshots of " + instance,
                () -> client.createSnapshots(request -> request.instanceSpecification(InstanceSpecification.builder()
                                .instanceId(instance)
                                .excludeBootVolume(!withBoot)
                                .excludeDataVolumeIds(leftOut)
                                .build())
                        .description(EbsNames.description(tags))
                        .tagSpecifications(specification(ResourceType.SNAPSHOT, tags))));
        return made.snapshots().stream()
                .map(each -> new CloudSnapshot(
                        each.snapshotId(),
                        each.volumeId(),
                        each.volumeSize() * GIB,
                        each.stateAsString(),
                        0,
                        "",
                        "standard",
                        each.startTime(),
                        tags))
                .toList();
    }

    /**
     * Asks for a copy in this client's region; it is pending until Amazon has copied it.
     *
     * @param region where the source is; where it is in none of the region the copy is made all the same, is pending for
     *     minutes and ends in error (terraform-provider-aws, pull request 3086)
     * @param here this client's region: the SDK signs for it, and reads it from the address else, which may be any
     * @param key that the copy is encrypted by; Amazon looks at it afterwards, so that a wrong one ends in error too
     * @return the copy's id
     */
    String copySnapshot(String region, String source, String here, Optional<String> key, Map<String, String> tags)
            throws ProviderException, Uncertain {
        var request = CopySnapshotRequest.builder()
                .sourceRegion(region)
                .sourceSnapshotId(source)
                .destinationRegion(here)
                .description(EbsNames.description(tags))
                .tagSpecifications(specification(ResourceType.SNAPSHOT, tags));
        key.ifPresent(id -> request.encrypted(true).kmsKeyId(id));
        return askOnce("CopySnapshot of " + source, () -> client.copySnapshot(request.build()))
                .snapshotId();
    }

    /** @return whether there was one */
    boolean deleteSnapshot(String snapshot) throws ProviderException {
        return done(
                "DeleteSnapshot of " + snapshot, () -> client.deleteSnapshot(request -> request.snapshotId(snapshot)));
    }

    void tag(String resource, Map<String, String> tags) throws ProviderException {
        ask(
                "CreateTags of " + resource,
                () -> client.createTags(request -> request.resources(resource).tags(tags(tags))));
    }

    /** Does nothing where the resource is gone, or has no such tag. */
    void untag(String resource, String key) throws ProviderException {
        var unused = done(
                "DeleteTags of " + resource,
                () -> client.deleteTags(request ->
                        request.resources(resource).tags(Tag.builder().key(key).build())));
    }

    /** @param token asks for one volume, however often it is sent with the same rest */
    CloudVolume createVolume(String snapshot, String zone, String token, Map<String, String> tags)
            throws ProviderException {
        var request = CreateVolumeRequest.builder()
                .snapshotId(snapshot)
                .availabilityZone(zone)
                .clientToken(token)
                .tagSpecifications(specification(ResourceType.VOLUME, tags))
                .build();
        var made = ask("CreateVolume of " + snapshot, () -> client.createVolume(request));
        return new CloudVolume(
                made.volumeId(),
                made.size() * GIB,
                made.stateAsString(),
                String.valueOf(made.volumeTypeAsString()),
                made.availabilityZone(),
                Boolean.TRUE.equals(made.encrypted()),
                Optional.ofNullable(made.snapshotId()),
                List.of(),
                tags);
    }

    void deleteVolume(String volume) throws ProviderException {
        var unused = done("DeleteVolume of " + volume, () -> client.deleteVolume(request -> request.volumeId(volume)));
    }

    /** Asks once; the failure says what of. */
    <T> T ask(String asked, Supplier<T> call) throws ProviderException {
        try {
            return call.get();
        } catch (SdkException e) {
            throw failed(asked, e);
        }
    }

    /** Why it failed: where nobody could be logged in, nothing was asked. */
    private ProviderException failed(String asked, SdkException failure) {
        try {
            credentials.run();
            return AwsFailures.of(asked, failure);
        } catch (SdkException e) {
            return AwsFailures.withoutCredentials(asked, e);
        }
    }

    private <T> T askOnce(String asked, Supplier<T> call) throws ProviderException, Uncertain {
        try {
            credentials.run();
        } catch (SdkException e) {
            throw AwsFailures.withoutCredentials(asked, e);
        }
        try {
            return call.get();
        } catch (SdkException e) {
            if (AwsFailures.mayHaveBeenDone(e)) {
                throw new Uncertain(AwsFailures.of(asked, e));
            }
            throw AwsFailures.of(asked, e);
        }
    }

    private <T> boolean done(String asked, Supplier<T> call) throws ProviderException {
        try {
            var unused = call.get();
            return true;
        } catch (SdkException e) {
            if (!AwsFailures.isNotFound(e)) {
                throw failed(asked, e);
            }
            return false;
        }
    }

    static List<Filter> filters(Map<String, String> filters) {
        return filters.entrySet().stream()
                .map(each -> Filter.builder()
                        .name(each.getKey())
                        .values(each.getValue())
                        .build())
                .toList();
    }

    private static TagSpecification specification(ResourceType kind, Map<String, String> tags) {
        return TagSpecification.builder().resourceType(kind).tags(tags(tags)).build();
    }

    private static List<Tag> tags(Map<String, String> tags) {
        return tags.entrySet().stream()
                .map(each ->
                        Tag.builder().key(each.getKey()).value(each.getValue()).build())
                .toList();
    }

    private static Map<String, String> tags(List<Tag> tags) {
        var map = new LinkedHashMap<String, String>();
        tags.forEach(tag -> map.put(tag.key(), tag.value()));
        return map;
    }

    static Optional<String> token(String next) {
        return Optional.ofNullable(next).filter(text -> !text.isEmpty());
    }

    private static CloudVolume volume(Volume told) {
        var attachments = new ArrayList<CloudVolume.Attachment>();
        for (var each : told.attachments()) {
            if (each.instanceId() != null) {
                attachments.add(new CloudVolume.Attachment(each.instanceId(), String.valueOf(each.device())));
            }
        }
        return new CloudVolume(
                told.volumeId(),
                told.size() * GIB,
                told.stateAsString(),
                String.valueOf(told.volumeTypeAsString()),
                told.availabilityZone(),
                Boolean.TRUE.equals(told.encrypted()),
                Optional.ofNullable(told.snapshotId()).filter(text -> !text.isEmpty()),
                attachments,
                tags(told.tags()));
    }

    private static CloudSnapshot snapshot(Snapshot told) {
        return new CloudSnapshot(
                        told.snapshotId(),
                        String.valueOf(told.volumeId()),
                        told.volumeSize() * GIB,
                        told.stateAsString().toLowerCase(Locale.ROOT),
                        progress(told.progress()),
                        told.stateMessage() == null ? "" : told.stateMessage(),
                        told.storageTierAsString() == null ? "standard" : told.storageTierAsString(),
                        told.startTime(),
                        tags(told.tags()))
                .asCut();
    }

    /** Amazon's {@code 37%}, or nothing. */
    private static double progress(String text) {
        return text != null && text.matches("[0-9]{1,3}%?")
                ? Math.min(1, Integer.parseInt(text.replace("%", "")) / 100.0)
                : 0;
    }
}
