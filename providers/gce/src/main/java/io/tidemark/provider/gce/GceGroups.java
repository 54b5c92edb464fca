package io.tidemark.provider.gce;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.gce.GroupCalls.Group;
import io.tidemark.provider.gce.GroupCalls.Member;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Disks of one consistency group are cut at one instant by a group of instant snapshots. Those lie beside their disks
 * and die with them, so each is made a snapshot of the project afterwards, and the group is deleted once all are. Who
 * dies meanwhile leaves the group, whose name and description say of which recovery point it is: the next to look goes
 * on.
 */
final class GceGroups {
    private static final String MARK = "tidemark";
    /** Of a description: the mark, installation and recovery point; the number of disks follows. */
    private static final int MARK_WORDS = 3;

    /** A group takes so many ("Manage consistency groups"). */
    private static final int DISKS_MAXIMUM = 128;

    private final GroupCalls groups;
    private final GceCalls calls;
    private final Attempts attempts;
    /** In the cut, whose own end bounds what is asked again. */
    private final Attempts once;

    private final GceConfig config;
    private final InstantUploads uploads;
    private final InstantSource clock;

    GceGroups(
            GroupCalls groups,
            GceCalls calls,
            Attempts attempts,
            GceConfig config,
            InstantUploads uploads,
            InstantSource clock) {
        this.clock = clock;
        this.groups = groups;
        this.calls = calls;
        this.attempts = attempts;
        this.once = attempts.once();
        this.config = config;
        this.uploads = uploads;
    }

    /**
     * @param policy link of the consistency group
     * @param disks how many it has there
     */
    record Together(GceLocation location, String policy, int disks) {}

    /**
     * Where these disks are all that one consistency group has in one place: a group of snapshots takes all its
     * disks.
     */
    Optional<Together> together(Map<VolumeId, CloudDisk> asked) throws ProviderException {
        boolean named =
                asked.keySet().stream().allMatch(each -> GceNames.diskOf(each).isPresent());
        var places = new HashSet<GceLocation>();
        asked.values().forEach(each -> places.add(each.location()));
        if (asked.size() < 2 || asked.size() > DISKS_MAXIMUM || places.size() != 1 || !named) {
            return Optional.empty();
        }
        var common = new ArrayList<String>(asked.values().iterator().next().policies());
        asked.values().forEach(each -> common.retainAll(each.policies()));
        var place = places.iterator().next();
        for (var policy : common) {
            if (attempts.until(() -> calls.isConsistencyGroup(place.region(), GceAnswers.lastOf(policy)))
                    && count(place, policy) == asked.size()) {
                return Optional.of(new Together(place, policy, asked.size()));
            }
        }
        return Optional.empty();
    }

    /** Those too that the configuration does not show. */
    private long count(GceLocation place, String policy) throws ProviderException {
        var all = GceLists.all("disks.aggregatedList", token -> attempts.until(() -> calls.disks("", token)));
        return all.stream()
                .filter(each -> each.location().equals(place) && each.policies().contains(policy))
                .count();
    }

    /** Asks once for the instant; asking again with the same id asks for the same one. Empty: it is there already. */
    Optional<CloudOperation> begin(RecoveryPointId recoveryPoint, Together together, UUID requestId)
            throws ProviderException {
        uploads.allow(recoveryPoint);
        String description = markOf(recoveryPoint) + " " + together.disks();
        var begun = once.until(() ->
                groups.insert(together.location(), nameOf(recoveryPoint), together.policy(), description, requestId));
        if (begun.isPresent() && !begun.get().errorCode().isEmpty()) {
            throw GceFailures.exception("instantSnapshotGroups.insert of " + recoveryPoint, begun.get());
        }
        return begun;
    }

    /** What was cut before and is not deleted since, by what it is of. */
    Map<SnapshotId, Snapshot> instants(Together together, RecoveryPointId recoveryPoint) throws ProviderException {
        var found = new LinkedHashMap<SnapshotId, Snapshot>();
        pending(together.location(), recoveryPoint).forEach((id, each) -> {
            if (each.status().equals("READY")) {
                found.put(id, new Snapshot(id, each.sizeBytes(), each.createdAt()));
            }
        });
        return found;
    }

    /** By disk; empty: the instant is not taken, or not all of it is seen. */
    Optional<Map<String, Member>> taken(RecoveryPointId recoveryPoint, Together together, int disks)
            throws ProviderException {
        var group = once.until(() -> groups.group(together.location(), nameOf(recoveryPoint)));
        if (group.isEmpty() || group.get().status().equals("CREATING")) {
            return Optional.empty();
        }
        if (!group.get().status().equals("READY")) {
            throw new ProviderException(new ProviderError.Unexpected(
                    "instantSnapshotGroups.insert of " + recoveryPoint,
                    "the group is " + group.get().status()));
        }
        var found = new LinkedHashMap<String, Member>();
        membersOf(together.location(), recoveryPoint, once).stream()
                .filter(each -> each.status().equals("READY"))
                .forEach(each -> found.put(each.disk(), each));
        return found.size() < disks ? Optional.empty() : Optional.of(found);
    }

    /** Instants that are not all snapshots yet, by what they are of; makes on the way what can be made now. */
    Map<SnapshotId, Member> goOn(GceLocation place) throws ProviderException {
        var pending = new LinkedHashMap<SnapshotId, Member>();
        var listed =
                GceLists.all("instantSnapshotGroups.list", token -> attempts.until(() -> groups.groups(place, token)));
        for (var group : listed) {
            var recoveryPoint = recoveryPointOf(group);
            if (recoveryPoint.isPresent()) {
                var members = goOn(place, recoveryPoint.get());
                pending.putAll(members);
                if (members.isEmpty()) {
                    end(place, recoveryPoint.get(), List.of());
                }
            }
        }
        return pending;
    }

    /**
     * Whether the group has no other members than are seen: a list may lack what was made a moment ago, and a group that
     * is deleted may take its members with it.
     */
    private boolean isAll(Group group, int seen) {
        boolean isOld = group.createdAt().isAfter(Instant.EPOCH)
                && group.createdAt().plus(RecentSnapshots.VISIBLE_WITHIN).isBefore(clock.instant());
        return isOld || seen >= countIn(group.description());
    }

    /** How many it was made with; a group that does not say so has more than can be seen. */
    private static int countIn(String description) {
        var words = description.split(" ", -1);
        boolean told = words.length == MARK_WORDS + 1 && words[MARK_WORDS].matches("[1-9][0-9]{0,2}");
        return told ? Integer.parseInt(words[MARK_WORDS]) : Integer.MAX_VALUE;
    }

    /** Of one recovery point. What fails is tried again by the next who looks. */
    Map<SnapshotId, Member> goOn(GceLocation place, RecoveryPointId recoveryPoint) throws ProviderException {
        var pending = pending(place, recoveryPoint);
        boolean whole = true;
        for (var each : pending.entrySet()) {
            whole &= uploads.isSnapshot(each.getKey(), each.getValue());
        }
        if (whole && !pending.isEmpty()) {
            end(place, recoveryPoint, List.copyOf(pending.values()));
        }
        return pending;
    }

    /** Of one recovery point; makes nothing, for who asks for one may be about to delete it. */
    Map<SnapshotId, Member> pending(GceLocation place, RecoveryPointId recoveryPoint) throws ProviderException {
        var pending = new LinkedHashMap<SnapshotId, Member>();
        for (var each : membersOf(place, recoveryPoint, attempts)) {
            pending.put(new SnapshotId(VolumeId.of(config.name(), place + "/" + each.disk()), recoveryPoint), each);
        }
        return pending;
    }

    /** All that are seen are snapshots: these instants have served, and with the last of them the group. */
    private void end(GceLocation place, RecoveryPointId recoveryPoint, List<Member> members) {
        try {
            for (var each : members) {
                var unused = attempts.until(() -> groups.deleteMember(each));
            }
            var group = attempts.until(() -> groups.group(place, nameOf(recoveryPoint)));
            if (group.isPresent() && isAll(group.get(), members.size())) {
                var unused = attempts.until(
                        () -> groups.deleteGroup(place, group.get().name()));
            }
        } catch (ProviderException e) {
            // They stay, and stay listed by their group: the next who looks ends it.
            return;
        }
    }

    /**
     * Deletes the instant that a snapshot is made of, and the group with the last; it is made no more. Under its lock.
     *
     * @return whether none was seen
     */
    boolean delete(SnapshotId id) throws ProviderException {
        var named = GceNames.diskOf(id.volume());
        if (named.isEmpty()) {
            return true;
        }
        var place = named.get().location();
        uploads.refuse(id);
        var members = membersOf(place, id.recoveryPoint(), attempts);
        boolean none = true;
        for (var each : members) {
            if (each.disk().equals(named.get().name())) {
                none = false;
                deleteWhereIdle(each);
            }
        }
        if (members.isEmpty()) {
            var group = attempts.until(() -> groups.group(place, nameOf(id.recoveryPoint())));
            none = group.isEmpty();
            if (group.isPresent() && isAll(group.get(), 0)) {
                var unused = attempts.until(
                        () -> groups.deleteGroup(place, group.get().name()));
            }
        }
        return none;
    }

    private void deleteWhereIdle(Member member) throws ProviderException {
        if (member.status().equals("CREATING")) {
            return;
        }
        try {
            var unused = attempts.until(() -> groups.deleteMember(member));
        } catch (ProviderException e) {
            // A snapshot that is not seen yet is made of it: whoever goes on with the deletion finds both.
            if (!(e.error() instanceof ProviderError.Conflict)) {
                throw e;
            }
        }
    }

    private List<Member> membersOf(GceLocation place, RecoveryPointId recoveryPoint, Attempts asking)
            throws ProviderException {
        var name = nameOf(recoveryPoint);
        return GceLists.all("instantSnapshots.list", token -> asking.until(() -> groups.members(place, token))).stream()
                .filter(each -> each.group().equals(name) && !each.status().equals("DELETING"))
                .toList();
    }

    private String nameOf(RecoveryPointId recoveryPoint) {
        return GceNames.groupOf(config.installation(), recoveryPoint);
    }

    private String markOf(RecoveryPointId recoveryPoint) {
        return "%s %s %s".formatted(MARK, config.installation(), recoveryPoint);
    }

    /** Of one of ours. */
    private Optional<RecoveryPointId> recoveryPointOf(Group group) {
        var words = group.description().split(" ", -1);
        if (words.length < MARK_WORDS || !words[2].matches("rp-[a-z0-9]{1,40}")) {
            return Optional.empty();
        }
        var recoveryPoint = new RecoveryPointId(words[2]);
        boolean ours = (group.description() + " ").startsWith(markOf(recoveryPoint) + " ")
                && group.name().equals(nameOf(recoveryPoint));
        return ours ? Optional.of(recoveryPoint) : Optional.empty();
    }
}
