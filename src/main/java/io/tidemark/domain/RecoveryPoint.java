package io.tidemark.domain;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The snapshots of one group taken together, with the consistency that was achieved.
 *
 * @param group the group it was taken of; on a target, the source site's name for it
 * @param members one a volume; on a target, the volumes are the target's own
 * @param evidence texts kept with it: {@code backup_label}, {@code tablespace_map}; each at most 1 MiB
 * @param receivedOver the link that brought it here; empty where it was taken here
 * @param attestation the statement of the host that took it, signed; empty where nothing was frozen or asked
 */
public record RecoveryPoint(
        RecoveryPointId id,
        GroupId group,
        Instant createdAt,
        Consistency consistency,
        Certificate certificate,
        List<Member> members,
        Map<String, String> evidence,
        Optional<LinkId> receivedOver,
        Optional<String> attestation) {

    public record Member(VolumeId volume, SnapshotId snapshot, long sizeBytes) {
        public Member {
            Objects.requireNonNull(volume, "volume");
            Objects.requireNonNull(snapshot, "snapshot");
        }
    }

    /** It also comes from other sites, as JSON: what is missing there must show here, not when it is recorded. */
    public RecoveryPoint {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(group, "group");
        Objects.requireNonNull(createdAt, "createdAt");
        Objects.requireNonNull(consistency, "consistency");
        Objects.requireNonNull(certificate, "certificate");
        Objects.requireNonNull(receivedOver, "receivedOver");
        Objects.requireNonNull(attestation, "attestation");
        members = List.copyOf(members);
        evidence = Map.copyOf(evidence);
    }

    public Optional<SnapshotId> snapshotOf(VolumeId volume) {
        return members.stream()
                .filter(member -> member.volume().equals(volume))
                .map(Member::snapshot)
                .findFirst();
    }

    /** The same with more members, of volumes that it has none of yet. */
    public RecoveryPoint with(List<Member> more) {
        var all = new ArrayList<>(members);
        all.addAll(more);
        return new RecoveryPoint(
                id, group, createdAt, consistency, certificate, all, evidence, receivedOver, attestation);
    }

    public RecoveryPoint attested(String statement) {
        return new RecoveryPoint(
                id,
                group,
                createdAt,
                consistency,
                certificate,
                members,
                evidence,
                receivedOver,
                Optional.of(statement));
    }
}
