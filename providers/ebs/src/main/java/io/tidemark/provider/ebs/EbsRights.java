package io.tidemark.provider.ebs;

import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.LockMode;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.Snapshot;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;
import software.amazon.awssdk.services.ec2.model.TargetStorageTier;
import software.amazon.awssdk.services.ec2.model.Volume;

/**
 * Asks right by right whether the account grants it, by dry runs, which change nothing: EC2 answers {@code DryRunOperation} where
 * it does, {@code UnauthorizedOperation} where not ("Common request parameters", EC2 API reference). Credentials that
 * it refuses leave all rights lacking that every installation needs, no answer to the first question leaves that one
 * lacking. Rights are granted for what carries our tag, so a thing of ours is needed to ask about. EBS direct and KMS know no dry runs.
 */
final class EbsRights {
    /** The fewest that a page may have (API reference). */
    private static final int PAGE_MINIMUM = 5;

    private static final int PAGES_MAXIMUM = 20;

    /** Cannot be asked; as in {@link EbsPolicy}. */
    private static final List<String> WITHOUT_DRY_RUN = List.of(
            "ebs:ListSnapshotBlocks",
            "ebs:ListChangedBlocks",
            "ebs:GetSnapshotBlock",
            "ebs:StartSnapshot",
            "ebs:PutSnapshotBlock",
            "ebs:CompleteSnapshot",
            "kms:DescribeKey",
            "kms:Decrypt",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
            "kms:CreateGrant");

    /** The other refusals are of who asks, not of what is asked. */
    private static final Set<String> NOT_GRANTED =
            Set.of("UnauthorizedOperation", "AccessDenied", "AccessDeniedException");

    private final Ec2Client client;
    private final EbsConfig config;
    private final List<HostRequirement> found = new ArrayList<>();
    /** An emulator may do what it is asked to only pretend; what is asked first changes nothing in any case. */
    private boolean ignoresDryRuns;
    /** The first question had no answer: the others would each wait for one. */
    private boolean isSilent;

    EbsRights(AwsClients clients, EbsConfig config) {
        this.client = clients.ec2();
        this.config = config;
    }

    /** A call that is refused in any case: granted or not. */
    private interface DryRun {
        void ask();
    }

    /** What a command of its own needs, and nothing else does, is no reason to say that the provider does not work. */
    private enum Need {
        ALWAYS,
        ONE_COMMAND
    }

    List<HostRequirement> all() {
        looks();
        var volume = first(Optional.empty());
        var ours = first(Optional.of(config.installation()));
        var snapshot = ourSnapshot();
        ofVolume(volume);
        ofSnapshot(snapshot, volume);
        asked(
                "ec2:DeleteVolume",
                Need.ALWAYS,
                ours.map(each -> () -> client.deleteVolume(
                        request -> request.volumeId(each.volumeId()).dryRun(true))),
                "a volume that we made");
        WITHOUT_DRY_RUN.forEach(right ->
                found.add(new HostRequirement(right, State.LIMITED, "not checkable: Amazon has no dry run of it")));
        return List.copyOf(found);
    }

    private void looks() {
        asked("ec2:DescribeVolumes", Need.ALWAYS, () -> client.describeVolumes(request -> request.dryRun(true)));
        asked(
                "ec2:DescribeSnapshots",
                Need.ALWAYS,
                () -> client.describeSnapshots(
                        request -> request.ownerIds("self").dryRun(true)));
        asked("ec2:DescribeInstances", Need.ALWAYS, () -> client.describeInstances(request -> request.dryRun(true)));
        asked(
                "ec2:DescribeLockedSnapshots",
                Need.ALWAYS,
                () -> client.describeLockedSnapshots(request -> request.dryRun(true)));
        asked(
                "ec2:DescribeSnapshotTierStatus",
                Need.ONE_COMMAND,
                () -> client.describeSnapshotTierStatus(request -> request.dryRun(true)));
        asked(
                "ec2:DescribeFastSnapshotRestores",
                Need.ONE_COMMAND,
                () -> client.describeFastSnapshotRestores(request -> request.dryRun(true)));
        asked(
                "ec2:ListSnapshotsInRecycleBin",
                Need.ONE_COMMAND,
                () -> client.listSnapshotsInRecycleBin(request -> request.dryRun(true)));
    }

    private void ofVolume(Optional<Volume> volume) {
        var attached = volume.filter(each -> !each.attachments().isEmpty())
                .map(each -> each.attachments().getFirst().instanceId());
        asked(
                "ec2:CreateSnapshot",
                Need.ALWAYS,
                volume.map(each -> () -> client.createSnapshot(request -> request.volumeId(each.volumeId())
                        .tagSpecifications(tags(ResourceType.SNAPSHOT))
                        .dryRun(true))),
                "a volume");
        asked(
                "ec2:CreateSnapshots",
                Need.ALWAYS,
                attached.map(instance -> () -> client.createSnapshots(
                        request -> request.instanceSpecification(each -> each.instanceId(instance))
                                .tagSpecifications(tags(ResourceType.SNAPSHOT))
                                .dryRun(true))),
                "a volume that an instance has");
    }

    private void ofSnapshot(Optional<Snapshot> snapshot, Optional<Volume> volume) {
        var id = snapshot.map(Snapshot::snapshotId);
        var zone = volume.map(Volume::availabilityZone).or(config::zone);
        asked(
                "ec2:CreateVolume",
                Need.ALWAYS,
                zone.flatMap(in -> id.map(each -> () -> client.createVolume(request -> request.snapshotId(each)
                        .availabilityZone(in)
                        .tagSpecifications(tags(ResourceType.VOLUME))
                        .dryRun(true)))),
                "a snapshot of ours and a zone");
        ours(
                "ec2:CopySnapshot",
                Need.ONE_COMMAND,
                id,
                each -> client.copySnapshot(request -> request.sourceSnapshotId(each)
                        .sourceRegion(config.region())
                        .destinationRegion(config.region())
                        .tagSpecifications(tags(ResourceType.SNAPSHOT))
                        .dryRun(true)));
        ours(
                "ec2:CreateTags",
                Need.ALWAYS,
                id,
                each -> client.createTags(
                        request -> request.resources(each).tags(hold()).dryRun(true)));
        ours(
                "ec2:DeleteTags",
                Need.ALWAYS,
                id,
                each -> client.deleteTags(
                        request -> request.resources(each).tags(hold()).dryRun(true)));
        ours(
                "ec2:DeleteSnapshot",
                Need.ALWAYS,
                id,
                each -> client.deleteSnapshot(
                        request -> request.snapshotId(each).dryRun(true)));
        protections(id);
        fastRestores(id, zone);
    }

    private void protections(Optional<String> id) {
        ours(
                "ec2:LockSnapshot",
                Need.ONE_COMMAND,
                id,
                each -> client.lockSnapshot(request -> request.snapshotId(each)
                        .lockMode(LockMode.GOVERNANCE)
                        .lockDuration(1)
                        .dryRun(true)));
        ours(
                "ec2:UnlockSnapshot",
                Need.ONE_COMMAND,
                id,
                each -> client.unlockSnapshot(
                        request -> request.snapshotId(each).dryRun(true)));
        ours(
                "ec2:ModifySnapshotTier",
                Need.ONE_COMMAND,
                id,
                each -> client.modifySnapshotTier(request -> request.snapshotId(each)
                        .storageTier(TargetStorageTier.ARCHIVE)
                        .dryRun(true)));
        ours(
                "ec2:RestoreSnapshotTier",
                Need.ONE_COMMAND,
                id,
                each -> client.restoreSnapshotTier(request ->
                        request.snapshotId(each).permanentRestore(true).dryRun(true)));
        ours(
                "ec2:RestoreSnapshotFromRecycleBin",
                Need.ONE_COMMAND,
                id,
                each -> client.restoreSnapshotFromRecycleBin(
                        request -> request.snapshotId(each).dryRun(true)));
    }

    private void fastRestores(Optional<String> snapshot, Optional<String> zone) {
        var in = zone.orElse(config.region() + "a");
        ours(
                "ec2:EnableFastSnapshotRestores",
                Need.ONE_COMMAND,
                snapshot,
                each -> client.enableFastSnapshotRestores(request ->
                        request.sourceSnapshotIds(each).availabilityZones(in).dryRun(true)));
        ours(
                "ec2:DisableFastSnapshotRestores",
                Need.ONE_COMMAND,
                snapshot,
                each -> client.disableFastSnapshotRestores(request ->
                        request.sourceSnapshotIds(each).availabilityZones(in).dryRun(true)));
    }

    private interface OfSnapshot {
        void ask(String snapshot);
    }

    private void ours(String right, Need need, Optional<String> snapshot, OfSnapshot call) {
        asked(right, need, snapshot.map(each -> () -> call.ask(each)), "a snapshot of ours");
    }

    /** @param about what there has to be for it to be asked about */
    private void asked(String right, Need need, Optional<DryRun> call, String about) {
        call.ifPresentOrElse(
                each -> asked(right, need, each),
                () -> found.add(new HostRequirement(
                        right, State.LIMITED, "not checkable yet: there is not %s to ask about".formatted(about))));
    }

    private void asked(String right, Need need, DryRun call) {
        found.add(answer(right, need, call));
    }

    private HostRequirement answer(String right, Need need, DryRun call) {
        if (ignoresDryRuns || isSilent) {
            return new HostRequirement(
                    right,
                    State.LIMITED,
                    isSilent ? "not asked: nobody answers" : "not asked: what answers there does not heed dry runs");
        }
        try {
            call.ask();
            ignoresDryRuns = true;
            return new HostRequirement(right, State.LIMITED, "not told: the dry run was answered as if it were none");
        } catch (AwsServiceException e) {
            return answered(right, need, e);
        } catch (SdkException e) {
            isSilent = found.isEmpty();
            return isSilent
                    ? new HostRequirement(right, State.LACKING, "Amazon cannot be asked: " + AwsFailures.messageOf(e))
                    : new HostRequirement(right, State.LIMITED, "not told: " + AwsFailures.messageOf(e));
        }
    }

    private static HostRequirement answered(String right, Need need, AwsServiceException answer) {
        var code = AwsFailures.codeOf(answer);
        if (code.equals("DryRunOperation")) {
            return new HostRequirement(right, State.MET, "granted");
        }
        var told = "%s: %s".formatted(code, AwsFailures.messageOf(answer));
        if (!AwsFailures.isDenied(answer)) {
            return new HostRequirement(right, State.LIMITED, "not told: " + told);
        }
        if (!NOT_GRANTED.contains(code)) {
            return new HostRequirement(
                    right,
                    need == Need.ALWAYS ? State.LACKING : State.LIMITED,
                    "Amazon refuses the credentials: " + told);
        }
        return need == Need.ALWAYS
                ? new HostRequirement(right, State.LACKING, "grant it: tidemark providers policy ebs")
                : new HostRequirement(
                        right, State.LIMITED, "not granted, so that one command fails: tidemark providers policy ebs");
    }

    /** One that an instance has, if there is one. */
    private Optional<Volume> first(Optional<String> installation) {
        if (isSilent) {
            return Optional.empty();
        }
        try {
            return client
                    .describeVolumes(request -> {
                        request.maxResults(Ec2Calls.PAGE_MAXIMUM);
                        installation.ifPresent(each ->
                                request.filters(Ec2Calls.filters(Map.of("tag:" + EbsNames.INSTALLATION, each))));
                    })
                    .volumes()
                    .stream()
                    .min(Comparator.comparing(each -> each.attachments().isEmpty()));
        } catch (SdkException e) {
            // That it may not look is told of the right itself.
            return Optional.empty();
        }
    }

    private Optional<Snapshot> ourSnapshot() {
        if (isSilent) {
            return Optional.empty();
        }
        try {
            String next = null;
            for (int page = 0; page < PAGES_MAXIMUM; page++) {
                var token = next;
                var answer = client.describeSnapshots(request -> request.ownerIds("self")
                        .filters(Ec2Calls.filters(Map.of("tag:" + EbsNames.INSTALLATION, config.installation())))
                        .maxResults(PAGE_MINIMUM)
                        .nextToken(token));
                next = answer.nextToken();
                if (!answer.snapshots().isEmpty() || next == null || next.isEmpty()) {
                    return answer.snapshots().stream().findFirst();
                }
            }
            return Optional.empty();
        } catch (SdkException e) {
            return Optional.empty();
        }
    }

    private static Tag hold() {
        return Tag.builder().key(EbsNames.HOLD + "check").value("").build();
    }

    /** As those of a snapshot or volume that is made: rights to tag are asked about with those to make. */
    private TagSpecification tags(ResourceType kind) {
        var none = new SnapshotId(VolumeId.of(EbsNames.PROVIDER, "check"), new RecoveryPointId("rp-check"));
        var tags = new LinkedHashMap<>(EbsNames.tagsOf(config.installation(), none));
        return TagSpecification.builder()
                .resourceType(kind)
                .tags(tags.entrySet().stream()
                        .map(each -> Tag.builder()
                                .key(each.getKey())
                                .value(each.getValue())
                                .build())
                        .toList())
                .build();
    }
}
