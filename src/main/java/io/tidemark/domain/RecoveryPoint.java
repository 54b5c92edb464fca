package io.tidemark.domain;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The snapshots of one group taken together, with the consistency that was achieved.
 *
 * @param group the group it was taken of; on a target, the source site's name for it
 * @param members one a volume; on a target, the volumes are the target's own
 * @param evidence texts kept with it: {@code backup_label}, {@code tablespace_map}; each at most 1 MiB
 * @param receivedOver the link that brought it here; empty where it was taken here
 * @param attestation the statement of the host that took it, signed; empty where nothing was frozen or asked, and
 *     of a group over several hosts, each of which signs its own part
 * @param hosts the parts of a group over several hosts; empty where it is of one
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
        Optional<String> attestation,
        List<OfHost> hosts) {

    /** Of one host. */
    public RecoveryPoint(
            RecoveryPointId id,
            GroupId group,
            Instant createdAt,
            Consistency consistency,
            Certificate certificate,
            List<Member> members,
            Map<String, String> evidence,
            Optional<LinkId> receivedOver,
            Optional<String> attestation) {
        this(id, group, createdAt, consistency, certificate, members, evidence, receivedOver, attestation, List.of());
    }

    /**
     * One host's part of a group over several.
     *
     * @param agent as the controller names the host, {@link Certificate.Order#HERE} for its own
     * @param point as that host took and signed it, its volumes named as they are there
     */
    public record OfHost(String agent, RecoveryPoint point) {
        public OfHost {
            Objects.requireNonNull(agent, "agent");
            Objects.requireNonNull(point, "point");
        }

        /** Its members as the controller names them. */
        public List<Member> members() {
            return point.members().stream()
                    .map(member -> agent.equals(Certificate.Order.HERE) ? member : member.at(agent))
                    .toList();
        }
    }

    /**
     * Of several hosts: all that it says follows from what each of them has signed, and from the consistency that
     * follows from that.
     *
     * @param reasons why the consistency is not higher
     */
    public static RecoveryPoint overHosts(List<OfHost> hosts, Consistency consistency, List<String> reasons) {
        var first = hosts.getFirst().point();
        var newest = hosts.stream()
                .map(host -> host.point().createdAt())
                .max(Comparator.naturalOrder())
                .orElseThrow();
        return new RecoveryPoint(
                first.id(),
                first.group(),
                newest,
                consistency,
                new Certificate("", "", List.of(), List.of(), false, reasons),
                hosts.stream().flatMap(host -> host.members().stream()).toList(),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                hosts);
    }

    public record Member(VolumeId volume, SnapshotId snapshot, long sizeBytes) {
        public Member {
            Objects.requireNonNull(volume, "volume");
            Objects.requireNonNull(snapshot, "snapshot");
        }

        /** As a controller names this member of an agent's host. */
        Member at(String agent) {
            return new Member(volume.at(agent), new SnapshotId(volume.at(agent), snapshot.recoveryPoint()), sizeBytes);
        }
    }

    /** It also comes from other sites, as JSON: what is missing there must show here, not when it is recorded. Hosts are not told by earlier versions. */
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
        hosts = hosts == null ? List.of() : List.copyOf(hosts);
    }

    /** The longest that a host's file systems were frozen; empty when none was. */
    public OptionalLong freezeWindowNanos() {
        return hosts.isEmpty()
                ? certificate.freezeWindowNanos()
                : hosts.stream()
                        .flatMapToLong(host -> host.point().certificate().freezeWindowNanos().stream())
                        .max();
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
                id, group, createdAt, consistency, certificate, all, evidence, receivedOver, attestation, hosts);
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
                Optional.of(statement),
                hosts);
    }
}
